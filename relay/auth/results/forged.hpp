// Removes Authentication-Results fields that pretend to be ours (RFC 8601 §5; guarantee "Results in
// our name are ours"). Nothing else is ever removed from a message, except by the opt-in rewriting
// of its author.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace relay::auth::results {

/// Whether an Authentication-Results field with this value could be taken for one of the host
/// `authserv_id`:
///   - its authserv-id is that name: in any case, quoted, after comments, folded, with a version,
///     with a dot at its end, or with U-labels; or
///   - its authserv-id is not valid by RFC 8601 §2.2, and the name occurs anywhere in the value,
///     after white space, quotes, backslashes, parentheses and control octets are removed, with or
///     without the text of comments: a careless parser could find it there.
bool claims_to_be(std::string_view authserv_id, std::string_view value);

/// The header block without those fields, and without lines that are no valid field but begin with
/// "Authentication-Results" and contain our name; all other octets are unchanged. `removed`, if not
/// null, is set to the number of removed fields and lines.
std::string without_forged(std::string_view header_block, std::string_view authserv_id,
                           std::size_t* removed = nullptr);

}  // namespace relay::auth::results
