#include "relay/forward/sender_rewrite.hpp"

#include <boost/asio/ip/address.hpp>

namespace relay::forward {

namespace {

std::int64_t unix_seconds(base::WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

srs::Address address_of(const mail::Mailbox& mailbox) {
  return {mailbox.local_part(), mailbox.domain().text()};
}

std::optional<mail::Mailbox> mailbox_of(const srs::Address& address) {
  auto domain = mail::Domain::parse(address.domain);
  if (!domain) return std::nullopt;
  auto mailbox = mail::Mailbox::make(address.local_part, std::move(*domain));
  if (!mailbox) return std::nullopt;
  return std::move(*mailbox);
}

}  // namespace

std::string client_prefix(const std::string& address) {
  boost::system::error_code error;
  const auto ip = boost::asio::ip::make_address(address, error);
  if (error) return address;
  if (ip.is_v4()) {
    auto octets = ip.to_v4().to_bytes();
    octets[3] = 0;
    return boost::asio::ip::address_v4(octets).to_string() + "/24";
  }
  auto octets = ip.to_v6().to_bytes();
  for (std::size_t i = 8; i < octets.size(); ++i) octets[i] = 0;
  return boost::asio::ip::address_v6(octets).to_string() + "/64";
}

std::expected<SenderRewrite, std::string> SenderRewrite::make(const settings::Settings& settings) {
  SenderRewrite made;
  // Bounces may come as long as somebody can still be retrying.
  made.token_life_ = settings.queue.expire + std::chrono::days(7);
  const settings::Srs& srs = settings.srs;
  if (!srs.domain) return made;
  std::vector<srs::Key> keys;
  for (const auto& secret : srs.secrets) {
    keys.push_back(
        {secret.id, std::string(secret.secret.reveal()), secret.verify_until, secret.scheme});
  }
  auto ring = srs::KeyRing::make(std::move(keys));
  if (!ring) return std::unexpected("srs: " + std::string(srs::describe(ring.error())));
  srs::Options options;
  options.format =
      srs.format == settings::SrsFormat::Strong ? srs::Format::Strong : srs::Format::Classic;
  options.separator = srs.separator;
  options.strong_hash_length = srs.tag_length;
  options.classic_hash_length = srs.classic_hash_length;
  options.classic_hash_min = srs.classic_hash_length;
  options.accept_classic = srs.accept_classic;
  options.max_age_days = srs.max_age_days;
  made.folded_domain_ = srs.domain->folded();
  made.rewriter_ =
      std::make_shared<const srs::Rewriter>(std::move(*ring), srs.domain->text(), options);
  return made;
}

bool SenderRewrite::is_srs_domain(const mail::Domain& domain) const {
  return rewriter_ && domain.folded() == folded_domain_;
}

SenderRewrite::Rewritten SenderRewrite::rewrite(const mail::Mailbox& sender,
                                                const std::string& client,
                                                base::WallTime now) const {
  if (!rewriter_ || is_srs_domain(sender.domain())) return {mail::ReversePath(sender), {}};
  const std::int64_t seconds = unix_seconds(now);
  if (!sender.is_utf8()) {
    if (const auto made = rewriter_->forward(address_of(sender), seconds)) {
      if (auto mailbox = mailbox_of(*made)) return {mail::ReversePath(std::move(*mailbox)), {}};
    }
  }
  auto token = rewriter_->make_token(address_of(sender), seconds);
  return {mail::ReversePath(*mailbox_of(token.address)),
          mail::SenderToken{.token = std::move(token.token),
                            .reverse_path = mail::ReversePath(sender),
                            .expires_at = now + token_life_,
                            .client = client_prefix(client)}};
}

Rejection SenderRewrite::bad_srs_address() {
  return {550, {5, 1, 8}, "This address does not accept mail", true};
}

std::expected<std::variant<Origin, TokenLookup>, Rejection> SenderRewrite::reverse(
    const mail::Mailbox& address, base::WallTime now) const {
  const auto reversed = rewriter_->reverse(address_of(address), unix_seconds(now));
  if (!reversed) return std::unexpected(bad_srs_address());
  if (reversed->family == srs::Family::Token) return TokenLookup{reversed->token};
  auto mailbox = mailbox_of(reversed->address);
  if (!mailbox) return std::unexpected(bad_srs_address());
  return Origin{std::move(*mailbox), reversed->weak};
}

}  // namespace relay::forward
