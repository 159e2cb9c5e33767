// The header section of a message as it is on the wire (RFC 5322 §2.2): found, never changed.
// Knows fields and the Message-ID; knows no addresses and no MIME.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relay::mail {

inline constexpr std::size_t kMaxHeaderOctets = 128UL * 1024;
inline constexpr std::size_t kMaxHeaderFields = 1000;

/// One field, as views into the block it was found in.
struct HeaderField {
  std::string_view name;   ///< before the colon, white space at its end removed (RFC 5322 §4.5)
  std::string_view value;  ///< behind the colon, folding and final CRLF included
  std::string_view raw;    ///< the whole field, final CRLF included
};

enum class HeaderError {
  TooLarge,       ///< over kMaxHeaderOctets
  TooManyFields,  ///< over kMaxHeaderFields
  Malformed,      ///< a line that is neither a field nor a continuation
};

std::string_view describe(HeaderError error);

/// Octets of the header block of `content`: up to and including the CRLF before the empty line.
/// nullopt: no empty line yet (a message may consist of a header alone).
std::optional<std::size_t> header_length(std::string_view content);

/// The fields of a header block, in order; an empty line ends it. Linear in its size.
/// The views live as long as the block.
std::expected<std::vector<HeaderField>, HeaderError> split_header(std::string_view block);

/// As split_header, but leaves out lines that are no field; for reading what has been accepted.
std::vector<HeaderField> readable_fields(std::string_view block);

/// What readable_fields leaves out.
std::vector<std::string_view> unreadable_lines(std::string_view block);

/// All fields called `name` (without case), topmost first.
std::vector<HeaderField> find_fields(const std::vector<HeaderField>& fields, std::string_view name);

/// Unfolds a value: CRLF before white space removed, white space at both ends removed (§2.2.3).
std::string unfolded(std::string_view value);

/// The Message-ID "<…@…>" of the block when there is exactly one and it is safe to repeat in a
/// header field (RFC 5322 §3.6.4 without obsolete forms, at most 250 octets); else "".
std::string message_id_of(std::string_view header_block);

}  // namespace relay::mail
