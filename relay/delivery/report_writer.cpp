#include "relay/delivery/report_writer.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/base/sha256.hpp"
#include "relay/base/text.hpp"
#include "relay/mail/dsn.hpp"
#include "relay/mail/header.hpp"

namespace relay::delivery {

namespace {

using mail::DsnKind;
using mail::RecipientState;
using ports::Notice;
using ports::Notify;

std::string alias_key(const mail::Route& route) { return base::lower(route.original.to_string()); }

/// What else became of the copies for one alias.
struct AliasHope {
  bool delivered = false;
  bool open = false;  ///< waiting or held
};

/// The notices of a message, sorted by who is told.
class Audience {
 public:
  Audience(const ReportOrder& order, const Policy& policy) : policy_(policy) {
    for (const auto& copy : order.notices.queued.recipients) {
      AliasHope& hope = hopes_[alias_key(copy.route)];
      hope.delivered = hope.delivered || copy.state == RecipientState::Delivered;
      hope.open = hope.open || !mail::is_final(copy.state);
      if (copy.state != RecipientState::Waiting) not_waiting_.insert(copy.route.index);
    }
    const bool automatic = is_automatic(order.header_block);
    for (const Notice& notice : order.notices.notices) sort_in(notice, automatic);
  }

  std::vector<mail::DsnRecipient> to_sender;
  std::vector<mail::DsnRecipient> to_postmaster;
  std::vector<DsnNote> untold;

 private:
  void sort_in(const Notice& notice, bool automatic) {
    if (notice.kind == Notify::OfDelay) {
      // Delivered, failed or held since: there is no delay to report any more.
      if (not_waiting_.contains(notice.index)) return keep_silent(notice, "no longer waiting");
      if (automatic) return keep_silent(notice, "automatic mail");
    }
    mail::DsnRecipient recipient = recipient_of(notice);
    if (!recipient.one_of_several || policy_.notices.partial == mail::PartialFailures::Sender) {
      to_sender.push_back(std::move(recipient));
    } else if (policy_.notices.partial == mail::PartialFailures::Nobody) {
      keep_silent(notice,
                  "partial " + std::string(notice.kind == Notify::OfFailure ? "failure" : "delay"));
    } else {
      // Without a postmaster the sender is told, for somebody has to know.
      (policy_.postmaster ? to_postmaster : to_sender).push_back(std::move(recipient));
    }
  }

  mail::DsnRecipient recipient_of(const Notice& notice) const {
    const bool failed = notice.kind == Notify::OfFailure;
    mail::DsnRecipient recipient{.kind = failed ? DsnKind::Failed : DsnKind::Delayed,
                                 .original = notice.route.original,
                                 .target = notice.route.target,
                                 .attempt = notice.attempt,
                                 .end = notice.end};
    if (!failed) recipient.retry_until = notice.waiting_since + policy_.retry.expire;
    const auto found = hopes_.find(alias_key(notice.route));
    if (found != hopes_.end()) {
      const AliasHope& hope = found->second;
      recipient.one_of_several = hope.delivered || (failed && hope.open);
    }
    return recipient;
  }

  void keep_silent(const Notice& notice, std::string_view reason) {
    auto note = std::ranges::find(untold, reason, &DsnNote::reason);
    if (note == untold.end()) {
      untold.push_back({.id = {}, .reason = std::string(reason)});
      note = std::prev(untold.end());
    }
    ++(notice.kind == Notify::OfFailure ? note->failed : note->delayed);
  }

