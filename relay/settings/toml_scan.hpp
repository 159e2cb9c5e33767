// Finds text that the TOML parser must not see. For characters that are not ASCII the parser reads
// tables that lack entries for some of them, which is undefined behaviour. It reads these tables
// outside of strings and comments, and in a string behind a backslash.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "relay/base/source_place.hpp"

namespace relay::settings {

struct Unreadable {
  std::size_t offset = 0;   ///< octets from the beginning of the text
  std::string_view reason;  ///< what is wrong there
};

/// The first such place. What is no TOML in another way is left to the parser.
std::optional<Unreadable> find_unreadable(std::string_view text);

/// True for the second and further octets of a character in UTF-8.
bool continues_character(char octet);

/// Line and column of an octet, both from 1; columns are characters of UTF-8.
base::SourcePosition position_in(std::string_view text, std::size_t offset,
                                 const std::string& file);

}  // namespace relay::settings
