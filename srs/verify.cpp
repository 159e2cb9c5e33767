// Checks whether a hash is ours. Every key is always tried, so that the time taken reveals nothing.
#include <algorithm>

#include "srs/srs.hpp"
#include "srs/text.hpp"

namespace srs {

namespace {

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

}  // namespace

std::optional<Rewriter::Verified> Rewriter::match_strong(const Key& key,
                                                         const Question& question) const {
  // A strong SRS1 carries its stamp at the end of the hash.
  const bool stamped = question.kind == "SRS1";
  const std::size_t tail = stamped ? kStampLength : 0;
  const std::string_view hash = question.hash;
  if (hash.size() < kStrongMin + tail || hash.size() > kMaxHash) return std::nullopt;
  const std::string tag = fold(hash.substr(0, hash.size() - tail));
  const std::string stamp(stamped ? hash.substr(hash.size() - tail) : question.fields.front());
  std::vector<std::string_view> fields = question.fields;
  if (!stamped) fields.erase(fields.begin());
  const std::string day = day_text(day_of_stamp(stamp, question.now_unix));
  fields.insert(fields.begin(), day);
  const std::string expected = strong_hash(key, question.kind, fields).substr(0, tag.size());
  if (!equal_in_constant_time(tag, expected)) return std::nullopt;
  return Verified{Family::Strong, key.id, false, stamp};
}

bool Rewriter::takes_classic(const Key& key, std::int64_t now_unix) const {
  return options_.format == Format::Classic || now_unix <= key.classic_until;
}

std::optional<Rewriter::Verified> Rewriter::match_classic(const Key& key,
                                                          const Question& question) const {
  const bool allowed = takes_classic(key, question.now_unix) && is_of_the_family(question.kind) &&
                       question.hash.size() >= options_.classic_hash_min &&
                       question.hash.size() <= kBase64Length;
  if (!allowed) return std::nullopt;
  const std::string hash = standard_alphabet(question.hash);
  const std::string expected =
      base64(hmac_sha1(key.secret, fold(joined(question.fields)))).substr(0, hash.size());
  const bool exact = equal_in_constant_time(hash, expected);
  if (!equal_in_constant_time(fold(hash), fold(expected))) return std::nullopt;
  const bool stamped = question.kind == "SRS0";
  return Verified{Family::Classic, key.id, !exact && hash.size() < kFoldedMin,
                  stamped ? std::string(question.fields.front()) : std::string()};
}

std::optional<Rewriter::Verified> Rewriter::match(const Key& key, const Question& question) const {
  if (key.scheme == Scheme::Native) {
    auto strong = match_strong(key, question);
    auto classic = match_classic(key, question);
    return strong ? strong : classic;
  }
  const std::string expected = foreign_hash(key, question.kind, question.fields);
  if (!is_of_the_family(question.kind) || expected.empty() ||
      question.hash.size() != kForeignHash ||
      !equal_in_constant_time(fold(question.hash), expected.substr(0, kForeignHash))) {
    return std::nullopt;
  }
  return Verified{family_of(key.scheme), key.id, true,
                  question.kind == "SRS0" ? std::string(question.fields.front()) : std::string()};
}

std::optional<Rewriter::Verified> Rewriter::verify(const Question& question) const {
  std::optional<Verified> found;
  for (const Key& key : keys_.all()) {
    const bool usable = !key.verify_until || question.now_unix <= *key.verify_until;
    auto matched = match(key, question);
    if (matched && usable && !found) found = std::move(matched);
  }
  return found;
}

}  // namespace srs