  const Policy& policy_;
  std::unordered_map<std::string, AliasHope> hopes_;
  std::set<std::uint16_t> not_waiting_;
};

base::Task<std::string> signature(const std::string& content, std::shared_ptr<const Policy> policy,
                                  ports::Signer* signer, base::WallTime now) {
  if (signer == nullptr) co_return std::string();
  const std::size_t header = mail::header_length(content).value_or(content.size());
  auth::dkim::BodyHashes body;
  const std::size_t relaxed = body.want(auth::dkim::Canon::Relaxed);
  if (content.size() > header + 2) body.update(std::string_view(content).substr(header + 2));
  body.finish();
  ports::SignRequest request;
  request.header = std::make_shared<const mail::Header>(content.substr(0, header));
  request.relaxed_body_sha256 = body.digest(relaxed);
  request.from_domain = policy->hostname.folded();
  request.own_message = true;
  request.lifetime = policy->signature_lifetime;
  request.now_unix =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  auto fields = co_await signer->sign(std::move(request));
  co_return fields ? std::move(fields->dkim_fields) : std::string();
}

/// Routes for a DSN: to the addressee, or to its targets if it is one of our own aliases.
std::vector<mail::Route> routes_to(const mail::Mailbox& addressee, const Policy& policy) {
  std::vector<mail::Mailbox> targets;
  if (policy.own_targets) targets = policy.own_targets(addressee);
  if (targets.empty()) targets.push_back(addressee);
  std::vector<mail::Route> routes;
  for (auto& target : targets) {
    routes.push_back({static_cast<std::uint16_t>(routes.size()), mail::ForwardPath(addressee),
                      std::move(target), mail::ReversePath::null()});
  }
  return routes;
}

mail::DsnRequest request_of(const ReportOrder& order, const Policy& policy,
                            std::vector<mail::DsnRecipient> recipients, bool to_postmaster) {
  const mail::QueuedMessage& queued = order.notices.queued;
  const mail::AcceptedMessage& original = queued.message;
  mail::DsnRequest request{
      .new_id = order.new_id,
      .original_id = original.id,
      .reporting_host = policy.hostname,
      .addressee = to_postmaster ? *policy.postmaster : original.reverse_path.mailbox(),
      .now = order.now,
      .arrived_at = queued.received_at,
      .original_header = order.header_block,
      // The postmaster needs to know which target failed.
      .hide_targets = policy.hide_targets && !to_postmaster,
      .recipients = std::move(recipients)};
  if (to_postmaster) request.sender = original.reverse_path.mailbox();
  return request;
}

ports::NewMessage message_of(mail::Dsn dsn, const mail::DsnRequest& request, const Policy& policy) {
  ports::NewMessage message;
  message.content_sha256 = base::sha256(dsn.content);
  message.routes = routes_to(request.addressee, policy);
  message.message.id = dsn.id;
  message.message.reverse_path = mail::ReversePath::null();
  message.message.smtputf8 = mail::dsn_needs_smtputf8(request);
  message.message.size = dsn.content.size();
  message.message.message_id = fmt::format("{}@{}", dsn.id.to_string(), policy.hostname.text());
  message.content = std::move(dsn.content);
  return message;
}

base::Task<> write_dsns(WrittenReport& into, mail::DsnRequest request,
                        std::shared_ptr<const Policy> policy, ports::Signer* signer) {
  for (mail::Dsn& dsn : mail::build_dsns(request)) {
    into.notes.push_back({.id = dsn.id,
                          .reason = {},
                          .to_postmaster = request.sender.has_value(),
                          .failed = dsn.failed,
                          .delayed = dsn.delayed});
    ports::NewMessage message = message_of(std::move(dsn), request, *policy);
    message.message.trace_fields = co_await signature(message.content, policy, signer, request.now);
    into.report.dsns.push_back(std::move(message));
  }
}

}  // namespace

std::string_view silence_towards(const mail::AcceptedMessage& message, const Policy& policy) {
  if (message.reverse_path.is_null()) return "null sender";
  if (!message.reverse_path.mailbox().domain().is_dotted()) return "nobody can answer the sender";
  const bool vouched = message.sender_authenticated || policy.notices.to == mail::NoticesTo::Anyone;
  return vouched ? "" : "sender not authenticated";
}

bool is_automatic(std::string_view header_block) {
  const auto fields = mail::readable_fields(header_block);
  for (const auto& field : mail::find_fields(fields, "Auto-Submitted")) {
    if (!base::starts_with_ignoring_case(mail::unfolded(field.value), "no")) return true;
  }
  for (const auto& field : mail::find_fields(fields, "Precedence")) {
    const std::string value = base::lower(mail::unfolded(field.value));
    if (value == "bulk" || value == "list" || value == "junk") return true;
  }
  return !mail::find_fields(fields, "List-Id").empty();
}

base::Task<WrittenReport> write_report(ReportOrder order, std::shared_ptr<const Policy> policy,
                                       ports::Signer* signer) {
  WrittenReport written;
  written.report.id = order.notices.queued.message.id;
  DsnNote all;
  for (const Notice& notice : order.notices.notices) {
    written.report.notices.emplace_back(notice.index, notice.kind);
    ++(notice.kind == Notify::OfFailure ? all.failed : all.delayed);
  }
  all.reason = silence_towards(order.notices.queued.message, *policy);
  if (!all.reason.empty()) {
    written.notes.push_back(std::move(all));
    co_return written;
  }
  if (!order.new_id) {
    order.new_id = [now = order.now] { return base::Ulid::generate(now); };
  }
  Audience audience(order, *policy);
  written.report.tells_sender_of_delay = std::ranges::any_of(
      audience.to_sender,
      [](const mail::DsnRecipient& recipient) { return recipient.kind == DsnKind::Delayed; });
  if (!audience.to_sender.empty()) {
    auto request = request_of(order, *policy, std::move(audience.to_sender), false);
    co_await write_dsns(written, std::move(request), policy, signer);
  }
  if (!audience.to_postmaster.empty()) {
    auto request = request_of(order, *policy, std::move(audience.to_postmaster), true);
    co_await write_dsns(written, std::move(request), policy, signer);
  }
  for (DsnNote& note : audience.untold) written.notes.push_back(std::move(note));
  co_return written;
}

}  // namespace relay::delivery
