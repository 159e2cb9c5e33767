// Unusual refusals: commands out of step, too many recipients, extensions that a server does not
// offer.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/smtp/client_dialogue.hpp"

namespace relay::smtp {
namespace {

using mail::EnhancedStatus;
using mail::OutcomeKind;
using mail::Stage;
using Step = ClientMachine::Step;

// ---- 503

void expect_our_fault(const Verdict& verdict, Stage stage) {
  EXPECT_TRUE(verdict.protocol_error);
  EXPECT_EQ(verdict.kind, OutcomeKind::Deferred);
  EXPECT_EQ(verdict.status, (EnhancedStatus{4, 5, 0}));
  EXPECT_EQ(verdict.code, 503);
  EXPECT_EQ(verdict.stage, stage);
  EXPECT_EQ(verdict.text, "5.5.1 not now");
}

TEST(ClientOutOfStep, At503ToMailDefersEverybodyAndGivesTheConnectionUp) {
  for (const std::string_view ehlo : {kEhlo, std::string_view("250 mx\r\n")}) {
    ClientMachine machine = greeted(ehlo);
    machine.begin(envelope({"x@b.example", "y@b.example"}));
    machine.feed("503 5.5.1 not now\r\n");
    if (machine.step() == Step::Read) machine.feed("503 no\r\n503 no\r\n503 no\r\n");
    ASSERT_EQ(machine.step(), Step::Done);
    for (const Verdict& verdict : machine.verdicts()) expect_our_fault(verdict, Stage::MailFrom);
    EXPECT_FALSE(machine.reusable());
  }
}

TEST(ClientOutOfStep, At503ToRcptTheOthersGoOn) {
  ClientMachine machine = greeted();
  machine.begin(envelope({"x@b.example", "y@b.example"}));
  machine.feed("250 ok\r\n503 5.5.1 not now\r\n250 ok\r\n354 go\r\n");
  ASSERT_EQ(machine.step(), Step::Content);
  machine.content_sent();
  machine.feed("250 ok\r\n");
  ASSERT_EQ(machine.step(), Step::Done);
  expect_our_fault(machine.verdicts()[0], Stage::RcptTo);
  EXPECT_EQ(machine.verdicts()[1].kind, OutcomeKind::Delivered);
  EXPECT_FALSE(machine.reusable());
}

TEST(ClientOutOfStep, At503ToDataWithARecipient) {
  ClientMachine machine = greeted();
  machine.begin(envelope({"x@b.example", "y@b.example"}));
  machine.feed("250 ok\r\n250 ok\r\n550 5.1.1 who\r\n503 5.5.1 not now\r\n");
  ASSERT_EQ(machine.step(), Step::Done);
  expect_our_fault(machine.verdicts()[0], Stage::Data);
  EXPECT_EQ(machine.verdicts()[1].kind, OutcomeKind::Failed);
  EXPECT_FALSE(machine.reusable());
}

TEST(ClientOutOfStep, At503ToEhloInsideTls) {
  ClientMachine machine("relay.example", TlsUse::IfOffered);
  machine.feed("220 mx\r\n");
  machine.feed("250-mx\r\n250 STARTTLS\r\n");
  machine.feed("220 go\r\n");
  machine.tls_started();
  machine.feed("503 5.5.1 not now\r\n");
  ASSERT_EQ(machine.step(), Step::Closed) << "no HELO: it would be out of step, too";
  expect_our_fault(machine.failure(), Stage::Ehlo);
}

TEST(ClientOutOfStep, At503ToRset) {
  ClientMachine machine = greeted("250 mx\r\n");
  machine.begin(envelope({"x@b.example"}));
  machine.feed("250 ok\r\n");
  machine.feed("550 5.1.1 who\r\n");
  machine.begin(envelope({"y@b.example"}));
  machine.feed("503 5.5.1 not now\r\n");
  ASSERT_EQ(machine.step(), Step::Closed);
  expect_our_fault(machine.verdicts()[0], Stage::MailFrom);
}

TEST(ClientOutOfStep, NotWhere503FollowsFromARefusal) {
  ClientMachine machine = greeted();
  machine.begin(envelope({"x@b.example"}));
  machine.feed("451 4.3.0 later\r\n503 5.5.1 MAIL first\r\n503 5.5.1 RCPT first\r\n");
  ASSERT_EQ(machine.step(), Step::Done);
  EXPECT_FALSE(machine.verdicts()[0].protocol_error);
  EXPECT_EQ(machine.verdicts()[0].code, 451);
  EXPECT_TRUE(machine.reusable());

  machine.begin(envelope({"x@b.example"}));
  machine.feed("250 reset\r\n250 ok\r\n550 5.1.1 who\r\n503 5.5.1 RCPT first\r\n");
  ASSERT_EQ(machine.step(), Step::Done);
  EXPECT_EQ(machine.verdicts()[0].code, 550);
  EXPECT_TRUE(machine.reusable());
}

// ---- too many recipients

struct RcptCase {
  const char* name;
  bool others_taken;
  const char* reply;
  OutcomeKind kind;
  bool too_many;
  EnhancedStatus status;
};

class RcptRefusal : public testing::TestWithParam<RcptCase> {};

TEST_P(RcptRefusal, IsReadWithItsEnhancedCode) {
  const RcptCase& given = GetParam();
  ClientMachine machine = greeted();
  machine.begin(envelope({"x@b.example", "y@b.example"}));
  machine.feed("250 ok\r\n" + std::string(given.others_taken ? "250 ok" : "550 5.1.1 who") +
               "\r\n" + given.reply + "\r\n");
  machine.feed(given.others_taken ? "354 go\r\n" : "554 5.5.1 nobody\r\n");
  if (machine.step() == Step::Content) {
    machine.content_sent();
    machine.feed("250 ok\r\n");
  }
  ASSERT_EQ(machine.step(), Step::Done);
  const Verdict& verdict = machine.verdicts()[1];
  EXPECT_EQ(verdict.kind, given.kind);
  EXPECT_EQ(verdict.too_many, given.too_many);
  EXPECT_EQ(verdict.status, given.status);
}

constexpr auto kDeferred = OutcomeKind::Deferred;
constexpr auto kFailed = OutcomeKind::Failed;

INSTANTIATE_TEST_SUITE_P(
    Replies, RcptRefusal,
    testing::Values(
        RcptCase{"Bare552", true, "552 too many", kDeferred, true, {4, 0, 0}},
        RcptCase{"Bare552First", false, "552 full", kFailed, false, {5, 0, 0}},
        RcptCase{"Said552", true, "552 5.5.3 too many", kDeferred, true, {4, 5, 3}},
        RcptCase{"Said552First", false, "552 5.5.3 too many", kFailed, false, {5, 5, 3}},
        RcptCase{"OtherClass552", true, "552 4.5.3 too many", kDeferred, true, {4, 0, 0}},
        RcptCase{"MailboxFull552", true, "552 5.2.2 over quota", kFailed, false, {5, 2, 2}},
        RcptCase{"MailboxFull552First", false, "552 5.2.2 over quota", kFailed, false, {5, 2, 2}},
        RcptCase{"Policy552", true, "552 5.7.1 no", kFailed, false, {5, 7, 1}},
        RcptCase{"TooBig552", true, "552 5.3.4 too big", kFailed, false, {5, 3, 4}},
        RcptCase{"Storage552", true, "552 5.3.1 full", kFailed, false, {5, 3, 1}},
        RcptCase{"Bare452", true, "452 too many", kDeferred, true, {4, 0, 0}},
        RcptCase{"Bare452First", false, "452 no room", kDeferred, false, {4, 0, 0}},
        RcptCase{"Said452", true, "452 4.5.3 too many", kDeferred, true, {4, 5, 3}},
        RcptCase{"Said452First", false, "452 4.5.3 too many", kDeferred, false, {4, 5, 3}},
        RcptCase{"Storage452", true, "452 4.3.1 no room", kDeferred, true, {4, 3, 1}},
        RcptCase{"MailboxFull452", true, "452 4.2.2 full", kDeferred, false, {4, 2, 2}},
        RcptCase{"Policy452", true, "452 4.7.1 rate", kDeferred, false, {4, 7, 1}},
        RcptCase{"Said451", true, "451 4.5.3 too many", kDeferred, true, {4, 5, 3}},
        RcptCase{"Said550", true, "550 5.5.3 too many", kFailed, false, {5, 5, 3}},
        RcptCase{"Busy451", true, "451 4.3.0 busy", kDeferred, false, {4, 3, 0}}),
    [](const auto& info) { return std::string(info.param.name); });

// ---- what the server does not offer

TEST(ClientCapabilities, RefusalsOfOursAreMarked) {
  ClientMachine machine = greeted();
  ClientTransaction big = envelope({"x@b.example"});
  big.size = 5001;
  machine.begin(std::move(big));
  ASSERT_EQ(machine.step(), Step::Done);
  EXPECT_EQ(machine.verdicts()[0].status, (EnhancedStatus{5, 3, 4}));
  EXPECT_TRUE(machine.verdicts()[0].by_capability);
  EXPECT_TRUE(machine.reusable());

  machine.begin(envelope({"x@b.example", "jörg@b.example"}));
  EXPECT_EQ(machine.verdicts()[1].status, (EnhancedStatus{5, 6, 7}));
  EXPECT_TRUE(machine.verdicts()[1].by_capability);
  machine.feed("552 5.3.4 too big\r\n503 no\r\n503 no\r\n");
  EXPECT_EQ(machine.verdicts()[0].kind, kFailed);
  EXPECT_FALSE(machine.verdicts()[0].by_capability) << "the server said so itself";
}

TEST(ClientCapabilities, LimitsAreRead) {  // RFC 9422
  const auto limits = greeted(
                          "250-mx\r\n250 LIMITS RCPTMAX=20 mailmax=5 "
                          "RCPTDOMAINMAX=1 NEW=7\r\n")
                          .extensions();
  EXPECT_EQ(limits.rcpt_max, 20U);
  EXPECT_EQ(limits.mail_max, 5U);
  EXPECT_EQ(limits.rcpt_domain_max, 1U);
  const auto none = greeted("250-mx\r\n250 PIPELINING\r\n").extensions();
  EXPECT_FALSE(none.rcpt_max || none.mail_max || none.rcpt_domain_max);
}

TEST(ClientCapabilities, LimitsThatCannotBeReadAreNone) {
  for (const char* value : {"", "0", "007", "-1", "+5", "1000000", "12x", "99999999999999999999"}) {
    const auto ehlo = std::string("250-mx\r\n250 LIMITS RCPTMAX=") + value + " MAILMAX=3\r\n";
    const auto limits = greeted(ehlo).extensions();
    EXPECT_FALSE(limits.rcpt_max) << value;
    EXPECT_EQ(limits.mail_max, 3U) << value;
  }
  for (const char* line : {"LIMITS", "LIMITS ", "LIMITS RCPTMAX", "LIMITS =5", "LIMITS   = "}) {
    const auto limits = greeted(std::string("250-mx\r\n250 ") + line + "\r\n").extensions();
    EXPECT_FALSE(limits.rcpt_max || limits.mail_max || limits.rcpt_domain_max) << line;
  }
}

}  // namespace
}  // namespace relay::smtp
