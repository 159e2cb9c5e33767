// Takes Authentication-Results fields away that pretend to be ours (RFC 8601 §5): the only thing we
// ever remove from a message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace relay::auth::results {

/// True when a field called Authentication-Results with this value could be taken for one of the
/// host `authserv_id`:
///   - its authserv-id is that name: in any case, in quotes, behind comments, folded, with a
///     version, a dot at its end, or written with U-labels; or
///   - its authserv-id cannot be read as RFC 8601 §2.2 has it, and the name stands anywhere in the
///     value once white space, quotes, backslashes, brackets of comments and control octets are
///     left out, with or without what the comments say. Who reads sloppily could find it there.
bool claims_to_be(std::string_view authserv_id, std::string_view value);

/// A new header list without those fields, and without lines that are no field but begin with that
/// name and hold ours; all else octet by octet as it was. `removed`, when given, is their number.
std::string without_forged(std::string_view header_block, std::string_view authserv_id,
                           std::size_t* removed = nullptr);

}  // namespace relay::auth::results
