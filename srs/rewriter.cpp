#include <algorithm>
#include <utility>

#include "srs/srs.hpp"
#include "srs/text.hpp"

namespace srs {

namespace {

constexpr std::string_view kContext = "srs-relay/1";  // separates our MACs from those of others
constexpr std::size_t kTokenLength = 16;              // base32 characters: 80 bits of digest
constexpr std::size_t kMessageTag = 28;               // fits into 64 octets with an id of 26

/// What follows the tag, separator included, if `local` begins with the tag in any case and a
/// separator.
std::optional<std::string_view> after_tag(std::string_view local, std::string_view tag) {
  if (local.size() <= tag.size() || fold(local.substr(0, tag.size())) != fold(tag)) {
    return std::nullopt;
  }
  if (!is_separator(local[tag.size()])) return std::nullopt;
  return local.substr(tag.size());
}

std::string after_last_at(const std::string& domain) {
  return domain.substr(domain.rfind('@') + 1);  // npos + 1 == 0
}

}  // namespace

Rewriter::Rewriter(KeyRing keys, const std::string& srs_domain, Options options)
    : keys_(std::move(keys)), domain_(after_last_at(srs_domain)), options_(options) {
  options_.strong_hash_length = std::clamp<std::size_t>(options_.strong_hash_length, 8, 40);
  options_.classic_hash_length = std::clamp<std::size_t>(options_.classic_hash_length, 1, 27);
  options_.classic_hash_min = std::min(options_.classic_hash_min, options_.classic_hash_length);
}

std::string Rewriter::strong_hash(const Key& key, std::string_view kind,
                                  const std::vector<std::string_view>& fields) const {
  const std::string domain = fold(domain_);
  std::vector<std::string> folded;
  folded.reserve(fields.size());
  for (const auto field : fields) folded.push_back(fold(field));
  std::vector<std::string_view> parts = {kContext, kind, key.id, domain};
  parts.insert(parts.end(), folded.begin(), folded.end());
  return base32_lower(hmac_sha256(key.secret, delimited(parts)));
}

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
  const Key& key = keys_.signing();
  std::string hash;
  if (options_.format == Format::Strong) {
    hash = strong_hash(key, "SRS0", {day_text(day_of(now_unix)), sender.domain, sender.local_part})
               .substr(0, options_.strong_hash_length);
  } else {
    hash = base64(hmac_sha1(key.secret, fold(stamp + sender.domain + sender.local_part)))
               .substr(0, options_.classic_hash_length);
  }
  return {"SRS0" + std::string(1, options_.separator) + hash + '=' + stamp + '=' + sender.domain +
              '=' + sender.local_part,
          domain_};
}

Address Rewriter::wrapped_again(std::string_view host, std::string_view rest,
                                std::int64_t now_unix) const {
  const Key& key = keys_.signing();
  std::string hash;
  if (options_.format == Format::Strong) {
    // The stamp is appended to the hash, which all other forwarders treat as opaque: so our SRS1
    // expires, and others can still wrap it again.
    const std::string stamp = fold(stamp_of(now_unix));
    hash = strong_hash(key, "SRS1", {day_text(day_of(now_unix)), host, rest})
               .substr(0, options_.strong_hash_length) +
           stamp;
  } else {
    hash = base64(hmac_sha1(key.secret, fold(std::string(host) + std::string(rest))))
               .substr(0, options_.classic_hash_length);
  }
  return {"SRS1" + std::string(1, options_.separator) + hash + '=' + std::string(host) + '=' +
              std::string(rest),
          domain_};
}

Rewriter::Token Rewriter::make_token(const Address& sender, std::int64_t now_unix) const {
  const Key& key = keys_.signing();
  const std::string stamp = fold(stamp_of(now_unix));
  const std::string digest =
      base32_lower(hmac_sha256(key.secret, delimited({kContext, "token", stamp, sender.domain,
                                                      sender.local_part})))
          .substr(0, kTokenLength);
  const std::string tag = strong_hash(key, "SRST", {day_text(day_of(now_unix)), digest})
                              .substr(0, options_.strong_hash_length);
  return {{"srst=" + tag + '=' + stamp + '=' + digest, domain_}, stamp + digest};
}

Address Rewriter::make_message_address(std::string_view id, std::int64_t now_unix) const {
  const std::string folded = fold(id);
  const std::string tag = strong_hash(keys_.signing(), "SRSM", {day_text(day_of(now_unix)), folded})
                              .substr(0, std::min(options_.strong_hash_length, kMessageTag));
  return {"srsm=" + tag + '=' + fold(stamp_of(now_unix)) + '=' + folded, domain_};
}

std::string Rewriter::digest(const Address& address) const {
  const std::string folded = fold(to_string(address));
  return base32_lower(hmac_sha256(keys_.signing().secret, delimited({kContext, "log", folded})))
      .substr(0, kTokenLength);
}

}  // namespace srs
