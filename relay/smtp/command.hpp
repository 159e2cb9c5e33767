// SMTP command lines as typed values (RFC 5321 §4.1). A Command that parsed is valid; what did not
// parse is the reply to give. Knows the grammar only: what is allowed when is ServerMachine's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "relay/mail/address.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/smtp/client_attributes.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::smtp {

/// A command line with CRLF. RFC 5321 asks for 512; the extensions and UTF-8 paths add to it.
inline constexpr std::size_t kMaxCommandOctets = 2048;

enum class Verb : std::uint8_t {
  Helo,
  Ehlo,
  Mail,
  Rcpt,
  Data,
  Rset,
  Noop,
  Quit,
  StartTls,
  Help,
  Xclient,
  Xforward,
  Vrfy,     ///< with an argument, of any form
  Bdat,     ///< recognised to be refused and the connection closed: its octets would follow
  Refused,  ///< EXPN, ETRN, AUTH, TURN and other known verbs: 502
  Unknown,
};

/// HELO or EHLO with what the client calls itself, which may be no domain name at all.
struct Hello {
  std::string name;  ///< 1 to 255 octets of printable ASCII; "?" stands for any other
  bool extended = false;
};

struct MailFrom {
  mail::ReversePath reverse_path;
  mail::BodyType body = mail::BodyType::SevenBit;
  std::uint64_t declared_size = 0;  ///< octets; 0: not said. Saturates (RFC 1870 allows 20 digits)
  bool smtputf8 = false;
  bool has_parameters = false;
};

struct RcptTo {
  mail::ForwardPath forward_path;
  bool eight_bit = false;  ///< the path was written in UTF-8: needs SMTPUTF8 (RFC 6531 §3.4)
};

/// XCLIENT or XFORWARD.
struct NameClient {
  NamedBy by = NamedBy::Xclient;
  ClientAttributes attributes;
};

/// A verb without argument worth keeping.
struct Simple {
  Verb verb = Verb::Noop;
};

using Command = std::variant<Hello, MailFrom, RcptTo, NameClient, Simple>;

/// A line that is not a command, and what to say about it.
struct Refusal {
  Verb verb = Verb::Unknown;
  Reply reply;
};

/// The verb alone, whatever follows it; case-insensitive.
Verb verb_of(std::string_view line);

/// Commands that must be the last of a pipelined group: what the client sends next depends on the
/// reply (RFC 2920 §3.1). Octets behind them come from a client that does not listen, or were
/// slipped in. QUIT is not among them: nothing is done with what follows it.
bool must_end_group(Verb verb);

/// Parses a line without its CRLF. Linear; caps: kMaxCommandOctets, each parameter 32 + 128 octets.
/// Paths may stand without their brackets. Refused: control octets (501), unknown verbs (500) and
/// parameters (555), parameters given twice or malformed (501), UTF-8 in paths without SMTPUTF8
/// (553 5.6.7).
std::expected<Command, Refusal> parse_command(std::string_view line);

/// True for the first octets of HTTP, TLS or SSH: someone is talking another protocol at us,
/// perhaps a browser led here.
bool looks_like_other_protocol(std::string_view octets);

}  // namespace relay::smtp
