#include "relay/smtp/command.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "relay/base/text.hpp"
#include "relay/smtp/parameters.hpp"

namespace relay::smtp {

namespace {

struct VerbName {
  std::string_view name;
  Verb verb;
};

constexpr std::array kVerbs{
    VerbName{"HELO", Verb::Helo},         VerbName{"EHLO", Verb::Ehlo},
    VerbName{"MAIL", Verb::Mail},         VerbName{"RCPT", Verb::Rcpt},
    VerbName{"DATA", Verb::Data},         VerbName{"RSET", Verb::Rset},
    VerbName{"NOOP", Verb::Noop},         VerbName{"QUIT", Verb::Quit},
    VerbName{"STARTTLS", Verb::StartTls}, VerbName{"HELP", Verb::Help},
    VerbName{"BDAT", Verb::Bdat},         VerbName{"VRFY", Verb::Vrfy},
    VerbName{"XCLIENT", Verb::Xclient},   VerbName{"XFORWARD", Verb::Xforward},
    VerbName{"EXPN", Verb::Refused},      VerbName{"ETRN", Verb::Refused},
    VerbName{"AUTH", Verb::Refused},      VerbName{"TURN", Verb::Refused},
    VerbName{"ATRN", Verb::Refused},      VerbName{"SEND", Verb::Refused},
    VerbName{"SOML", Verb::Refused},      VerbName{"SAML", Verb::Refused},
};

std::unexpected<Refusal> refuse(Verb verb, int code, mail::EnhancedStatus status,
                                std::string_view text) {
  return std::unexpected(Refusal{verb, Reply(code, status, text)});
}

std::unexpected<Refusal> refuse(Verb verb, const ParameterError& error) {
  if (error.unknown) return refuse(verb, 555, {5, 5, 4}, "Unsupported parameter");
  return refuse(verb, 501, {5, 5, 4}, error.text);
}

std::unexpected<Refusal> refuse_path(Verb verb, mail::AddressError error) {
  const bool sender = verb == Verb::Mail;
  const auto detail = static_cast<std::uint16_t>(sender ? 7 : 3);  // bad sender / bad destination
  if (error == mail::AddressError::NotUtf8) {
    return refuse(verb, 553, {5, 6, 7}, mail::describe(error));
  }
  return refuse(verb, 501, {5, 1, detail}, mail::describe(error));
}

/// Accepts any name: it is only what the client claims, decides nothing, and may not be refused
/// because it does not verify (RFC 5321 §4.1.4). Kept as printable ASCII of bounded length, so that
/// later code never meets anything else.
std::expected<Command, Refusal> parse_hello(Verb verb, std::string_view argument) {
  // A trailing dot (rooted name) is common and harmless.
  if (argument.size() > 1 && argument.ends_with('.')) argument.remove_suffix(1);
  if (argument.empty()) return refuse(verb, 501, {5, 5, 4}, "Say who you are: a name is missing");
  std::string name(argument.substr(0, mail::kMaxDomainOctets));
  std::ranges::replace_if(name, [](char c) { return c < ' ' || c > '~'; }, '?');
  return Hello{std::move(name), verb == Verb::Ehlo};
}

/// What follows "MAIL FROM:" or "RCPT TO:", split where the path ends.
struct PathAndRest {
  std::string path;       ///< brackets included
  std::string_view rest;  ///< parameters, with the space before them
};

/// Where the path at the start of `text` ends: at the first `ends` outside of quotes (RFC 5321
/// §4.1.2). npos: nowhere.
std::size_t end_of_path(std::string_view text, char ends) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ends && !quoted) {
      return i;
    }
  }
  return std::string_view::npos;
}

/// The grammar requires brackets; controllers, power supplies and scripts send the address without
/// them.
std::optional<PathAndRest> split_path(std::string_view argument, std::string_view keyword) {
  if (!base::starts_with_ignoring_case(argument, keyword)) return std::nullopt;
  argument.remove_prefix(keyword.size());
  // RFC 5321 allows no space here, but many scripts send one.
  while (argument.starts_with(' ')) argument.remove_prefix(1);
  if (argument.empty()) return std::nullopt;

  if (!argument.starts_with('<')) {
    const std::size_t end = std::min(end_of_path(argument, ' '), argument.size());
    return PathAndRest{'<' + std::string(argument.substr(0, end)) + '>', argument.substr(end)};
  }
  const std::size_t end = end_of_path(argument, '>');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view rest = argument.substr(end + 1);
  if (!rest.empty() && rest.front() != ' ') return std::nullopt;
  return PathAndRest{std::string(argument.substr(0, end + 1)), rest};
}

