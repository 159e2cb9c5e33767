#include "relay/app/redaction.hpp"

#include "relay/base/text.hpp"
#include "relay/settings/log.hpp"

namespace relay::app {

namespace {

constexpr std::string_view kKeptField = R"("message_id":")";

bool ends_local_part(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet <= ' ' || octet == 0x7F ||
         std::string_view("<>,;:\"()[]{}\\").find(c) != std::string_view::npos;
}

bool is_domain_octet(char c) {
  return base::is_alpha(c) || base::is_digit(c) || c == '.' || c == '-' || c == '_' ||
         base::is_eight_bit(c);
}

/// Where the local part before the "@" at `at` begins; not before `from`. The text is JSON, so the
/// quotes of a quoted local part are escaped.
std::size_t local_part_begin(std::string_view line, std::size_t from, std::size_t at) {
  if (at >= from + 2 && line.substr(at - 2, 2) == "\\\"") {
    std::size_t open = line.substr(0, at - 2).rfind("\\\"");
    // A quote inside the local part is escaped by the address and again by JSON.
    while (open != std::string_view::npos && open >= 2 && line.substr(open - 2, 2) == "\\\\") {
      open = line.substr(0, open - 2).rfind("\\\"");
    }
    if (open != std::string_view::npos && open >= from) return open;
  }
  std::size_t begin = at;
  while (begin > from && !ends_local_part(line[begin - 1])) --begin;
  return begin;
}

std::size_t domain_end(std::string_view line, std::size_t begin) {
  if (begin < line.size() && line[begin] == '[') {
    const std::size_t close = line.find(']', begin);
    return close == std::string_view::npos ? begin : close + 1;
  }
  std::size_t end = begin;
  while (end < line.size() && is_domain_octet(line[end])) ++end;
  return end;
}

std::string_view kept_field(std::string_view line) {
  const std::size_t at = line.find(kKeptField);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + kKeptField.size();
  std::size_t end = begin;
  while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2 : 1;
  return line.substr(begin, end - begin);
}

/// Takes the last word from every text that was cut for its length, unless there is an '@' in it:
/// it may be the beginning of a local part.
std::string without_cut_words(std::string_view line) {
  constexpr std::string_view kCutEnd = "…\"";
  std::string out;
  std::size_t done = 0;
  for (std::size_t at = line.find(kCutEnd); at != std::string_view::npos;
       at = line.find(kCutEnd, at + 1)) {
    std::size_t begin = at;
    while (begin > done && !ends_local_part(line[begin - 1])) --begin;
    const bool has_domain = line.substr(begin, at - begin).find('@') != std::string_view::npos;
    out += line.substr(done, (has_domain ? at : begin) - done);
    done = at;
  }
  out += line.substr(done);
  return out;
}

}  // namespace

Redaction::Redaction() : Redaction(settings::LogRedact::None, {}) {}

Redaction::Redaction(settings::LogRedact mode, Digest digest)
    : mode_(mode), digest_(std::move(digest)) {}

bool Redaction::active() const { return mode_ != settings::LogRedact::None; }

std::string Redaction::shown(std::string_view local_part, std::string_view domain) const {
  if (mode_ == settings::LogRedact::Hash) {
    return '#' + digest_(base::lower(std::string(local_part) + '@' + std::string(domain)));
  }
  return "…@" + std::string(domain);
}

std::string Redaction::redacted(std::string_view whole) const {
  if (!active()) return std::string(whole);
  const std::string without_cuts = without_cut_words(whole);
  const std::string_view line = without_cuts;
  const std::string_view kept = kept_field(line);
  const auto is_kept = [&](std::size_t at) {
    return !kept.empty() && line.data() + at >= kept.data() &&
           line.data() + at < kept.data() + kept.size();
  };
  std::string out;
  std::size_t done = 0;
  for (std::size_t at = line.find('@'); at != std::string_view::npos; at = line.find('@', at + 1)) {
    if (at < done || is_kept(at)) continue;
    const std::size_t begin = local_part_begin(line, done, at);
    const std::size_t end = domain_end(line, at + 1);
    if (begin == at || end == at + 1) continue;
    out += line.substr(done, begin - done);
    out += shown(line.substr(begin, at - begin), line.substr(at + 1, end - at - 1));
    done = end;
  }
  out += line.substr(done);
  return out;
}

}  // namespace relay::app
