#include <algorithm>

#include "srs/srs.hpp"
#include "srs/text.hpp"

namespace srs {

namespace {

constexpr std::size_t kMaxHash = 64;
constexpr std::size_t kStrongMin = 8;  // 40 bits
constexpr std::size_t kFoldedMin = 6;  // shorter classic hashes without case are weak
constexpr std::size_t kBase64Length = 27;
constexpr int kWrap = 1024;   // days
constexpr int kMaxDepth = 2;  // an SRS1 of ours around an SRS0 of ours, and no more

struct Split {
  std::string_view head;
  std::string_view tail;
};

std::optional<Split> split(std::string_view text) {
  const std::size_t at = text.find('=');
  if (at == std::string_view::npos) return std::nullopt;
  return Split{text.substr(0, at), text.substr(at + 1)};
}

std::string standard_alphabet(std::string_view hash) {
  std::string standard(hash);
  std::ranges::replace(standard, '-', '+');
  std::ranges::replace(standard, '_', '/');
  return standard;
}

bool has_tag(std::string_view local, std::string_view tag) {
  return local.size() > tag.size() && fold(local.substr(0, tag.size())) == tag &&
         is_separator(local[tag.size()]);
}

}  // namespace

/// Tries every key whose time is not over, and always all of them, so that the time taken says
/// nothing (property 18). `fields` begins with the stamp where the kind has one.
std::optional<Rewriter::Verified> Rewriter::verify(std::string_view hash, std::string_view kind,
                                                   const std::vector<std::string_view>& fields,
                                                   std::int64_t now_unix) const {
  std::optional<Verified> found;
  std::string joined;
  for (const auto field : fields) joined += fold(field);
  const std::string strong_part = fold(hash);
  const std::string classic_part = standard_alphabet(hash);
  const std::string classic_folded = fold(classic_part);
  const bool classic_allowed = (options_.accept_classic || options_.format == Format::Classic) &&
                               kind != "SRST" && hash.size() >= options_.classic_hash_min &&
                               hash.size() <= kBase64Length;
  for (const Key& key : keys_.all()) {
    const bool usable = !key.verify_until || now_unix <= *key.verify_until;
    // Strong SRS1 carries its stamp behind the tag.
    const bool stamped = kind == "SRS1";
    const std::size_t tail = stamped ? 2 : 0;
    if (hash.size() >= kStrongMin + tail && hash.size() <= kMaxHash) {
      const std::string_view tag = std::string_view(strong_part).substr(0, hash.size() - tail);
      const std::string stamp = strong_part.substr(hash.size() - tail);
      std::vector<std::string_view> parts = fields;
      if (stamped) parts.insert(parts.begin(), stamp);
      const std::string expected = strong_hash(key, kind, parts).substr(0, tag.size());
      if (equal_in_constant_time(tag, expected) && usable && !found) {
        found =
            Verified{Family::Strong, key.id, false, stamped ? stamp : std::string(fields.front())};
      }
    }
    if (!classic_allowed) continue;
    const std::string expected = base64(hmac_sha1(key.secret, joined)).substr(0, hash.size());
    const bool exact = equal_in_constant_time(classic_part, expected);
    const bool folded = equal_in_constant_time(classic_folded, fold(expected));
    if (folded && usable && !found) {
      found = Verified{Family::Classic, key.id, !exact && hash.size() < kFoldedMin,
                       stamped ? std::string() : std::string(fields.front())};
    }
  }
  return found;
}

std::expected<int, ReverseError> Rewriter::checked_age(const Verified& verified,
                                                       std::int64_t now_unix) const {
  const auto age = age_of(verified.stamp, now_unix);
  if (!age) return std::unexpected(ReverseError::Malformed);
  if (*age <= options_.max_age_days) return *age;
  // Clocks differ by a day at most; the classic family takes no stamp of tomorrow (property 16).
  if (*age == kWrap - 1 && verified.family != Family::Classic) return -1;
  return std::unexpected(*age > kWrap / 2 ? ReverseError::Future : ReverseError::Expired);
}

std::expected<Reversed, ReverseError> Rewriter::reverse_srs0(std::string_view rest,
                                                             std::int64_t now_unix) const {
  const auto hash = split(rest);
  const auto stamp = hash ? split(hash->tail) : std::nullopt;
  const auto domain = stamp ? split(stamp->tail) : std::nullopt;
  if (!domain) return std::unexpected(ReverseError::Malformed);
  const std::string_view local = domain->tail;
  const auto verified = verify(hash->head, "SRS0", {stamp->head, domain->head, local}, now_unix);
  if (!verified) return std::unexpected(ReverseError::Forged);
  const auto age = checked_age(*verified, now_unix);
  if (!age) return std::unexpected(age.error());
  if (local.empty() || !is_dotted_name(domain->head)) {
    return std::unexpected(ReverseError::BadTarget);
  }
  return Reversed{.address = {std::string(local), std::string(domain->head)},
                  .family = verified->family,
                  .hop = 0,
                  .age_days = *age,
                  .key_id = verified->key_id,
                  .weak = verified->weak,
                  .token = {}};
}

std::expected<Reversed, ReverseError> Rewriter::reverse_srs1(std::string_view rest,
                                                             std::int64_t now_unix) const {
  const auto hash = split(rest);
  const auto host = hash ? split(hash->tail) : std::nullopt;
  if (!host) return std::unexpected(ReverseError::Malformed);
  const std::string_view inner = host->tail;
  const auto verified = verify(hash->head, "SRS1", {host->head, inner}, now_unix);
  if (!verified) return std::unexpected(ReverseError::Forged);
  int age_days = 0;
  if (verified->family == Family::Strong) {
    const auto age = checked_age(*verified, now_unix);
    if (!age) return std::unexpected(age.error());
    age_days = *age;
  }
  // Without its separator the rest would grow together with "SRS0" into a tag that is none.
  if (inner.size() < 2 || !is_separator(inner.front()) || !is_dotted_name(host->head)) {
    return std::unexpected(ReverseError::BadTarget);
  }
  return Reversed{.address = {"SRS0" + std::string(inner), std::string(host->head)},
                  .family = verified->family,
                  .hop = 1,
                  .age_days = age_days,
                  .key_id = verified->key_id,
                  .weak = verified->weak,
                  .token = {}};
}

std::expected<Reversed, ReverseError> Rewriter::reverse_token(std::string_view rest,
                                                              std::int64_t now_unix) const {
  const auto tag = split(rest);
  const auto stamp = tag ? split(tag->tail) : std::nullopt;
  if (!stamp) return std::unexpected(ReverseError::Malformed);
  const auto verified = verify(tag->head, "SRST", {stamp->head, stamp->tail}, now_unix);
  if (!verified) return std::unexpected(ReverseError::Forged);
  const auto age = checked_age(*verified, now_unix);
  if (!age) return std::unexpected(age.error());
  return Reversed{.address = {},
                  .family = Family::Token,
                  .hop = 0,
                  .age_days = *age,
                  .key_id = verified->key_id,
                  .weak = false,
                  .token = fold(stamp->head) + fold(stamp->tail)};
}

std::expected<Reversed, ReverseError> Rewriter::reverse_once(const Address& address,
                                                             std::int64_t now_unix) const {
  const std::string_view local = address.local_part;
  if (has_tag(local, "srs0")) return reverse_srs0(local.substr(5), now_unix);
  if (has_tag(local, "srs1")) return reverse_srs1(local.substr(5), now_unix);
  if (has_tag(local, "srst")) return reverse_token(local.substr(5), now_unix);
  return std::unexpected(ReverseError::NotSrs);
}

std::expected<Reversed, ReverseError> Rewriter::reverse(const Address& address,
                                                        std::int64_t now_unix) const {
  if (fold(address.domain) != fold(domain_)) {
    const bool srs = has_tag(address.local_part, "srs0") || has_tag(address.local_part, "srs1");
    return std::unexpected(srs ? ReverseError::NotOurs : ReverseError::NotSrs);
  }
  auto reversed = reverse_once(address, now_unix);
  for (int depth = 1; reversed && options_.unwrap_own; ++depth) {
    if (fold(reversed->address.domain) != fold(domain_)) break;
    if (depth == kMaxDepth) return std::unexpected(ReverseError::BadTarget);
    const int hop = reversed->hop;
    reversed = reverse_once(reversed->address, now_unix);
    if (reversed) reversed->hop = hop;
    // Inside, anything but one of our own live addresses leads nowhere.
    if (!reversed && reversed.error() == ReverseError::NotSrs) {
      return std::unexpected(ReverseError::BadTarget);
    }
  }
  return reversed;
}

Explanation Rewriter::explain(const Address& address, std::int64_t now_unix) const {
  Explanation out;
  const std::string_view local = address.local_part;
  out.is_srs = has_tag(local, "srs0") || has_tag(local, "srs1") || has_tag(local, "srst");
  out.hop = has_tag(local, "srs1") ? 1 : 0;
  const auto reversed = reverse(address, now_unix);
  if (!reversed) {
    out.verdict = out.is_srs ? "refused" : "not SRS";
    switch (reversed.error()) {
      case ReverseError::Forged:
        out.verdict = "forged";
        break;
      case ReverseError::Expired:
        out.verdict = "expired";
        break;
      case ReverseError::Future:
        out.verdict = "future";
        break;
      case ReverseError::Malformed:
        out.verdict = "malformed";
        break;
      case ReverseError::NotOurs:
        out.verdict = "foreign";
        break;
      default:
        break;
    }
    out.reason = describe(reversed.error());
    return out;
  }
  out.family = reversed->family;
  out.key_id = reversed->key_id;
  if (reversed->hop == 0 || reversed->family == Family::Strong) out.age_days = reversed->age_days;
  out.verdict = "valid";
  out.recovered = reversed->family == Family::Token ? "(stored under " + reversed->token + ")"
                                                    : to_string(reversed->address);
  out.reason = reversed->weak ? "matched a short hash only when case is ignored" : "hash matches";
  return out;
}

}  // namespace srs
