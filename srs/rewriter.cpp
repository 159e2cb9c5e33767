#include <algorithm>
#include <utility>

#include "srs/srs.hpp"
#include "srs/text.hpp"

namespace srs {

namespace {

constexpr std::size_t kMessageTag = 28;  // fits into 64 octets with an id of 26

std::string after_last_at(const std::string& domain) {
  return domain.substr(domain.rfind('@') + 1);  // npos + 1 == 0
}

Options within_bounds(Options options) {
  options.strong_hash_length = std::clamp<std::size_t>(options.strong_hash_length, 8, 40);
  options.classic_hash_length = std::clamp<std::size_t>(options.classic_hash_length, 1, 27);
  options.classic_hash_min = std::min(options.classic_hash_min, options.classic_hash_length);
  return options;
}

}  // namespace

Rewriter::Rewriter(KeyRing keys, const std::string& srs_domain, Options options)
    : domain_(after_last_at(srs_domain)),
      options_(within_bounds(options)),
      authenticator_(std::move(keys), domain_, options_) {}

std::expected<Address, ForwardError> Rewriter::forward(const Address& sender,
                                                       std::int64_t now_unix) const {
  if (sender.local_part.empty() && sender.domain.empty()) {
    return std::unexpected(ForwardError::NullSender);
  }
  // Refuses a domain with "=": it could not be recovered, since "=" ends the domain inside the
  // address. The classic format accepts it all the same.
  const bool equals_sign =
      options_.format == Format::Strong && sender.domain.find('=') != std::string::npos;
  if (sender.local_part.empty() || sender.domain.empty() || equals_sign) {
    return std::unexpected(ForwardError::Malformed);
  }
  if (!options_.always_rewrite && fold(sender.domain) == fold(domain_)) {
    return std::unexpected(ForwardError::OwnAddress);
  }
  Address address = wrapped(sender, now_unix);
  const std::string printed = to_string(address);
  if (printed.size() > kMaxAddress || printed.size() - address.domain.size() - 1 > kMaxLocalPart) {
    return std::unexpected(ForwardError::TooLong);
  }
  return address;
}

Address Rewriter::wrapped(const Address& sender, std::int64_t now_unix) const {
  if (const auto rest = after_tag(sender.local_part, "SRS0")) {
    return wrapped_again(sender.domain, *rest, now_unix);
  }
  if (const auto rest = after_tag(sender.local_part, "SRS1")) {
    // SRS1<sep>hash=host=rest; anything malformed is wrapped as an ordinary sender.
    const std::string_view body = rest->substr(1);
    const std::size_t first = body.find('=');
    const std::size_t second = first == body.npos ? body.npos : body.find('=', first + 1);
    if (second != body.npos) {
      const auto host = body.substr(first + 1, second - first - 1);
      const auto inner = body.substr(second + 1);
      if (is_dotted_name(host) && !inner.empty() && is_separator(inner.front())) {
        return wrapped_again(host, inner, now_unix);
      }
    }
  }
  const std::string stamp = stamp_of(now_unix);
  const std::string hash =
      options_.format == Format::Strong
          ? authenticator_.strong_hash("SRS0", {sender.domain, sender.local_part}, now_unix)
                .substr(0, options_.strong_hash_length)
          : authenticator_.classic_hash(stamp + sender.domain + sender.local_part);
  return {"SRS0" + std::string(1, options_.separator) + hash + '=' + stamp + '=' + sender.domain +
              '=' + sender.local_part,
          domain_};
}

Address Rewriter::wrapped_again(std::string_view host, std::string_view rest,
                                std::int64_t now_unix) const {
  std::string hash;
  if (options_.format == Format::Strong) {
    // The stamp is appended to the hash, which all other forwarders treat as opaque: so our SRS1
    // expires, and others can still wrap it again.
    hash = authenticator_.strong_hash("SRS1", {host, rest}, now_unix)
               .substr(0, options_.strong_hash_length) +
           fold(stamp_of(now_unix));
  } else {
    hash = authenticator_.classic_hash(std::string(host) + std::string(rest));
  }
  return {"SRS1" + std::string(1, options_.separator) + hash + '=' + std::string(host) + '=' +
              std::string(rest),
          domain_};
}

Rewriter::Token Rewriter::make_token(const Address& sender, std::int64_t now_unix) const {
  const std::string stamp = fold(stamp_of(now_unix));
  const std::string digest =
      authenticator_.digest("token", {stamp, sender.domain, sender.local_part});
  const std::string tag =
      authenticator_.strong_hash("SRST", {digest}, now_unix).substr(0, options_.strong_hash_length);
  return {{"srst=" + tag + '=' + stamp + '=' + digest, domain_}, stamp + digest};
}

Address Rewriter::make_message_address(std::string_view id, std::int64_t now_unix) const {
  const std::string folded = fold(id);
  const std::string tag = authenticator_.strong_hash("SRSM", {folded}, now_unix)
                              .substr(0, std::min(options_.strong_hash_length, kMessageTag));
  return {"srsm=" + tag + '=' + fold(stamp_of(now_unix)) + '=' + folded, domain_};
}

std::string Rewriter::digest(const Address& address) const {
  return authenticator_.digest("log", {fold(to_string(address))});
}

}  // namespace srs
