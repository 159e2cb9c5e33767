// The DSN as text: goldens, and properties that hold for any input (guarantee "A DSN is well formed
// and bounded"). That other programs read it as meant is shown by tests/mail/read_dsn.py.
#include "relay/mail/dsn.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/mail/dsn_fixture.hpp"

namespace relay::mail {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Dsn, OfAFailedCopy) { expect_golden("failed.eml", dsn_text(dsn_request())); }

TEST(Dsn, OfADelayedCopy) {
  DsnRequest request = dsn_request();
  request.recipients = {delayed("info@fwd.example", "me@mail.example")};
  expect_golden("delayed.eml", dsn_text(request));
}

TEST(Dsn, OfAnExpiredCopy) {
  DsnRequest request = dsn_request();
  request.recipients = {expired("info@fwd.example", "me@mail.example")};
  expect_golden("expired.eml", dsn_text(request));
}

TEST(Dsn, OfSeveralCopiesWhoseTargetsAreShown) {
  DsnRequest several = dsn_request();
  several.hide_targets = false;
  several.recipients.push_back(expired("team@fwd.example", "b@y.example"));
  expect_golden("several.eml", dsn_text(several));
}

/// Action is said of each recipient (RFC 3464 §2.3.3): one DSN has failed and delayed ones.
TEST(Dsn, OfFailedAndDelayedCopies) {
  DsnRequest mixed = dsn_request();
  mixed.recipients = {delayed("later@fwd.example", "a@mail.example"),
                      refused("info@fwd.example", "me@mail.example"),
                      expired("old@fwd.example", "b@mail.example"),
                      refused("team@fwd.example", "c@mail.example")};
  mixed.recipients[3].one_of_several = true;
  const Dsn dsn = build_dsns(mixed).at(0);
  EXPECT_EQ(dsn.failed, 3U);
  EXPECT_EQ(dsn.delayed, 1U);
  expect_golden("mixed.eml", dsn.content);
}

TEST(Dsn, OfOneOfSeveralMailboxesBehindAnAlias) {
  DsnRequest partial = dsn_request();
  partial.recipients[0].one_of_several = true;
  expect_golden("partial.eml", dsn_text(partial));
}

/// The sender wrote one address: it is named once, and nothing tells how many stand behind it.
TEST(Dsn, OfThreeCopiesOfOneAlias) {
  DsnRequest three = dsn_request();
  three.recipients = {expired("three@fwd.example", "a@one.example"),
                      refused("three@fwd.example", "b@two.example"),
                      refused("three@fwd.example", "c@three.example")};
  three.recipients[1].attempt.at -= std::chrono::seconds(60);
  three.recipients[2].attempt.text = "5.2.1 mailbox closed";
  three.recipients[2].attempt.status = {5, 2, 1};
  const Dsn dsn = build_dsns(three).at(0);
  EXPECT_EQ(dsn.failed, 3U);
  EXPECT_EQ(count_of(dsn.content, "Final-Recipient:"), 1U);
  expect_golden("three_copies.eml", dsn.content);
}

TEST(Dsn, OfAnAliasThatIsCalledLikeItsTarget) {
  DsnRequest same = dsn_request();
  same.recipients = {refused("info@fwd.example", "info@dest.example")};
  same.recipients[0].attempt.text = "5.1.1 <info@dest.example>: user info unknown at dest.example";
  expect_golden("same_local_part.eml", dsn_text(same));
}

TEST(Dsn, OfAnInternationalAddress) {
  DsnRequest global = dsn_request();
  global.addressee = dsn_mailbox("jürgen@sender.example");
  global.recipients = {refused("grüße+a@fwd.example", "me@mail.example")};
  EXPECT_TRUE(dsn_needs_smtputf8(global));
  expect_golden("international.eml", dsn_text(global));
  EXPECT_FALSE(dsn_needs_smtputf8(dsn_request()));
}

TEST(Dsn, ToThePostmasterSaysWhoseMessageItWas) {
  DsnRequest told = dsn_request();
  told.sender = told.addressee;
  told.addressee = dsn_mailbox("ops@fwd.example");
  told.hide_targets = false;
  told.recipients[0].one_of_several = true;
  expect_golden("postmaster.eml", dsn_text(told));
}

