#include <algorithm>

#include "srs/srs.hpp"
#include "srs/text.hpp"

namespace srs {

namespace {

constexpr int kWrap = 1024;                // days
constexpr std::int64_t kHalfDay = 43'200;  // the npm libraries round to the nearest day
constexpr int kMaxDepth = 2;               // at most an SRS1 of ours around an SRS0 of ours

struct Split {
  std::string_view head;
  std::string_view tail;
};

std::optional<Split> split(std::string_view text) {
  const std::size_t at = text.find('=');
  if (at == std::string_view::npos) return std::nullopt;
  return Split{text.substr(0, at), text.substr(at + 1)};
}

/// What follows the tag and its separator.
std::optional<std::string_view> body_of(std::string_view local, std::string_view tag) {
  const auto rest = after_tag(local, tag);
  return rest ? std::optional(rest->substr(1)) : std::nullopt;
}

}  // namespace

std::expected<int, ReverseError> Rewriter::checked_age(const Verified& verified,
                                                       std::int64_t now_unix) const {
  const bool rounds =
      verified.family == Family::SrsJs || verified.family == Family::SenderRewritingScheme;
  const auto age = age_of(verified.stamp, now_unix + (rounds ? kHalfDay : 0));
  if (!age) return std::unexpected(ReverseError::Malformed);
  if (*age <= options_.max_age_days) return *age;
  // The strong family accepts a stamp of tomorrow, since clocks may differ by a day; the others do
  // not.
  const bool ours = verified.family == Family::Strong;
  if (*age == kWrap - 1 && ours) return -1;
  return std::unexpected(*age > kWrap / 2 ? ReverseError::Future : ReverseError::Expired);
}

std::expected<Reversed, ReverseError> Rewriter::reverse_srs0(std::string_view rest,
                                                             std::int64_t now_unix) const {
  const auto hash = split(rest);
  const auto stamp = hash ? split(hash->tail) : std::nullopt;
  const auto domain = stamp ? split(stamp->tail) : std::nullopt;
  if (!domain) return std::unexpected(ReverseError::Malformed);
  const std::string_view local = domain->tail;
  const auto verified =
      authenticator_.verify({"SRS0", hash->head, {stamp->head, domain->head, local}, now_unix});
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
  const auto verified = authenticator_.verify({"SRS1", hash->head, {host->head, inner}, now_unix});
  if (!verified) return std::unexpected(ReverseError::Forged);
  int age_days = 0;
  if (verified->family == Family::Strong) {
    const auto age = checked_age(*verified, now_unix);
    if (!age) return std::unexpected(age.error());
    age_days = *age;
  }
  // `inner` must begin with its separator: "SRS0" followed by anything else is no SRS tag.
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

/// Token and Message: a tag over a name from which no address can be recovered.
std::expected<Reversed, ReverseError> Rewriter::reverse_token(Family family, std::string_view rest,
                                                              std::int64_t now_unix) const {
  const auto tag = split(rest);
  const auto stamp = tag ? split(tag->tail) : std::nullopt;
  if (!stamp) return std::unexpected(ReverseError::Malformed);
  const bool is_token = family == Family::Token;
  const auto verified = authenticator_.verify(
      {is_token ? "SRST" : "SRSM", tag->head, {stamp->head, stamp->tail}, now_unix});
  if (!verified) return std::unexpected(ReverseError::Forged);
  const auto age = checked_age(*verified, now_unix);
  if (!age) return std::unexpected(age.error());
  return Reversed{.address = {},
                  .family = family,
                  .hop = 0,
                  .age_days = *age,
                  .key_id = verified->key_id,
                  .weak = false,
                  .token = (is_token ? fold(stamp->head) : "") + fold(stamp->tail)};
}

std::expected<Reversed, ReverseError> Rewriter::reverse_once(const Address& address,
                                                             std::int64_t now_unix) const {
  const std::string_view local = address.local_part;
  if (const auto rest = body_of(local, "srs0")) return reverse_srs0(*rest, now_unix);
  if (const auto rest = body_of(local, "srs1")) return reverse_srs1(*rest, now_unix);
  if (const auto rest = body_of(local, "srst")) {
    return reverse_token(Family::Token, *rest, now_unix);
  }
  if (const auto rest = body_of(local, "srsm")) {
    return reverse_token(Family::Message, *rest, now_unix);
  }
  return std::unexpected(ReverseError::NotSrs);
}

std::expected<Reversed, ReverseError> Rewriter::reverse(const Address& address,
                                                        std::int64_t now_unix) const {
  if (fold(address.domain) != fold(domain_)) {
    const bool srs = after_tag(address.local_part, "srs0") || after_tag(address.local_part, "srs1");
    return std::unexpected(srs ? ReverseError::NotOurs : ReverseError::NotSrs);
  }
  auto reversed = reverse_once(address, now_unix);
  for (int depth = 1; reversed && options_.unwrap_own; ++depth) {
    if (fold(reversed->address.domain) != fold(domain_)) break;
    if (depth == kMaxDepth) return std::unexpected(ReverseError::BadTarget);
    const int hop = reversed->hop;
    reversed = reverse_once(reversed->address, now_unix);
    if (reversed) reversed->hop = hop;
    // An address of our own SRS domain that is no SRS address leads nowhere.
    if (!reversed && reversed.error() == ReverseError::NotSrs) {
      return std::unexpected(ReverseError::BadTarget);
    }
  }
  return reversed;
}

bool Rewriter::is_guessable(const Address& address, std::int64_t now_unix) const {
  const std::string_view local = address.local_part;
  auto body = body_of(local, "srs0");
  if (!body) body = body_of(local, "srs1");
  const auto hash = body ? split(*body) : std::nullopt;
  if (!hash || hash->head.size() >= options_.strong_hash_length) return false;
  return authenticator_.takes_short_hashes(now_unix);
}

std::optional<std::string> Rewriter::classic_key_of(const Address& address,
                                                    std::int64_t now_unix) const {
  std::vector<Key> keys = authenticator_.keys().all();
  for (Key& key : keys) key.classic_until = Key::kAlways;
  Options options = options_;
  options.unwrap_own = false;
  const Rewriter lenient(KeyRing::unchecked(std::move(keys)), domain_, options);
  const auto reversed = lenient.reverse(address, now_unix);
  if (!reversed || reversed->family != Family::Classic) return std::nullopt;
  return reversed->key_id;
}

}  // namespace srs
