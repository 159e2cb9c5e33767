// The attributes of a client in XCLIENT and XFORWARD (Postfix: XCLIENT_README and XFORWARD_README).
// Grammar only; whether the sender of the command is trusted is decided elsewhere.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace relay::smtp {

/// The attributes we accept; EHLO names them after the keywords.
inline constexpr std::string_view kXclientAttributes =
    "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";
inline constexpr std::string_view kXforwardAttributes = "NAME ADDR PORT PROTO HELO IDENT SOURCE";

/// The attributes we use. nullopt: not given. "": given as unknown ("[UNAVAILABLE]",
/// "[TEMPUNAVAIL]"), or empty.
struct ClientAttributes {
  std::optional<std::string> address;   ///< ADDR without "IPV6:", not checked to be an address
  std::optional<std::string> port;      ///< PORT
  std::optional<std::string> protocol;  ///< PROTO, in upper case: "SMTP" or "ESMTP"
  std::optional<std::string> helo;      ///< HELO in printable ASCII, like smtp::Hello
  std::optional<std::string> source;    ///< SOURCE, in upper case: "LOCAL" or "REMOTE"
};

/// The command that the attributes come from.
enum class NamedBy { Xclient, Xforward };

/// Parses what follows the verb. The error is a sentence for a 501: an attribute that EHLO does not
/// name or that is given twice; a value that is not xtext (RFC 3461 §4), is longer than 255 octets
/// or contains control octets; no attribute at all.
std::expected<ClientAttributes, std::string_view> parse_client_attributes(
    NamedBy command, std::string_view argument);

/// Decodes xtext (RFC 3461 §4). nullopt: not xtext.
std::optional<std::string> decode_xtext(std::string_view text);

}  // namespace relay::smtp