std::expected<Command, Refusal> parse_mail(std::string_view argument) {
  const auto parts = split_path(argument, "FROM:");
  if (!parts) return refuse(Verb::Mail, 501, {5, 5, 4}, "Syntax: MAIL FROM:<address>");

  auto reverse_path = mail::parse_reverse_path(parts->path);
  if (!reverse_path) return refuse_path(Verb::Mail, reverse_path.error());
  const auto parameters = parse_mail_parameters(parts->rest);
  if (!parameters) return refuse(Verb::Mail, parameters.error());
  if (!base::is_ascii(parts->path) && !parameters->smtputf8) {
    return refuse(Verb::Mail, 553, {5, 6, 7}, "This address needs SMTPUTF8");
  }
  return MailFrom{std::move(*reverse_path), parameters->body, parameters->size.value_or(0),
                  parameters->smtputf8, parameters->any};
}

std::expected<Command, Refusal> parse_rcpt(std::string_view argument) {
  const auto parts = split_path(argument, "TO:");
  if (!parts) return refuse(Verb::Rcpt, 501, {5, 5, 4}, "Syntax: RCPT TO:<address>");

  auto forward_path = mail::parse_forward_path(parts->path);
  if (!forward_path) return refuse_path(Verb::Rcpt, forward_path.error());
  if (const auto error = refuse_any_parameter(parts->rest)) return refuse(Verb::Rcpt, *error);
  return RcptTo{std::move(*forward_path), !base::is_ascii(parts->path)};
}

std::expected<Command, Refusal> parse_name_client(Verb verb, std::string_view argument) {
  const NamedBy by = verb == Verb::Xclient ? NamedBy::Xclient : NamedBy::Xforward;
  auto attributes = parse_client_attributes(by, argument);
  if (!attributes) return refuse(verb, 501, {5, 5, 4}, attributes.error());
  return NameClient{by, std::move(*attributes)};
}

std::expected<Command, Refusal> parse_simple(Verb verb, std::string_view argument) {
  const bool takes_text = verb == Verb::Noop || verb == Verb::Help;
  if (verb == Verb::Vrfy) {
    if (!argument.empty()) return Simple{verb};
    return refuse(verb, 501, {5, 5, 4}, "Syntax: VRFY address");  // RFC 5321 §4.1.1.6
  }
  if (!argument.empty() && !takes_text) {
    return refuse(verb, 501, {5, 5, 4}, "This command takes no argument");
  }
  return Simple{verb};
}

}  // namespace

Verb verb_of(std::string_view line) {
  const std::string_view word = line.substr(0, line.find(' '));
  for (const VerbName& known : kVerbs) {
    if (base::equal_ignoring_case(word, known.name)) return known.verb;
  }
  return Verb::Unknown;
}

bool must_end_group(Verb verb) {
  return verb == Verb::Helo || verb == Verb::Ehlo || verb == Verb::Data || verb == Verb::StartTls ||
         verb == Verb::Xclient;
}

std::expected<Command, Refusal> parse_command(std::string_view line) {
  const Verb verb = verb_of(line);
  if (line.size() > kMaxCommandOctets) return refuse(verb, 500, {5, 5, 2}, "Line too long");
  if (std::ranges::any_of(line, base::is_control)) {
    return refuse(verb, 501, {5, 5, 2}, "Control octets are not allowed");
  }
  const std::size_t space = line.find(' ');
  const std::string_view argument =
      space == std::string_view::npos ? std::string_view{} : base::trimmed(line.substr(space), " ");

  switch (verb) {
    case Verb::Helo:
    case Verb::Ehlo:
      return parse_hello(verb, argument);
    case Verb::Mail:
      return parse_mail(argument);
    case Verb::Rcpt:
      return parse_rcpt(argument);
    case Verb::Xclient:
    case Verb::Xforward:
      return parse_name_client(verb, argument);
    case Verb::Bdat:
    case Verb::Refused:
      return refuse(verb, 502, {5, 5, 1}, "Command not implemented");
    case Verb::Unknown:
      return refuse(verb, 500, {5, 5, 2}, "Command not recognised");
    default:
      return parse_simple(verb, argument);
  }
}

bool looks_like_other_protocol(std::string_view octets) {
  constexpr std::array<std::string_view, 11> kOpenings{
      "GET ",   "POST ",  "HEAD ",    "PUT ",        "DELETE ", "OPTIONS ",
      "TRACE ", "PATCH ", "CONNECT ", "PRI * HTTP/", "SSH-"};
  if (octets.starts_with("\x16\x03")) return true;  // TLS handshake record, any version
  const char first = octets.empty() ? '\0' : base::lower(octets.front());
  return std::ranges::any_of(kOpenings, [&](std::string_view opening) {
    return first == base::lower(opening.front()) &&
           base::starts_with_ignoring_case(octets, opening);
  });
}

}  // namespace relay::smtp
