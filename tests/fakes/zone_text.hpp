// Names and texts as a zone file writes them (RFC 1035 §5.1), read for the fake resolvers. A reader
// of its own: where it and a name server differ, the contract tests of resolvers tell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace relay::fakes {

/// A name with \DDD and \X in it as a Resolver gives names: folded, no trailing dot; octets outside
/// visible ASCII, and a dot, backslash or quote inside a label, as \DDD. A blank may stand as it
/// is. Throws std::invalid_argument for an escape that is none.
std::string presentation_name(std::string_view zone_name);

/// The quoted strings of a TXT record, escapes read. Throws std::invalid_argument for other text.
std::vector<std::string> character_strings(std::string_view text);

}  // namespace relay::fakes
