#include "relay/auth/dmarc/record.hpp"

#include <algorithm>
#include <array>

#include "relay/base/text.hpp"

namespace relay::auth::dmarc {

namespace {

using mail::DmarcPolicy;

struct Tag {
  std::string_view name;  ///< empty: not a tag
  std::string_view value;
};

/// Removes the next tag, up to ";", from `text` and returns it.
Tag next_tag(std::string_view& text) {
  const std::size_t end = std::min(text.find(';'), text.size());
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  const std::size_t equals = piece.find('=');
  if (equals == std::string_view::npos) return {};
  const Tag tag{base::trimmed(piece.substr(0, equals)), base::trimmed(piece.substr(equals + 1))};
  const bool printable =
      std::ranges::all_of(tag.value, [](char c) { return c >= ' ' && c <= '~'; });
  const bool named = std::ranges::all_of(tag.name, base::is_alpha);
  return printable && named && !tag.value.empty() ? tag : Tag{tag.name, {}};
}

enum Known : std::uint8_t { kP, kSp, kNp, kAdkim, kAspf, kPsd, kT, kPct, kRua, kRuf, kFo };

constexpr std::array<std::string_view, 11> kNames{"p", "sp",  "np",  "adkim", "aspf", "psd",
                                                  "t", "pct", "rua", "ruf",   "fo"};

/// The value of a known tag.
struct Slot {
  std::string_view value;
  bool present = false;
};

using Slots = std::array<Slot, kNames.size()>;

Slots read_tags(std::string_view text) {
  Slots slots{};
  while (!text.empty()) {
    const Tag tag = next_tag(text);
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      if (!base::equal_ignoring_case(kNames.at(i), tag.name)) continue;
      Slot& slot = slots.at(i);
      // A repeated tag is ambiguous and is treated as malformed.
      slot.value = slot.present ? std::string_view() : tag.value;
      slot.present = true;
    }
  }
  return slots;
}

template <class T>
struct Word {
  std::string_view text;
  T meaning;
};

/// Values are words that ignore case (RFC 5234 §2.3).
template <class T, std::size_t N>
std::optional<T> one_of(const Slot& slot, const std::array<Word<T>, N>& words) {
  const auto word = std::ranges::find_if(words, [&](const Word<T>& known) {
    return base::equal_ignoring_case(known.text, slot.value);
  });
  if (word == words.end()) return std::nullopt;
  return word->meaning;
}

constexpr std::array<Word<DmarcPolicy>, 3> kPolicies{{{"none", DmarcPolicy::None},
                                                      {"quarantine", DmarcPolicy::Quarantine},
                                                      {"reject", DmarcPolicy::Reject}}};
constexpr std::array<Word<AlignmentMode>, 2> kModes{
    {{"r", AlignmentMode::Relaxed}, {"s", AlignmentMode::Strict}}};
constexpr std::array<Word<PublicSuffix>, 3> kSuffixes{
    {{"y", PublicSuffix::Yes}, {"n", PublicSuffix::No}, {"u", PublicSuffix::Unsaid}}};

/// The octets of RFC 3986, except "," and "!", which must be encoded here (RFC 9989 §4.8).
bool is_uri_octet(char c) {
  constexpr std::string_view kOthers = "-._~:/?#[]@$&'()*+=%";
  return base::is_alpha(c) || base::is_digit(c) || kOthers.find(c) != std::string_view::npos;
}

bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return false;
  const std::string_view scheme = text.substr(0, colon);
  if (scheme.empty() || !base::is_alpha(scheme.front())) return false;
  const bool named = std::ranges::all_of(scheme, [](char c) {
    return base::is_alpha(c) || base::is_digit(c) || c == '+' || c == '-' || c == '.';
  });
  return named && std::ranges::all_of(text, is_uri_octet);
}

/// The well-formed URIs of a list, without the obsolete size limits ("!10m").
std::vector<std::string> read_uris(std::string_view list) {
  std::vector<std::string> uris;
  while (!list.empty() && uris.size() < kMaxReportUris) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view uri = base::trimmed(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    uri = base::trimmed(uri.substr(0, uri.find('!')));
    if (is_uri(uri)) uris.emplace_back(uri);
  }
  return uris;
}

/// 0, 1, d and s, each at most once, and not both 0 and 1 (RFC 9989 §4.7).
bool is_failure_options(std::string_view value) {
  std::string seen;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = base::lower(value[i]);
    if (i % 2 == 1 ? c != ':' : std::string_view("01ds").find(c) == std::string_view::npos) {
      return false;
    }
    if (i % 2 == 1) continue;
    if (seen.find(c) != std::string::npos) return false;
    seen += c;
  }
  const bool both = seen.find('0') != std::string::npos && seen.find('1') != std::string::npos;
  return value.size() % 2 == 1 && !both;
}

}  // namespace

std::optional<Record> parse_record(std::string_view text) {
  if (text.empty() || base::lower(text.front()) != 'v') return std::nullopt;
  const Tag version = next_tag(text);
  if (!base::equal_ignoring_case(version.name, "v") || version.value != "DMARC1") {
    return std::nullopt;
  }
  const Slots slots = read_tags(text);
  const auto policy = one_of(slots[kP], kPolicies);
  Record record;
  record.subdomain_policy = one_of(slots[kSp], kPolicies);
  record.non_existent_policy = one_of(slots[kNp], kPolicies);
  record.dkim_mode = one_of(slots[kAdkim], kModes).value_or(AlignmentMode::Relaxed);
  record.spf_mode = one_of(slots[kAspf], kModes).value_or(AlignmentMode::Relaxed);
  record.public_suffix = one_of(slots[kPsd], kSuffixes).value_or(PublicSuffix::Unsaid);
  record.testing = base::equal_ignoring_case(slots[kT].value, "y");
  record.is_for_none = slots[kPct].value == "0";
  record.aggregate_reports = read_uris(slots[kRua].value);
  record.failure_reports = read_uris(slots[kRuf].value);
  if (is_failure_options(slots[kFo].value)) record.failure_options = base::lower(slots[kFo].value);

  const bool sound = policy && record.subdomain_policy.has_value() == slots[kSp].present &&
                     record.non_existent_policy.has_value() == slots[kNp].present;
  if (sound) {
    record.policy = *policy;
    return record;
  }
  // Treat as p=none if there is an address to report to, else as no record (RFC 9989 §4.10.1).
  record.subdomain_policy.reset();
  record.non_existent_policy.reset();
  record.applies = !record.aggregate_reports.empty();
  return record;
}

std::optional<Record> select_record(const std::vector<std::string>& texts) {
  std::optional<Record> found;
  for (const std::string& text : texts) {
    auto record = parse_record(text);
    if (!record) continue;
    if (found) return std::nullopt;
    found = std::move(record);
  }
  return found;
}

}  // namespace relay::auth::dmarc
