#include "relay/auth/dkim/tag_list.hpp"

#include <algorithm>

#include "relay/base/text.hpp"

namespace relay::auth::dkim {

namespace {

std::string_view trimmed(std::string_view text) { return base::trimmed(text, " \t\r\n"); }

/// ALPHA *ALNUMPUNC
bool is_tag_name(std::string_view text) {
  return !text.empty() && base::is_alpha(text.front()) && std::ranges::all_of(text, [](char c) {
    return base::is_alpha(c) || base::is_digit(c) || c == '_';
  });
}

/// Printable octets and white space; every line end is followed by white space (FWS).
bool is_tag_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r') {
      const bool folds = i + 2 < text.size() && text[i + 1] == '\n' && base::is_wsp(text[i + 2]);
      if (!folds) return false;
      i += 2;
      continue;
    }
    if (base::is_control(c) && c != '\t') return false;
  }
  return true;
}

std::expected<Tag, TagError> parse_tag(std::string_view spec) {
  const std::size_t equals = spec.find('=');
  if (equals == std::string_view::npos) {
    return std::unexpected(trimmed(spec).empty() ? TagError::BadName : TagError::NoEquals);
  }
  const Tag tag{trimmed(spec.substr(0, equals)), trimmed(spec.substr(equals + 1))};
  if (!is_tag_name(tag.name)) return std::unexpected(TagError::BadName);
  return tag;
}

}  // namespace

std::string_view describe(TagError error) {
  switch (error) {
    case TagError::Empty:
      return "empty tag list";
    case TagError::BadName:
      return "bad tag name";
    case TagError::NoEquals:
      return "tag without value";
    case TagError::BadValue:
      return "bad octet in tag list";
    case TagError::Duplicate:
      return "tag occurs twice";
    case TagError::TooMany:
      return "too many tags";
  }
  return "bad tag list";
}

std::expected<std::vector<Tag>, TagError> parse_tag_list(std::string_view text, EmptyTags empty) {
  if (text.ends_with("\r\n")) text.remove_suffix(2);
  if (!is_tag_text(text)) return std::unexpected(TagError::BadValue);
  if (trimmed(text).empty()) return std::unexpected(TagError::Empty);
  std::vector<Tag> tags;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view spec = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (empty == EmptyTags::PassedOver && trimmed(spec).empty()) continue;
    const auto tag = parse_tag(spec);
    if (!tag) return std::unexpected(tag.error());
    if (find_tag(tags, tag->name)) return std::unexpected(TagError::Duplicate);
    if (tags.size() == kMaxTags) return std::unexpected(TagError::TooMany);
    tags.push_back(*tag);
    if (trimmed(text).empty()) break;  // the list may end with one ";"
  }
  if (tags.empty()) return std::unexpected(TagError::Empty);
  return tags;
}

std::optional<std::string_view> find_tag(const std::vector<Tag>& tags, std::string_view name) {
  const auto found = std::ranges::find(tags, name, &Tag::name);
  if (found == tags.end()) return std::nullopt;
  return found->value;
}

std::string without_spaces(std::string_view text) {
  std::string dense;
  dense.reserve(text.size());
  for (const char* at = text.data(); at != text.data() + text.size();) {
    const char* const end = text.data() + text.size();
    const char* const word = std::find_if_not(at, end, base::is_white);
    at = std::find_if(word, end, base::is_white);
    dense.append(word, at);
  }
  return dense;
}

std::vector<std::string_view> split_value(std::string_view value, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = value.find(separator);
    parts.push_back(trimmed(value.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    value.remove_prefix(end + 1);
  }
}

}  // namespace relay::auth::dkim