TEST(Dsn, OfWhatTheOperatorReturned) {
  DsnRequest request = dsn_request();
  request.recipients[0].end = End::Returned;
  request.recipients[0].attempt.code = 451;
  request.recipients[0].attempt.status = {4, 7, 1};
  request.recipients[0].attempt.text = "4.7.1 greylisted";
  EXPECT_THAT(dsn_text(request),
              HasSubstr("returned by the postmaster of this mail system; last: "
                        "the receiving\r\n    server said: 451 4.7.1 greylisted"));
  EXPECT_THAT(dsn_text(request), HasSubstr("\r\nStatus: 5.0.0\r\n"));
  request.recipients[0].attempt = {};
  EXPECT_THAT(dsn_text(request), HasSubstr("returned by the postmaster of this mail system\r\n"));
  EXPECT_THAT(dsn_text(request), Not(HasSubstr("Last-Attempt-Date")));
}

/// RFC 3461 §9.2: the reply as it came, line by line.
TEST(Dsn, RepeatsTheReplyAsItWas) {
  DsnRequest request = dsn_request();
  DeliveryAttempt& attempt = request.recipients[0].attempt;
  attempt.text = "5.1.1 The account does not exist.\n5.1.1 Please check\nfor typos";
  EXPECT_THAT(dsn_text(request), HasSubstr("Diagnostic-Code: smtp; 550-5.1.1 The account does not "
                                           "exist.\r\n    550-5.1.1 Please check\r\n"
                                           "    550 for typos\r\nLast-"));
  EXPECT_THAT(dsn_text(request), HasSubstr("    the receiving server said: 550 5.1.1 The account "
                                           "does not exist. Please\r\n    check for typos\r\n"));
  attempt.text = "no such user";  // no enhanced code of theirs: the status is ours
  EXPECT_THAT(dsn_text(request), HasSubstr("Diagnostic-Code: smtp; 550 no such user\r\n"));
  EXPECT_THAT(dsn_text(request), HasSubstr("Status: 5.1.1\r\n"));
  attempt.text = "";
  EXPECT_THAT(dsn_text(request), HasSubstr("Diagnostic-Code: smtp; 550\r\n"));
}

/// Nobody said 556: it stands for the null MX in the DNS.
TEST(Dsn, HasNoDiagnosticCodeWhereNoServerSpoke) {
  DsnRequest request = dsn_request();
  request.recipients[0].attempt.stage = Stage::Dns;
  request.recipients[0].attempt.code = 556;
  request.recipients[0].attempt.status = {5, 1, 10};
  request.recipients[0].attempt.text = "null MX: mail.example";
  const std::string text = dsn_text(request);
  EXPECT_THAT(text, Not(HasSubstr("Diagnostic-Code")));
  EXPECT_THAT(text, HasSubstr("    null MX: [hidden]\r\n"));
  EXPECT_THAT(text, HasSubstr("Status: 5.1.10\r\n"));
}

TEST(Dsn, ShowsALongReplyWholeOnce) {
  DsnRequest request = dsn_request();
  std::string words;
  for (int i = 0; words.size() < 900; ++i) words += "word" + std::to_string(i) + ' ';
  request.recipients[0].attempt.text = "5.1.1 " + words + "end";
  const std::string text = dsn_text(request);
  EXPECT_EQ(count_of(text, "end\r\n"), 1U);
  EXPECT_EQ(count_of(text, "word0 "), 2U);
  EXPECT_THAT(text, HasSubstr("(in full below)"));
}

