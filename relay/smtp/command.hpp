// SMTP command lines as typed values (RFC 5321 §4.1). A Command is always valid; a line that does
// not parse becomes the reply to send. Grammar only: ServerMachine decides what is allowed when.
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

/// Limit for a command line with CRLF. RFC 5321 asks for 512; extensions and UTF-8 paths need more.
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
  Bdat,     ///< refused, and the connection closed: a chunk of content would follow
  Refused,  ///< EXPN, ETRN, AUTH, TURN and other known verbs: 502
  Unknown,
};

/// HELO or EHLO with the name that the client gives, which may be no domain name at all.
struct Hello {
  std::string name;  ///< 1 to 255 octets of printable ASCII; "?" stands for any other
  bool extended = false;
};

struct MailFrom {
  mail::ReversePath reverse_path;
  mail::BodyType body = mail::BodyType::SevenBit;
  std::uint64_t declared_size = 0;  ///< octets; 0: not given. Saturates (RFC 1870 allows 20 digits)
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

/// A verb whose argument, if any, is ignored.
struct Simple {
  Verb verb = Verb::Noop;
};

using Command = std::variant<Hello, MailFrom, RcptTo, NameClient, Simple>;

/// A line that is not a valid command, and the reply to it.
struct Refusal {
  Verb verb = Verb::Unknown;
  Reply reply;
};

/// The verb alone, whatever follows it; case-insensitive.
Verb verb_of(std::string_view line);

/// Commands that must be the last of a pipelined group, because what the client sends next depends
/// on the reply (RFC 2920 §3.1). Octets that arrived behind one come from a client that does not
/// wait for replies, or were injected. Not QUIT: what follows it is never executed.
bool must_end_group(Verb verb);

/// Parses a line without its CRLF. Linear time; limits: kMaxCommandOctets, each parameter 32 + 128
/// octets. Paths may lack their brackets. Refused: control octets (501), unknown verbs (500) and
/// parameters (555), parameters given twice or malformed (501), UTF-8 in paths without SMTPUTF8
/// (553 5.6.7).
std::expected<Command, Refusal> parse_command(std::string_view line);

/// True for the first octets of HTTP, TLS or SSH: the client speaks another protocol; it may be a
/// browser that was lured here.
bool looks_like_other_protocol(std::string_view octets);

}  // namespace relay::smtp
