// Parses tag lists (RFC 6376 §3.2), the form of signature fields, key records and ARC fields.
// Independent of the meaning of tags.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relay::auth::dkim {

inline constexpr std::size_t kMaxTags = 100;

/// Views into the parsed list.
struct Tag {
  std::string_view name;   ///< case kept
  std::string_view value;  ///< without white space at its ends; inner folding is kept
};

enum class TagError : std::uint8_t {
  Empty,      ///< no tag at all
  BadName,    ///< the name is empty, or not a tag-name
  NoEquals,   ///< a name without "="
  BadValue,   ///< an octet not allowed in values, or a line end that is no folding
  Duplicate,  ///< the same name twice, which invalidates the whole list
  TooMany,    ///< over kMaxTags
};

std::string_view describe(TagError error);

/// How to treat an empty tag, as in ";;". The grammar allows an empty one only at the end.
enum class EmptyTags : std::uint8_t { Refused, PassedOver };

/// The tags in their order. Octets above 127 are accepted in values (RFC 8616 §5). One CRLF at the
/// end of `text`, as at the end of a header field, is ignored.
std::expected<std::vector<Tag>, TagError> parse_tag_list(std::string_view text,
                                                         EmptyTags empty = EmptyTags::Refused);

/// The value of the tag `name` (case-sensitive), which may be empty; nullopt when the tag is
/// absent.
std::optional<std::string_view> find_tag(const std::vector<Tag>& tags, std::string_view name);

/// `text` without spaces, tabs, CR and LF.
std::string without_spaces(std::string_view text);

/// The parts between separators, without white space at their ends; at least one part.
std::vector<std::string_view> split_value(std::string_view value, char separator);

}  // namespace relay::auth::dkim
