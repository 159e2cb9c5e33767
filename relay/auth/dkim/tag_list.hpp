// Tag lists (RFC 6376 §3.2): the form of signature fields, of key records and of ARC fields.
// Knows no tag by name.
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

/// Views into the list it was found in.
struct Tag {
  std::string_view name;   ///< with its case
  std::string_view value;  ///< without white space at its ends; folding inside is left
};

enum class TagError : std::uint8_t {
  Empty,      ///< no tag at all
  BadName,    ///< no name, or one that is no tag-name
  NoEquals,   ///< a name without "="
  BadValue,   ///< an octet that may not be in a value, or a line end that folds nothing
  Duplicate,  ///< a name twice: the whole list is void
  TooMany,    ///< over kMaxTags
};

std::string_view describe(TagError error);

/// What a ";" with nothing before it is: the grammar has none but the one at the end.
enum class EmptyTags : std::uint8_t { Refused, PassedOver };

/// The tags in their order. Octets above 127 are taken in values (RFC 8616 §5). A single CRLF at
/// the end of `text`, that of a header field, does not count.
std::expected<std::vector<Tag>, TagError> parse_tag_list(std::string_view text,
                                                         EmptyTags empty = EmptyTags::Refused);

/// The value of the tag called `name`, with its case; nullopt when it is absent (an empty value is
/// not).
std::optional<std::string_view> find_tag(const std::vector<Tag>& tags, std::string_view name);

/// Without spaces, tabs, CR and LF.
std::string without_spaces(std::string_view text);

/// The parts between `separator`, each without white space at its ends. Never empty.
std::vector<std::string_view> split_value(std::string_view value, char separator);

}  // namespace relay::auth::dkim
