#include "relay/forward/sender_rewrite.hpp"

#include "relay/base/origin.hpp"
#include "relay/base/text.hpp"
#include "relay/forward/policy.hpp"

namespace relay::forward {

namespace {

std::int64_t unix_seconds(base::WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

srs::Address address_of(const mail::Mailbox& mailbox) {
  return {mailbox.local_part(), mailbox.domain().text()};
}

bool is_answerable(const mail::Mailbox& sender, bool in_srs_domain) {
  const bool is_nobody =
      in_srs_domain && base::starts_with_ignoring_case(sender.local_part(), "srsm");
  return sender.domain().is_dotted() && !is_nobody;
}

std::int64_t classic_until(const SrsSecret& secret) {
  if (secret.classic) return *secret.classic ? srs::Key::kAlways : srs::Key::kNever;
  return secret.classic_until.value_or(srs::Key::kNever);
}

std::optional<mail::Mailbox> mailbox_of(const srs::Address& address) {
  auto domain = mail::Domain::parse(address.domain);
  if (!domain) return std::nullopt;
  auto mailbox = mail::Mailbox::make(address.local_part, std::move(*domain));
  if (!mailbox) return std::nullopt;
  return std::move(*mailbox);
}

}  // namespace

bool is_answerable(const mail::Mailbox& sender, const Identities& identities) {
  const std::string& domain = sender.domain().folded();
  return is_answerable(
      sender, domain == identities.srs_domain() || domain == identities.doubtful_srs_domain());
}

std::expected<SenderRewrite, std::string> SenderRewrite::make(const Policy& policy) {
  SenderRewrite made;
  // Bounces can arrive until the last hop behind us has given up retrying.
  made.token_life_ = policy.retry.expire + std::chrono::days(7);
  const Srs& srs = policy.srs;
  made.stored_per_domain_ = srs.stored_per_domain;
  made.stored_per_client_ = srs.stored_per_client;
  if (!srs.domain) return made;
  std::vector<srs::Key> keys;
  for (const auto& secret : srs.secrets) {
    keys.push_back({.id = secret.id,
                    .secret = std::string(secret.secret.reveal()),
                    .verify_until = secret.verify_until,
                    .scheme = secret.scheme,
                    .classic_until = classic_until(secret)});
  }
  auto ring = srs::KeyRing::make(std::move(keys));
  if (!ring) return std::unexpected("srs: " + std::string(srs::describe(ring.error())));
  srs::Options options;
  options.format = srs.format == SrsFormat::Strong ? srs::Format::Strong : srs::Format::Classic;
  options.separator = srs.separator;
  options.strong_hash_length = srs.tag_length;
  options.classic_hash_length = srs.classic_hash_length;
  options.classic_hash_min = srs.classic_hash_length;
  options.max_age_days = srs.max_age_days;
  made.folded_domain_ = srs.domain->folded();
  made.rewriter_ = std::make_shared<const srs::Rewriter>(*ring, srs.domain->text(), options);
  made.doubtful_ = made.rewriter_;
  if (const auto& doubtful = policy.risk.srs_domain) {
    made.doubtful_domain_ = doubtful->folded();
    made.doubtful_ =
        std::make_shared<const srs::Rewriter>(std::move(*ring), doubtful->text(), options);
  }
  return made;
}

bool SenderRewrite::is_srs_domain(const mail::Domain& domain) const {
  return rewriter_ && (domain.folded() == folded_domain_ || domain.folded() == doubtful_domain_);
}

const srs::Rewriter* SenderRewrite::rewriter_of(const std::string& folded_domain) const {
  return folded_domain == doubtful_domain_ ? doubtful_.get() : rewriter_.get();
}

mail::ReversePath SenderRewrite::unanswerable(const Occasion& occasion) const {
  const srs::Rewriter& rewriter = occasion.is_doubtful ? *doubtful_ : *rewriter_;
  return mail::ReversePath(*mailbox_of(
      rewriter.make_message_address(occasion.message.to_string(), unix_seconds(occasion.now))));
}

SenderRewrite::Rewritten SenderRewrite::rewrite(const mail::Mailbox& sender,
                                                const Occasion& occasion) const {
  if (!rewriter_) return {mail::ReversePath(sender), {}};
  if (!is_answerable(sender, is_srs_domain(sender.domain()))) return {unanswerable(occasion), {}};
  const srs::Rewriter& rewriter = occasion.is_doubtful ? *doubtful_ : *rewriter_;
  const std::int64_t seconds = unix_seconds(occasion.now);
  if (!sender.is_utf8()) {
    if (const auto made = rewriter.forward(address_of(sender), seconds)) {
      if (auto mailbox = mailbox_of(*made)) return {mail::ReversePath(std::move(*mailbox)), {}};
    }
  }
  const base::Origin origin = base::origin_of(occasion.client);
  auto token = rewriter.make_token(address_of(sender), seconds);
  return {
      mail::ReversePath(*mailbox_of(token.address)),
      mail::SenderToken{.token = std::move(token.token),
                        .reverse_path = mail::ReversePath(sender),
                        .lives_for = token_life_,
                        .counted_under = occasion.is_proven ? "domain " + sender.domain().folded()
                                                            : origin.network,
                        .most = occasion.is_proven ? stored_per_domain_ : stored_per_client_,
                        .counted_wider = occasion.is_proven ? std::string() : origin.wider}};
}

Rejection SenderRewrite::bad_srs_address(bool forged, bool guessable) {
  return {550, {5, 1, 8}, "This address does not accept mail", forged, guessable};
}

Rejection SenderRewrite::bad_srs_sender(bool forged, bool guessable) {
  return {550, {5, 7, 1}, "The sender is an address of this host", forged, guessable};
}

std::expected<std::variant<Origin, TokenLookup, NobodyBehind>, Rejection> SenderRewrite::reverse(
    const mail::Mailbox& address, base::WallTime now) const {
  const srs::Rewriter& rewriter = *rewriter_of(address.domain().folded());
  const srs::Address asked = address_of(address);
  const auto reversed = rewriter.reverse(asked, unix_seconds(now));
  const bool guessable = rewriter.is_guessable(asked, unix_seconds(now));
  if (!reversed) {
    return std::unexpected(
        bad_srs_address(reversed.error() == srs::ReverseError::Forged, guessable));
  }
  if (reversed->family == srs::Family::Token) return TokenLookup{reversed->token};
  if (reversed->family == srs::Family::Message) {
    const auto id = mail::MessageId::parse(reversed->token);  // restores the case of the id
    return NobodyBehind{id ? id->to_string() : reversed->token};
  }
  auto mailbox = mailbox_of(reversed->address);
  if (!mailbox) return std::unexpected(bad_srs_address(false, guessable));
  return Origin{.sender = std::move(*mailbox), .weak = reversed->weak, .guessable = guessable};
}

}  // namespace relay::forward
