// ASCII text without locale: every protocol here folds A-Z only.
#pragma once

#include <string>
#include <string_view>

namespace relay::base {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr bool is_alpha(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

/// An octet of 128 or more: in UTF-8, a part of a character that is not ASCII.
constexpr bool is_eight_bit(char c) { return static_cast<unsigned char>(c) >= 0x80; }

/// CTL of RFC 5234: the first 32 octets, and DEL.
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

/// WSP of RFC 5234: SP or HTAB. Without a branch, because it is asked for each octet of a body.
constexpr bool is_wsp(char c) { return (c == ' ') | (c == '\t'); }

/// WSP, or an octet of the CRLF that folds a line.
constexpr bool is_white(char c) { return is_wsp(c) || c == '\r' || c == '\n'; }

std::string lower(std::string_view text);

/// No octet of it is_eight_bit().
bool is_ascii(std::string_view text);

/// The text without octets of `blanks` at its ends.
std::string_view trimmed(std::string_view text, std::string_view blanks = " \t");

bool equal_ignoring_case(std::string_view a, std::string_view b);

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);

/// Appends `text` as a JSON string, quotes included. Untrusted text is safe here: control octets,
/// DEL, U+0080-009F, bidirectional controls and ill-formed UTF-8 are written as \u escapes, so one
/// event is always one line; text over `limit` octets ends in "…".
void append_json_string(std::string& out, std::string_view text, std::size_t limit = 512);

/// Appends `text` for a terminal: what append_json_string() would escape as untrusted is written as
/// \x1b or \u202e, so that the terminal obeys no control sequence in it. With `lines`, line ends
/// and tabs are kept, CRLF as LF.
void append_printable(std::string& out, std::string_view text, bool lines = false);
std::string printable(std::string_view text, bool lines = false);

/// How many octets at the end of `text` begin an incomplete UTF-8 character: 0 to 3.
std::size_t incomplete_utf8(std::string_view text);

}  // namespace relay::base