/// The private target stays private, wherever the remote repeats it.
TEST(Dsn, HidesTheTarget) {
  DsnRequest hidden = dsn_request();
  hidden.recipients[0].attempt.text =
      "ME@MAIL.EXAMPLE unknown; me is not at mail.example (mx.mail.example)";
  const std::string text = dsn_text(hidden);
  EXPECT_THAT(text, Not(HasSubstr("mail.example")));
  EXPECT_THAT(text, Not(HasSubstr("MAIL.EXAMPLE")));
  EXPECT_THAT(text, Not(HasSubstr("Remote-MTA")));
  EXPECT_THAT(text, HasSubstr("Final-Recipient: rfc822;info@fwd.example"));
  hidden.hide_targets = false;
  EXPECT_THAT(dsn_text(hidden), HasSubstr("Final-Recipient: rfc822;me@mail.example"));
  EXPECT_THAT(dsn_text(hidden), HasSubstr("Remote-MTA: dns;mx.mail.example"));
}

/// A reply with many spaces made lines of nothing else, at which lax parsers see a group end.
TEST(Dsn, HasNoLineOfSpacesWhateverTheReply) {
  DsnRequest request = dsn_request();
  request.recipients[0].attempt.text =
      "5.1.1 a" + std::string(500, ' ') + "b" + std::string(300, '\t') + "\n  \n5.1.1  ";
  const std::string text = dsn_text(request);
  expect_sound(text);
  EXPECT_THAT(text, HasSubstr("Diagnostic-Code: smtp; 550-5.1.1 a b\r\n"));
}

TEST(Dsn, SaysUntilWhenAttemptsGoOnAtLeast) {
  DsnRequest request = dsn_request();
  request.recipients = {delayed("a@fwd.example", "a@mail.example"),
                        delayed("b@fwd.example", "b@mail.example")};
  EXPECT_THAT(dsn_text(request), HasSubstr("Attempts go on until Sun, 29 Nov 2026 05:00:00"));
  *request.recipients[0].retry_until += std::chrono::hours(1);
  EXPECT_THAT(dsn_text(request),
              HasSubstr("Attempts go on at least until Sun, 29 Nov 2026 05:00:00"));
  EXPECT_THAT(dsn_text(request), HasSubstr("Will-Retry-Until: Sun, 29 Nov 2026 06:00:00"));
}

/// No text of the remote or the original ends a line, a field or a part.
TEST(Dsn, StaysWellFormedWhateverItQuotes) {
  DsnRequest evil = dsn_request();
  const std::string boundary = "--=_" + evil.new_id().to_string();
  evil.new_id = [id = dsn_request().new_id()] { return id; };
  evil.recipients[0].attempt.text =
      "550 x\r\nAction: delivered\r\n\r\n" + boundary + "--\r\n" + std::string(5000, 'A');
  evil.recipients[0].attempt.host = "mx\r\nX: y";
  evil.original_header = "Subject: " + std::string(200'000, 'x') +
                         "\r\nFrom: a@b.example\r\nX-8: \xE4\xF6\r\n\r\n" + boundary +
                         "--\r\nbody\r\n";
  for (const bool hide : {true, false}) {
    evil.hide_targets = hide;
    const std::string text = dsn_text(evil);
    EXPECT_LT(text.size(), 40'000U);
    EXPECT_EQ(count_of(text, "\r\n" + boundary), 4U);
    EXPECT_EQ(count_of(text, "\r\nAction: "), 1U);
    EXPECT_THAT(text, Not(HasSubstr("\r\nX: y")));
    EXPECT_THAT(text, Not(HasSubstr("\r\nbody")));
    expect_sound(text);
  }
}

/// Our server stores no such thing; a DSN would still be sound.
TEST(Dsn, WritesNoBareLineEnds) {
  DsnRequest odd = dsn_request();
  odd.original_header = "Subject: a\rb\nc\r\nX: no end";
  const std::string text = dsn_text(odd);
  expect_sound(text);
  EXPECT_THAT(text, HasSubstr("Subject: a?b?c\r\n"));
}

TEST(Dsn, ReturnsWholeFieldsUpToTheCap) {
  DsnRequest big = dsn_request();
  big.original_header.clear();
  for (int i = 0; i < 2000; ++i) big.original_header += "X-N: " + std::to_string(i) + "\r\n";
  const std::string text = dsn_text(big);
  EXPECT_THAT(text, HasSubstr("X-N: 0\r\n"));
  EXPECT_LT(text.size(), kMaxReturnedHeader + 4096);
}

}  // namespace
}  // namespace relay::mail
