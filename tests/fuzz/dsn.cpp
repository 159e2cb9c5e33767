// Target 17: a DSN stays well-formed, 7-bit and small, whatever it quotes.
#include "relay/mail/dsn.hpp"

#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

RELAY_FUZZ_TARGET(input) {
  if (input.find("=_") != input.npos) return;  // the boundary is random, but not here
  const base::WallTime now{std::chrono::milliseconds(1'795'500'000'000)};
  const std::size_t half = input.size() / 2;
  mail::DsnRecipient recipient{mail::ForwardPath(*mail::Mailbox::parse("info@fwd.example")),
                               *mail::Mailbox::parse("me@mail.example"),
                               {},
                               false};
  recipient.attempt.code = 550;
  recipient.attempt.status = {5, 1, 1};
  recipient.attempt.text = std::string(input.substr(0, half));
  recipient.attempt.host = std::string(input.substr(0, half / 2));
  mail::DsnRequest request{
      .kind = input.size() % 2 == 0 ? mail::DsnKind::Failed : mail::DsnKind::Delayed,
      .id = mail::MessageId::make(now, {1}),
      .original_id = mail::MessageId::make(now, {2}),
      .reporting_host = *mail::Domain::parse("mx.fwd.example"),
      .addressee = *mail::Mailbox::parse("ann@sender.example"),
      .now = now,
      .arrived_at = now,
      .retry_until = now,
      .original_header = std::string(input.substr(half)),
      .hide_targets = true,
      .recipients = {recipient}};
  const std::string dsn = mail::build_dsn(request);
  require(dsn.size() < mail::kMaxReturnedHeader * 2 + 16'384, "it is small");
  std::size_t line = 0;
  for (std::size_t i = 0; i < dsn.size(); ++i) {
    require(static_cast<unsigned char>(dsn[i]) < 0x80 && dsn[i] != '\0', "7-bit, no NUL");
    line = dsn[i] == '\n' ? 0 : line + 1;
    require(line <= 999, "short lines");
    require(dsn[i] != '\n' || dsn[i - 1] == '\r', "no bare LF");
    require(dsn[i] != '\r' || dsn.substr(i, 2) == "\r\n", "no bare CR");
  }
  std::size_t boundaries = 0;
  const std::string boundary = "\r\n--=_" + request.id.to_string();
  for (auto at = dsn.find(boundary); at != dsn.npos; at = dsn.find(boundary, at + 1)) ++boundaries;
  require(boundaries == 4, "three parts and an end");
}
