#include "relay/inbound/session.hpp"

#include <new>
#include <utility>
#include <variant>

#include "relay/inbound/events.hpp"
#include "relay/inbound/proxy/reception.hpp"
#include "relay/ports/intake_queue.hpp"

namespace relay::inbound {

namespace {

Limits limits_at(const ListenerPolicy& listener, Limits limits) {
  if (listener.max_size > 0) limits.max_size = listener.max_size;
  return limits;
}

Client connected_client(const ClientConnection& connection, const ArrivalPolicy& policy) {
  const mail::Client named = connection.client();
  Client client = client_at(connection.address(), named.port, KnownBy::Connection, policy);
  client.named = named;
  return client;
}

/// The reply to a client whose place another one gets.
smtp::Reply no_progress() {
  return {421, {4, 3, 2}, "Too many connections, and yours makes no progress, try again later"};
}

}  // namespace

Session::Session(std::uint64_t number, const Parts& parts, base::Executor executor,
                 std::unique_ptr<ports::Stream> stream, Gate::Ticket place)
    : number_(number),
      parts_(parts),
      policy_(parts.policy.get()),
      place_(std::move(place)),
      local_(stream->local()),
      listener_(policy_->arrival.listener_at(local_)),
      limits_(limits_at(listener_, policy_->limits)),
      connection_(std::move(stream), std::move(executor), parts.clock, parts.gate, place_, limits_),
      admission_(parts.admission, *policy_, limits_, place_,
                 connected_client(connection_, policy_->arrival)),
      machine_(options()),
      last_(parts.resends) {
  place_.may_yield(connection_.executor(), [this] { connection_.give_up(no_progress()); }, limits_);
  place_.spare(true);  // until it is known who the client is
}

smtp::ServerOptions Session::options() const {
  smtp::ServerOptions options;
  options.hostname = policy_->hostname;
  options.max_size = limits().max_size;
  options.max_recipients = limits().max_recipients;
  options.max_errors = limits().max_errors;
  options.max_junk = limits().max_junk;
  options.offer_starttls = policy_->offer_starttls && parts_.tls.is_possible();
  options.tls_active = connection_.is_tls();
  options.require_tls = listener_.require_tls;
  options.offer_naming = admission_.may_name();
  return options;
}

OpenMessage Session::open_message() {
  return {.envelope = machine_.envelope(),
          .transaction = *transaction_,
          .executor = connection_.executor(),
          .session_end = connection_.session_end()};
}

base::Task<> Session::run() {
  co_await greet();
  command_end_ = connection_.read_deadline(limits().command);
  while (!connection_.over()) co_await next_step();

  if (const auto& slow = connection_.objection_to_slowness()) log_refusal("command", *slow);
  if (connection_.is_flooded()) note_flood();
  transaction_.reset();
  co_await last_.settle(connection_, parts_.clock);
  co_await connection_.finish();
}

base::Task<> Session::next_step() {
  const ReadBuffer::Line line = connection_.buffer().front_line();
  if (line.state == LineState::Incomplete) {
    co_await await_command();
    co_return;
  }
  smtp::Action action = on_front_line(line);
  co_await carry_out(std::move(action));
  command_end_ = connection_.read_deadline(limits().command);
}

smtp::Action Session::on_front_line(const ReadBuffer::Line& line) {
  if (line.state == LineState::TooLong) {
    smtp::Action action = machine_.on_overlong_line();
    log_refusal("command", *smtp::reply_in(action));
    return action;
  }
  ReadBuffer& buffer = connection_.buffer();
  const bool must_wait = smtp::must_end_group(smtp::verb_of(line.text));
  const bool more_buffered =
      buffer.pending().size() > line.octets || (must_wait && connection_.has_unread());
  if (smtp::verb_of(line.text) == smtp::Verb::Ehlo) machine_.offer_naming(admission_.may_name());
  smtp::Action action = line.state == LineState::Complete
                            ? machine_.on_line(line.text, more_buffered)
                            : machine_.on_bare_line_end();
  const smtp::Reply* reply = smtp::reply_in(action);
  if (reply != nullptr && !reply->positive()) {
    log_refusal(stage_of(line.text), *reply, recipient_in(line.text));
  }
  buffer.consume(line.octets);
  return action;
}

std::optional<smtp::Reply> Session::reason_to_leave() const {
  if (machine_.transaction() != 0) return std::nullopt;
  if (parts_.gate.draining()) return shutting_down();
  if (parts_.queue.poisoned()) return reply_for(ports::SpoolError::Poisoned);
  return std::nullopt;
}

base::Task<> Session::await_command() {
  if (connection_.buffer().empty()) {
    if (auto reply = reason_to_leave()) {
      conclude(machine_.shut_down(std::move(*reply)));
      co_return;
    }
  }
  const bool more = co_await connection_.read_more(command_end_);
  if (!more) co_return;
  last_.note_heard(connection_);
  if (std::exchange(heard_anything_, true)) co_return;
  // A TLS or HTTP client may never send a line end, so look at its first octets.
  const std::string_view first = connection_.buffer().pending();
  if (auto header = proxy::objection_to_header(first, client().address)) {
    log_refusal("connect", *header);
    conclude(machine_.shut_down(std::move(*header)));
  } else if (smtp::looks_like_other_protocol(first)) {
    conclude(machine_.shut_down(smtp::Reply(421, {4, 7, 0}, "This is an SMTP server")));
  }
}

base::Task<> Session::carry_out(smtp::Action action) {
  follow_machine();
  if (auto* check = std::get_if<smtp::CheckRecipient>(&action)) {
    co_await check_recipient(std::move(check->forward_path));
  } else if (auto* content = std::get_if<smtp::ReadContent>(&action)) {
    connection_.say(content->reply);
    co_await take_content();
  } else if (auto* tls = std::get_if<smtp::BeginTls>(&action)) {
    co_await begin_tls(tls->reply);
  } else if (auto* named = std::get_if<smtp::NameClient>(&action)) {
    co_await name_client(std::move(*named));
  } else {
    conclude(action);
  }
}

/// Carries out an action that awaits nothing: says its reply, and ends the connection if it closes.
void Session::conclude(const smtp::Action& action) {
  follow_machine();
  if (const smtp::Reply* reply = smtp::reply_in(action)) connection_.say(*reply);
  if (const auto* close = std::get_if<smtp::Close>(&action)) {
    if (close->farewell) connection_.say(*close->farewell);
    if (close->reply.code() == 221) connection_.expect_silence();  // QUIT
    connection_.end();
  }
}

/// The only place where the session's transaction begins and ends, following the machine.
void Session::follow_machine() {
  SessionClient& client = admission_.client();
  client.note_hello(machine_.helo(), machine_.esmtp());
  const std::uint32_t number = machine_.transaction();
  const bool goes_on = transaction_ && transaction_->number() == number;
  if (!goes_on) transaction_.reset();
  if (named_at_ != machine_.boundaries()) client.drop_forwarded();
  if (goes_on || number == 0) return;
  auto policy = parts_.policy.get();
  client.judge_peer(policy->arrival);
  client.begin_transaction();
  transaction_ = std::make_unique<Transaction>(number_, number, std::move(policy), client, local_);
  place_.takes_command();
}

base::Task<> Session::check_recipient(mail::ForwardPath forward_path) {
  const std::string shown = forward_path.to_string();
  auto objection = co_await parts_.recipients.objection(open_message(), std::move(forward_path));
  if (objection) {
    log_refusal("rcpt", *objection, shown);
  } else {
    place_.takes_command();
  }
  conclude(machine_.on_recipient(std::move(objection)));
}

base::Task<> Session::take_content() {
  last_.leave_unproven();
  auto outcome = co_await parts_.content.receive(connection_, open_message(), limits());
  if (auto* cut = std::get_if<ContentCut>(&outcome)) {
    log_refusal_of_content("data", cut->refusal);
    conclude(machine_.on_content_cut(std::move(cut->refusal)));
    // The client is still sending: closing at once could lose the reply.
    co_await connection_.linger();
    co_return;
  }
  auto* taken = std::get_if<Acceptance>(&outcome);
  if (taken == nullptr) co_return;
  last_.note(std::move(taken->unheard));
  const smtp::Reply& reply = taken->reply.reply();
  if (reply.positive()) place_.takes_message();
  if (!reply.positive()) log_refusal_of_content("end-of-data", reply);
  conclude(machine_.on_content_end(taken->reply));
}

void Session::abandon() noexcept {
  try {
    last_.remember(now());
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): then a resend is stored twice
  }
  parts_.refusals.troubles().note(HostTrouble::Memory, now());
  connection_.last_words("421 4.3.0 Out of memory, try again later\r\n");
}

