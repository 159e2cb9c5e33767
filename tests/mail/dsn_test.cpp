// The DSN as text: goldens, and what no input may do to it. That other programs read it as meant is
// shown by tests/mail/read_dsn.py.
#include "relay/mail/dsn.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/source_dir.hpp"

namespace relay::mail {
namespace {

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

Mailbox mailbox(const std::string& text) { return *Mailbox::parse(text); }

DsnRecipient recipient(const std::string& alias, const std::string& target) {
  DsnRecipient made{ForwardPath(mailbox(alias)), mailbox(target), {}, false};
  made.attempt.at = kNow - std::chrono::seconds(5);
  made.attempt.host = "mx.mail.example";
  made.attempt.address = "192.0.2.9";
  made.attempt.stage = Stage::RcptTo;
  made.attempt.code = 550;
  made.attempt.status = {5, 1, 1};
  made.attempt.text = "5.1.1 <me@mail.example>: no such user";
  return made;
}

DsnRequest request() {
  return {.kind = DsnKind::Failed,
          .id = MessageId::make(kNow, {1}),
          .original_id = MessageId::make(kNow, {2}),
          .reporting_host = *Domain::parse("mx.fwd.example"),
          .addressee = mailbox("ann@sender.example"),
          .now = kNow,
          .arrived_at = kNow - std::chrono::hours(1),
          .retry_until = std::nullopt,
          .original_header =
              "From: Ann <ann@sender.example>\r\nTo: info@fwd.example\r\n"
              "Subject: Hello\r\nMessage-ID: <1@sender.example>\r\n",
          .hide_targets = true,
          .recipients = {recipient("info@fwd.example", "me@mail.example")}};
}

/// After a change on purpose: UPDATE_GOLDEN=1 mail_test
void expect_golden(const std::string& name, const std::string& text) {
  const std::string file = std::string(RELAY_SOURCE_DIR) + "/tests/mail/golden/" + name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(file, std::ios::binary) << text;
  std::stringstream recorded;
  recorded << std::ifstream(file, std::ios::binary).rdbuf();
  EXPECT_EQ(text, recorded.str()) << name;
}

TEST(Dsn, OfAFailedCopy) { expect_golden("failed.eml", build_dsn(request())); }

TEST(Dsn, OfADelayedCopy) {
  DsnRequest delayed = request();
  delayed.kind = DsnKind::Delayed;
  delayed.retry_until = kNow + std::chrono::hours(119);
  delayed.recipients[0].attempt.code = 451;
  delayed.recipients[0].attempt.status = {4, 7, 1};
  delayed.recipients[0].attempt.text = "4.7.1 greylisted";
  expect_golden("delayed.eml", build_dsn(delayed));
}

TEST(Dsn, OfSeveralCopiesOneOfThemExpired) {
  DsnRequest several = request();
  several.hide_targets = false;
  auto expired = recipient("team@fwd.example", "b@y.example");
  expired.expired = true;
  expired.attempt.code = 0;
  expired.attempt.stage = Stage::Connect;
  expired.attempt.status = {4, 4, 1};
  expired.attempt.text = "connection refused";
  several.recipients.push_back(expired);
  expect_golden("several.eml", build_dsn(several));
}

TEST(Dsn, OfAnInternationalAddress) {
  DsnRequest global = request();
  global.addressee = mailbox("jürgen@sender.example");
  global.recipients = {recipient("grüße+a@fwd.example", "me@mail.example")};
  EXPECT_TRUE(dsn_needs_smtputf8(global));
  expect_golden("international.eml", build_dsn(global));
  EXPECT_FALSE(dsn_needs_smtputf8(request()));
}

/// The private target stays private, wherever the remote repeats it.
TEST(Dsn, HidesTheTarget) {
  DsnRequest hidden = request();
  hidden.recipients[0].attempt.text =
      "ME@MAIL.EXAMPLE unknown; me is not at mail.example (mx.mail.example)";
  const std::string text = build_dsn(hidden);
  EXPECT_EQ(text.find("mail.example"), std::string::npos);
  EXPECT_EQ(text.find("MAIL.EXAMPLE"), std::string::npos);
  EXPECT_NE(text.find("Final-Recipient: rfc822;info@fwd.example"), std::string::npos);
  hidden.hide_targets = false;
  EXPECT_NE(build_dsn(hidden).find("Final-Recipient: rfc822;me@mail.example"), std::string::npos);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

/// H-2, L-8: whatever the remote or the original says ends no line, no field and no part.
TEST(Dsn, StaysWellFormedWhateverItQuotes) {
  DsnRequest evil = request();
  const std::string boundary = "--=_" + evil.id.to_string();
  evil.recipients[0].attempt.text =
      "550 x\r\nAction: delivered\r\n\r\n" + boundary + "--\r\n" + std::string(5000, 'A');
  evil.recipients[0].attempt.host = "mx\r\nX: y";
  evil.original_header = "Subject: " + std::string(200'000, 'x') +
                         "\r\nFrom: a@b.example\r\nX-8: \xE4\xF6\r\n\r\n" + boundary +
                         "--\r\nbody\r\n";
  const std::string text = build_dsn(evil);
  EXPECT_LT(text.size(), 40'000U);
  EXPECT_EQ(count(text, "\r\n" + boundary), 4U);
  EXPECT_EQ(count(text, "\r\nAction: "), 1U);
  EXPECT_EQ(text.find("\r\nX: y"), std::string::npos);
  EXPECT_EQ(text.find("\r\nbody"), std::string::npos);
  std::size_t length = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    EXPECT_LT(octet, 0x80U);
    if (text[i] == '\n') {
      ASSERT_GT(i, 0U);
      EXPECT_EQ(text[i - 1], '\r');
      EXPECT_LE(length, 999U);
      length = 0;
    } else {
      if (text[i] == '\r') {
        EXPECT_EQ(text[i + 1], '\n');
      }
      ++length;
    }
  }
}

/// Our server stores no such thing; a DSN would still be sound.
TEST(Dsn, WritesNoBareLineEnds) {
  DsnRequest odd = request();
  odd.original_header = "Subject: a\rb\nc\r\nX: no end";
  const std::string text = build_dsn(odd);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') EXPECT_EQ(text.substr(i, 2), "\r\n");
    if (text[i] == '\n') EXPECT_EQ(text[i - 1], '\r');
  }
  EXPECT_NE(text.find("Subject: a?b?c\r\n"), std::string::npos);
}

TEST(Dsn, ReturnsWholeFieldsUpToTheCap) {
  DsnRequest big = request();
  big.original_header.clear();
  for (int i = 0; i < 2000; ++i) big.original_header += "X-N: " + std::to_string(i) + "\r\n";
  const std::string text = build_dsn(big);
  EXPECT_NE(text.find("X-N: 0\r\n"), std::string::npos);
  EXPECT_LT(text.size(), kMaxReturnedHeader + 4096);
}

}  // namespace
}  // namespace relay::mail
