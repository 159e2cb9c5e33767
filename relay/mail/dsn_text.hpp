// Makes untrusted text fit for a DSN: one line, 7-bit, bounded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace relay::mail {

/// Printable ASCII on one line: LF and tabs become spaces, CRLF is removed, all else becomes "?";
/// text beyond `limit` octets is replaced by "...".
std::string plain_line(std::string_view text, std::size_t limit);

/// An address in 7 bits: unchanged when it is ASCII, else in the form utf-8-addr-xtext (RFC 6533
/// §3), where "ü" is "\x{FC}". Only an encoded address with very many "+", "=" or "\" is cut.
std::string seven_bit_address(std::string_view address);

/// seven_bit_address() with its type in front, as in delivery status fields: "rfc822;" or "utf-8;".
std::string typed_address(std::string_view address);

/// Breaks the text at spaces into lines of at most 76 octets (a longer word has a line of its own);
/// every line but the first begins with `indent`, and the first has `column` octets already. Spaces
/// at both ends are dropped and several count as one, so no line consists of spaces only (RFC 5322
/// §3.2.2 forbids that in a field).
std::string wrapped(std::string_view text, std::string_view indent, std::size_t column = 0);

}  // namespace relay::mail