void Session::hurry() {
  connection_.end_transfer_of(limits().command_overloaded);
  if (!connection_.waiting() || connection_.over() || machine_.transaction() != 0) return;
  if (!connection_.buffer().empty()) return;
  connection_.dismiss(shutting_down());
}

void Session::dismiss() {
  connection_.end_transfer_of(std::chrono::seconds(0));
  if (!connection_.waiting() || connection_.over()) return;
  log_refusal("command", shutting_down());
  connection_.dismiss(shutting_down());
}

void Session::log_refusal_of_content(std::string_view stage, const smtp::Reply& reply) {
  if (is_about_form(reply)) parts_.refusals.note_malformed();
  log_refusal(stage, reply);
}

void Session::log_refusal(std::string_view stage, const smtp::Reply& reply,
                          std::string_view forward_path) {
  const mail::Envelope* envelope = machine_.transaction() != 0 ? &machine_.envelope() : nullptr;
  const Client& client = transaction_ ? transaction_->client() : admission_.client().current();
  const Intake* content = transaction_ ? transaction_->content() : nullptr;
  const auto trouble = parts_.refusals.troubles().behind(reply, now());
  if (trouble) parts_.refusals.troubles().note(*trouble, now());
  const Rejected rejected{.stage = stage,
                          .dialogue = {client.named, client.through, number_},
                          .envelope = envelope,
                          .forward_path = forward_path,
                          .content = content,
                          .is_trouble_here = trouble.has_value()};
  parts_.refusals.write(client.origin, rejected_event(rejected, reply, parts_.clock.wall()), now());
}

}  // namespace relay::inbound
