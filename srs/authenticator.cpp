#include "srs/authenticator.hpp"

#include <algorithm>
#include <utility>

#include "srs/address.hpp"
#include "srs/text.hpp"

namespace srs {

namespace {

constexpr std::string_view kContext = "srs-relay/1";  // separates our MACs from those of others
constexpr std::size_t kDigestLength = 16;             // base32 characters: 80 bits
constexpr std::size_t kMaxHash = 64;
constexpr std::size_t kStrongMin = 8;    // 40 bits
constexpr std::size_t kFoldedMin = 6;    // shorter classic hashes that match without case are weak
constexpr std::size_t kForeignHash = 4;  // hexadecimal digits
constexpr std::size_t kBase64Length = 27;
constexpr std::size_t kStampLength = 2;

/// True for SRS0 and SRS1, which other programs make, too; the other kinds are only ours.
bool is_of_the_family(std::string_view kind) { return kind == "SRS0" || kind == "SRS1"; }

std::string standard_alphabet(std::string_view hash) {
  std::string standard(hash);
  std::ranges::replace(standard, '-', '+');
  std::ranges::replace(standard, '_', '/');
  return standard;
}

std::string joined(const std::vector<std::string_view>& fields) {
  std::string all;
  for (const auto field : fields) all += field;
  return all;
}

Family family_of(Scheme scheme) {
  if (scheme == Scheme::Exim) return Family::Exim;
  if (scheme == Scheme::SrsJs) return Family::SrsJs;
  return Family::SenderRewritingScheme;
}

/// The hash another program would have made; "" when it makes none of that kind.
std::string foreign_hash(const Key& key, std::string_view kind,
                         const std::vector<std::string_view>& fields) {
  if (key.scheme == Scheme::Exim) {
    if (kind != "SRS0") return {};  // Exim makes only SRS0; its hash does not cover the stamp
    const std::string address = to_string({std::string(fields[2]), std::string(fields[1])});
    return hexadecimal(hmac_md5(key.secret, fold(address)));
  }
  const std::string text = joined(fields);
  return hexadecimal(key.scheme == Scheme::SrsJs ? hmac_sha1(key.secret, text)
                                                 : hmac_sha256(key.secret, text));
}

bool is_usable(const Key& key, std::int64_t now_unix) {
  return !key.verify_until || now_unix <= *key.verify_until;
}

}  // namespace

Authenticator::Authenticator(KeyRing keys, std::string_view domain, const Options& options)
    : keys_(std::move(keys)),
      folded_domain_(fold(domain)),
      format_(options.format),
      classic_hash_length_(options.classic_hash_length),
      classic_hash_min_(options.classic_hash_min) {}

std::string Authenticator::strong_hash(const Key& key, std::string_view kind,
                                       const std::vector<std::string_view>& fields) const {
  std::vector<std::string> folded;
  folded.reserve(fields.size());
  for (const auto field : fields) folded.push_back(fold(field));
  std::vector<std::string_view> parts = {kContext, kind, key.id, folded_domain_};
  parts.insert(parts.end(), folded.begin(), folded.end());
  return base32_lower(hmac_sha256(key.secret, delimited(parts)));
}

std::string Authenticator::strong_hash(std::string_view kind,
                                       const std::vector<std::string_view>& fields,
                                       std::int64_t now_unix) const {
  const std::string day = day_text(day_of(now_unix));
  std::vector<std::string_view> dated = {day};
  dated.insert(dated.end(), fields.begin(), fields.end());
  return strong_hash(keys_.signing(), kind, dated);
}

std::string Authenticator::classic_hash(std::string_view text) const {
  return base64(hmac_sha1(keys_.signing().secret, fold(text))).substr(0, classic_hash_length_);
}

std::string Authenticator::digest(std::string_view purpose,
                                  std::vector<std::string_view> fields) const {
  fields.insert(fields.begin(), {kContext, purpose});
  return base32_lower(hmac_sha256(keys_.signing().secret, delimited(fields)))
      .substr(0, kDigestLength);
}

std::optional<Verified> Authenticator::match_strong(const Key& key, const Claim& claim) const {
  // A strong SRS1 carries its stamp at the end of the hash.
  const bool stamped = claim.kind == "SRS1";
  const std::size_t tail = stamped ? kStampLength : 0;
  const std::string_view hash = claim.hash;
  if (hash.size() < kStrongMin + tail || hash.size() > kMaxHash) return std::nullopt;
  const std::string tag = fold(hash.substr(0, hash.size() - tail));
  const std::string stamp(stamped ? hash.substr(hash.size() - tail) : claim.fields.front());
  std::vector<std::string_view> fields = claim.fields;
  if (!stamped) fields.erase(fields.begin());
  const std::string day = day_text(day_of_stamp(stamp, claim.now_unix));
  fields.insert(fields.begin(), day);
  const std::string expected = strong_hash(key, claim.kind, fields).substr(0, tag.size());
  if (!equal_in_constant_time(tag, expected)) return std::nullopt;
  return Verified{Family::Strong, key.id, false, stamp};
}

bool Authenticator::takes_classic(const Key& key, std::int64_t now_unix) const {
  return format_ == Format::Classic || now_unix <= key.classic_until;
}

std::optional<Verified> Authenticator::match_classic(const Key& key, const Claim& claim) const {
  const bool allowed = takes_classic(key, claim.now_unix) && is_of_the_family(claim.kind) &&
                       claim.hash.size() >= classic_hash_min_ && claim.hash.size() <= kBase64Length;
  if (!allowed) return std::nullopt;
  const std::string hash = standard_alphabet(claim.hash);
  const std::string expected =
      base64(hmac_sha1(key.secret, fold(joined(claim.fields)))).substr(0, hash.size());
  const bool exact = equal_in_constant_time(hash, expected);
  if (!equal_in_constant_time(fold(hash), fold(expected))) return std::nullopt;
  const bool stamped = claim.kind == "SRS0";
  return Verified{Family::Classic, key.id, !exact && hash.size() < kFoldedMin,
                  stamped ? std::string(claim.fields.front()) : std::string()};
}

std::optional<Verified> Authenticator::match(const Key& key, const Claim& claim) const {
  if (key.scheme == Scheme::Native) {
    auto strong = match_strong(key, claim);
    auto classic = match_classic(key, claim);
    return strong ? strong : classic;
  }
  const std::string expected = foreign_hash(key, claim.kind, claim.fields);
  if (!is_of_the_family(claim.kind) || expected.empty() || claim.hash.size() != kForeignHash ||
      !equal_in_constant_time(fold(claim.hash), expected.substr(0, kForeignHash))) {
    return std::nullopt;
  }
  return Verified{family_of(key.scheme), key.id, true,
                  claim.kind == "SRS0" ? std::string(claim.fields.front()) : std::string()};
}

std::optional<Verified> Authenticator::verify(const Claim& claim) const {
  std::optional<Verified> found;
  for (const Key& key : keys_.all()) {
    auto matched = match(key, claim);
    if (matched && is_usable(key, claim.now_unix) && !found) found = std::move(matched);
  }
  return found;
}

bool Authenticator::takes_short_hashes(std::int64_t now_unix) const {
  return std::ranges::any_of(keys_.all(), [&](const Key& key) {
    return is_usable(key, now_unix) &&
           (key.scheme != Scheme::Native || takes_classic(key, now_unix));
  });
}

}  // namespace srs
