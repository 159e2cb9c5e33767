#include "relay/delivery/bounce.hpp"

#include "relay/auth/dkim/body_hashes.hpp"
#include "relay/base/sha256.hpp"
#include "relay/base/text.hpp"
#include "relay/mail/header.hpp"

namespace relay::delivery {

namespace {

base::Task<std::string> signature(const std::string& content, std::shared_ptr<const Policy> policy,
                                  ports::Signer* signer, base::WallTime now) {
  if (signer == nullptr) co_return std::string();
  const std::size_t header = mail::header_length(content).value_or(content.size());
  auth::dkim::BodyHashes body;
  const std::size_t relaxed = body.want(auth::dkim::Canon::Relaxed);
  if (content.size() > header + 2) body.update(std::string_view(content).substr(header + 2));
  body.finish();
  ports::SignRequest request;
  request.header_block = content.substr(0, header);
  request.relaxed_body_sha256 = body.digest(relaxed);
  request.from_domain = policy->hostname.folded();
  request.own_message = true;
  request.lifetime = policy->signature_lifetime;
  request.now_unix =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  auto fields = co_await signer->sign(std::move(request));
  co_return fields ? std::move(fields->dkim_fields) : std::string();
}

/// One copy per target: the sender's address, or where it leads when it is one of ours.
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

}  // namespace

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

base::Task<ports::NewMessage> make_bounce(BounceOrder order, std::shared_ptr<const Policy> policy,
                                          ports::Signer* signer) {
  const mail::MessageId id = base::Ulid::generate(order.now);
  const mail::DsnRequest request{.kind = order.kind,
                                 .id = id,
                                 .original_id = order.original.id,
                                 .reporting_host = policy->hostname,
                                 .addressee = order.original.reverse_path.mailbox(),
                                 .now = order.now,
                                 .arrived_at = order.original.received_at,
                                 .retry_until = order.retry_until,
                                 .original_header = std::move(order.header_block),
                                 .hide_targets = policy->hide_targets,
                                 .recipients = std::move(order.recipients)};
  ports::NewMessage dsn;
  dsn.last_chunk = mail::build_dsn(request);
  dsn.content_sha256 = base::sha256(dsn.last_chunk);
  dsn.first_due = order.now;
  dsn.routes = routes_to(request.addressee, *policy);
  dsn.message.id = id;
  dsn.message.received_at = order.now;
  dsn.message.reverse_path = mail::ReversePath::null();
  dsn.message.smtputf8 = mail::dsn_needs_smtputf8(request);
  dsn.message.size = dsn.last_chunk.size();
  dsn.message.trace_fields = co_await signature(dsn.last_chunk, policy, signer, order.now);
  co_return dsn;
}

}  // namespace relay::delivery
