// The part of a session that deals with a message: its recipients and its content.
#include <algorithm>
#include <utility>
#include <variant>

#include "relay/base/text.hpp"
#include "relay/base/ulid.hpp"
#include "relay/inbound/acceptance.hpp"
#include "relay/inbound/session.hpp"

namespace relay::inbound {

namespace {

constexpr mail::EnhancedStatus kUnknownUser{5, 1, 1};

smtp::Reply local_error() { return {451, {4, 3, 0}, "Local error, try again later"}; }

}  // namespace

base::Task<> Session::check_recipient(mail::ForwardPath forward_path) {
  const std::string shown = forward_path.to_string();
  auto objection = co_await recipient_objection(std::move(forward_path));
  if (objection) log_refusal("rcpt", *objection, shown);
  conclude(machine_.on_recipient(std::move(objection)));
}

base::Task<std::optional<smtp::Reply>> Session::recipient_objection(
    mail::ForwardPath forward_path) {
  const bool to_srs = transaction_->policy().planner->is_bounce_address(forward_path);
  if (to_srs) {
    auto wait = services_.bounces.objection_to(network(), limits().bounces, now());
    if (wait) co_return wait;
  }
  auto unwelcome = co_await client_objection(forward_path);
  if (unwelcome) co_return unwelcome;
  const std::string address = base::lower(forward_path.to_string());
  forward::Resolution resolution = co_await resolve(std::move(forward_path));
  if (const auto* rejection = std::get_if<forward::Rejection>(&resolution)) {
    if (rejection->bad_bounce_address) {
      services_.bounces.note_refused(network(), limits().bounces, now());
    }
    if (rejection->status == kUnknownUser) {
      services_.abuse.note_unknown(network(), transaction_->policy().abuse);
    }
    co_return smtp::Reply(rejection->code, rejection->status, rejection->text);
  }
  auto* resolved = std::get_if<forward::ResolvedRecipient>(&resolution);
  if (resolved == nullptr) co_return local_error();
  auto unconfirmed = co_await consent_objection(*resolved);
  if (unconfirmed) co_return unconfirmed;
  auto early = co_await admission_objection(*resolved);
  if (early) co_return early;
  if (auto objection = room_objection(*resolved, address)) co_return objection;
  transaction_->add(std::move(*resolved));
  begin_check();
  co_return std::nullopt;
}

/// Verification begins with the first recipient that is taken: who asks for strangers costs no DNS.
void Session::begin_check() {
  const Policy& policy = transaction_->policy();
  if (!policy.check || transaction_->check() != nullptr) return;
  auth::Arrival arrival{.client = plain_address((*stream_)->peer().address),
                        .helo = client_.helo,
                        .reverse_path = machine_.envelope().reverse_path};
  transaction_->begin_check(std::make_unique<auth::MessageCheck>(
      services_.resolver, services_.clock, executor_, policy.check, std::move(arrival)));
}

std::optional<smtp::Reply> Session::room_objection(const forward::ResolvedRecipient& resolved,
                                                   const std::string& address) {
  const bool first = transaction_->recipients().empty();
  // A bounce has one recipient, and nothing else travels with it.
  if (!first && (resolved.is_bounce || transaction_->is_bounce())) {
    return smtp::Reply(452, {4, 5, 3}, "A bounce has one recipient");
  }
  if (resolved.is_bounce) {
    const BounceAddress bounce{address, base::lower(resolved.targets.front().to_string()),
                               resolved.weak};
    return services_.bounces.take(bounce, network(), limits().bounces, now());
  }
  // One message is refused, held or forwarded as a whole: who wants it otherwise gets his own.
  if (!first && transaction_->policy().check &&
      resolved.dmarc != transaction_->recipients().front().dmarc) {
    return smtp::Reply(452, {4, 5, 3}, "Another policy applies, send this recipient a copy");
  }
  // Aliases multiply: the copies of one message are limited as its recipients are.
  const std::size_t copies = transaction_->targets() + resolved.targets.size();
  if (copies > limits().max_recipients && !first) {
    return smtp::Reply(452, {4, 5, 3}, "Too many recipients");
  }
  return std::nullopt;
}

base::Task<forward::Resolution> Session::resolve(mail::ForwardPath forward_path) {
  const forward::Planner& planner = *transaction_->policy().planner;
  const base::WallTime now = services_.clock.wall();
  forward::Resolution resolution =
      planner.resolve(forward_path, machine_.envelope().reverse_path, now);
  const auto* lookup = std::get_if<forward::TokenLookup>(&resolution);
  if (lookup == nullptr) co_return resolution;

  std::string token = lookup->token;
  const auto found = co_await services_.tokens.find(std::move(token));
  if (found) co_return planner.resolve_token(forward_path, *found);
  if (found.error() == ports::SpoolError::NotFound) {
    // The one reply for every SRS address that does not lead back.
    co_return forward::SenderRewrite::bad_srs_address();
  }
  co_return forward::Rejection{451, {4, 3, 0}, "Local error, try again later"};
}

base::Task<> Session::take_content() {
  const mail::MessageId id = base::Ulid::generate(services_.clock.wall());
  Intake& intake = transaction_->begin_content(services_.queue, services_.budget, id);
  smtp::DataReader reader({.content = limits().max_size, .line = limits().max_line});
  std::uint64_t received = 0;
  const bool complete = co_await read_content(reader, intake, received);
  if (!complete) {
    charge_waste(received);
    co_return;
  }

  auto accepted = co_await accept_message(
      services_,
      {machine_.envelope(), client_, *transaction_, intake, transaction_->check(), reader.fault()});
  const smtp::EndOfDataReply& reply = accepted.reply;
  unheard_ = std::move(accepted.unheard);
  if (!reply.reply().positive()) log_refusal("end-of-data", reply.reply());
  if (reply.reply().code() >= 500) charge_waste(received);
  conclude(machine_.on_content_end(reply));
}

void Session::charge_waste(std::uint64_t octets) {
  services_.waste.charge(network(), octets, limits().wasted, now());
}

base::Task<bool> Session::read_content(smtp::DataReader& reader, Intake& intake,
                                       std::uint64_t& received) {
  const base::SteadyTime began = services_.clock.steady();
  const std::uint32_t rate = std::max<std::uint32_t>(limits().min_content_rate, 1);
  while (!reader.finished()) {
    if (buffer_.empty()) {
      // Nobody may hold a session by dripping: time grows only with octets.
      const base::Deadline pace{began + limits().content + std::chrono::seconds(received / rate)};
      const bool more = co_await read_more(read_deadline(limits().content).within(pace));
      if (!more) co_return false;
    }
    const std::size_t used =
        reader.feed(buffer_.pending(), [&intake](std::string_view span) { intake.take(span); });
    buffer_.consume(used);
    received += used;
    if (intake.chunk_ready()) co_await intake.store_chunk();
  }
  co_return true;
}

}  // namespace relay::inbound
