// What XCLIENT and XFORWARD say of a client: Postfix, XCLIENT_README and XFORWARD_README. The
// grammar only; whether who says it is believed is not asked here.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace relay::smtp {

/// What EHLO names behind the keywords: the attributes that are taken.
inline constexpr std::string_view kXclientAttributes =
    "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";
inline constexpr std::string_view kXforwardAttributes = "NAME ADDR PORT PROTO HELO IDENT SOURCE";

/// Those that matter to us. nullopt: not said. "": said to be unknown ("[UNAVAILABLE]",
/// "[TEMPUNAVAIL]"), or empty.
struct ClientAttributes {
  std::optional<std::string> address;   ///< ADDR without "IPV6:", not yet read as an address
  std::optional<std::string> port;      ///< PORT
  std::optional<std::string> protocol;  ///< PROTO, in upper case: "SMTP" or "ESMTP"
  std::optional<std::string> helo;      ///< HELO, printable ASCII as smtp::Hello has it
  std::optional<std::string> source;    ///< SOURCE, in upper case: "LOCAL" or "REMOTE"
};

/// Of which command the attributes are.
enum class NamedBy { Xclient, Xforward };

/// Reads what follows the verb. The error is a sentence for a 501: an attribute that EHLO does not
/// name or that is given twice, a value that is no xtext (RFC 3461 §4), longer than 255 octets or
/// with control octets in it, nothing at all.
std::expected<ClientAttributes, std::string_view> parse_client_attributes(
    NamedBy command, std::string_view argument);

/// RFC 3461 §4. nullopt: not xtext.
std::optional<std::string> decode_xtext(std::string_view text);

}  // namespace relay::smtp
