// Untrusted text made fit for a DSN: one line, 7-bit, bounded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace relay::mail {

/// Printable ASCII on one line; line ends and tabs become spaces, everything else "?"; what is over
/// `limit` octets becomes "...".
std::string plain_line(std::string_view text, std::size_t limit);

/// An address in 7 bits: as it is when ASCII, else in the form utf-8-addr-xtext (RFC 6533 §3),
/// where "ü" is "\x{FC}". No address is cut.
std::string seven_bit_address(std::string_view address);

/// The same with its type, as the fields of a delivery status have it: "rfc822;" or "utf-8;".
std::string typed_address(std::string_view address);

/// Breaks at spaces into lines of at most 76 octets, each after the first begun with `indent`; the
/// first has `column` octets already. Several spaces count as one, and those at both ends as none:
/// no line consists of spaces (RFC 5322 §3.2.2 forbids that in a field).
std::string wrapped(std::string_view text, std::string_view indent, std::size_t column = 0);

}  // namespace relay::mail
