// A DSN stays well-formed, 7-bit and small, whatever it quotes, and never names a target
// that is hidden.
#include "relay/mail/dsn.hpp"

#include "relay/base/text.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

namespace {

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

mail::DsnRecipient recipient(std::string_view said, bool delayed) {
  mail::DsnRecipient made{.kind = delayed ? mail::DsnKind::Delayed : mail::DsnKind::Failed,
                          .original = mail::ForwardPath(*mail::Mailbox::parse("info@fwd.example")),
                          .target = *mail::Mailbox::parse("kate@dest.example"),
                          .attempt = {},
                          .retry_until = kNow,
                          .one_of_several = delayed};
  made.attempt.stage = mail::Stage::RcptTo;
  made.attempt.code = 550;
  made.attempt.status = {5, 1, 1};
  made.attempt.text = std::string(said);
  made.attempt.host = std::string(said.substr(0, said.size() / 2));
  return made;
}

void check_octets(const std::string& dsn) {
  std::size_t line = 0;
  for (std::size_t i = 0; i < dsn.size(); ++i) {
    require(static_cast<unsigned char>(dsn[i]) < 0x80 && dsn[i] != '\0', "7-bit, no NUL");
    line = dsn[i] == '\n' ? 0 : line + 1;
    require(line <= 999, "short lines");
    require(dsn[i] != '\n' || dsn[i - 1] == '\r', "no bare LF");
    require(dsn[i] != '\r' || dsn.substr(i, 2) == "\r\n", "no bare CR");
  }
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  if (input.find("=_") != input.npos) return;  // the boundary is random, but not here
  const std::size_t half = input.size() / 2;
  const mail::DsnRequest request{.new_id = [] { return mail::MessageId::make(kNow, {1}); },
                                 .original_id = mail::MessageId::make(kNow, {2}),
                                 .reporting_host = *mail::Domain::parse("mx.fwd.example"),
                                 .addressee = *mail::Mailbox::parse("ann@sender.example"),
                                 .now = kNow,
                                 .arrived_at = kNow,
                                 .original_header = std::string(input.substr(half)),
                                 .hide_targets = true,
                                 .recipients = {recipient(input.substr(0, half), half % 2 == 0)}};
  const auto dsns = mail::build_dsns(request);
  require(dsns.size() == 1, "one address fits into one DSN");
  const std::string& dsn = dsns.front().content;
  require(dsn.size() < mail::kMaxDsnOctets, "it is small");
  check_octets(dsn);
  std::size_t boundaries = 0;
  const std::string boundary = "\r\n--=_" + dsns.front().id.to_string();
  for (auto at = dsn.find(boundary); at != dsn.npos; at = dsn.find(boundary, at + 1)) ++boundaries;
  require(boundaries == 4, "three parts and an end");
  const auto report = base::lower(dsn.substr(0, dsn.find("text/rfc822-headers")));
  require(report.find("<kate@dest.example>") == report.npos, "the target is hidden");
}
