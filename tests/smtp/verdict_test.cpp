#include "relay/smtp/verdict.hpp"

#include <ostream>
#include <string>

#include <gtest/gtest.h>

namespace relay::smtp {
namespace {

using mail::OutcomeKind;
using mail::Stage;

/// The reply of the remote, or its silence, and the verdict.
struct StepCase {
  const char* name;
  Stage stage;
  const char* reply;  ///< "" when nothing was heard
  NextStep step;
};

std::ostream& operator<<(std::ostream& out, const StepCase& given) { return out << given.name; }

Verdict heard(const StepCase& given) {
  const std::string reply = given.reply;
  if (reply.empty()) {
    return local_verdict(OutcomeKind::Deferred, given.stage, {4, 4, 2}, "connection lost");
  }
  ReplyParser parser;
  parser.feed(reply + "\r\n");
  return verdict_of(**parser.next(), given.stage);
}

class NextStepTable : public testing::TestWithParam<StepCase> {};

TEST_P(NextStepTable, FollowsFromStageCodeAndSubject) {
  EXPECT_EQ(next_step(heard(GetParam())), GetParam().step);
}

INSTANTIATE_TEST_SUITE_P(
    Replies, NextStepTable,
    testing::Values(
        StepCase{"Taken", Stage::EndOfData, "250 2.0.0 ok", NextStep::Settled},
        StepCase{"Refused", Stage::RcptTo, "550 5.1.1 who", NextStep::Settled},
        StepCase{"RefusedForPolicy", Stage::RcptTo, "550 5.7.1 no", NextStep::Settled},
        StepCase{"RefusedAtMail", Stage::MailFrom, "550 5.7.1 no", NextStep::Settled},
        StepCase{"LostAtConnect", Stage::Connect, "", NextStep::AnotherHost},
        StepCase{"SilentAtBanner", Stage::Banner, "", NextStep::AnotherHost},
        StepCase{"LostAtRcpt", Stage::RcptTo, "", NextStep::AnotherHost},
        StepCase{"LostInContent", Stage::Data, "", NextStep::AnotherHost},
        StepCase{"ClosingBanner", Stage::Banner, "421 4.3.2 overloaded", NextStep::AnotherHost},
        StepCase{"ClosingAtRcpt", Stage::RcptTo, "421 4.2.1 bye", NextStep::AnotherHost},
        StepCase{"ClosingBare", Stage::EndOfData, "421 bye", NextStep::AnotherHost},
        StepCase{"BusyBanner", Stage::Banner, "450 4.3.2 busy", NextStep::AnotherHost},
        StepCase{"BusyEhlo", Stage::Ehlo, "451 4.3.0 busy", NextStep::AnotherHost},
        StepCase{"BusyMail", Stage::MailFrom, "451 4.3.0 backend down", NextStep::AnotherHost},
        StepCase{"BusyRcpt", Stage::RcptTo, "451 4.3.0 backend down", NextStep::AnotherHost},
        StepCase{"BusyRcptBare", Stage::RcptTo, "450 later", NextStep::AnotherHost},
        StepCase{"BusyData", Stage::Data, "451 4.3.0 later", NextStep::AnotherHost},
        StepCase{"BusyDot", Stage::EndOfData, "452 4.3.1 disk", NextStep::AnotherHost},
        StepCase{"MailboxFullAtDot", Stage::EndOfData, "452 4.2.2 full", NextStep::AnotherHost},
        StepCase{"DiskFullAtRcpt", Stage::RcptTo, "452 4.3.1 disk", NextStep::AnotherHost},
        StepCase{"NoTlsNow", Stage::StartTls, "454 4.7.0 no TLS now", NextStep::AnotherHost},
        StepCase{"ThrottledAtBanner", Stage::Banner, "450 4.7.1 slow down", NextStep::Throttled},
        StepCase{"ThrottledAtEhlo", Stage::Ehlo, "450 4.7.0 slow down", NextStep::Throttled},
        StepCase{"ThrottledAtMail", Stage::MailFrom, "451 4.7.1 rate", NextStep::Throttled},
        StepCase{"ThrottledAtDot", Stage::EndOfData, "451 4.7.28 rate", NextStep::Throttled},
        StepCase{"ThrottledClosing", Stage::RcptTo, "421 4.7.0 rate", NextStep::Throttled},
        StepCase{"ThrottledClosingData", Stage::Data, "421 4.7.28 rate", NextStep::Throttled},
        StepCase{"ThrottledClosingTls", Stage::StartTls, "421 4.7.0 rate", NextStep::Throttled},
        StepCase{"Greylisted", Stage::RcptTo, "451 4.7.1 greylisted", NextStep::WaitForThisCopy},
        StepCase{"Greylisted450", Stage::RcptTo, "450 4.7.0 again", NextStep::WaitForThisCopy},
        StepCase{"PolicyAtRcpt", Stage::RcptTo, "452 4.7.1 rate", NextStep::WaitForThisCopy},
        StepCase{"GreylistedAtData", Stage::Data, "451 4.7.1 again", NextStep::WaitForThisCopy},
        StepCase{"MailboxBusy", Stage::RcptTo, "450 4.2.1 busy", NextStep::WaitForThisCopy},
        StepCase{"MailboxFull", Stage::RcptTo, "452 4.2.2 full", NextStep::WaitForThisCopy},
        StepCase{"TooManyAlone", Stage::RcptTo, "452 4.5.3 many", NextStep::WaitForThisCopy}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(NextStep, OfWhatOnlyFlagsTell) {
  Verdict verdict = heard({"", Stage::EndOfData, "", {}});
  verdict.ambiguous = true;
  EXPECT_EQ(next_step(verdict), NextStep::WaitForThisCopy) << "it may be there already";

  verdict = heard({"", Stage::RcptTo, "452 4.5.3 too many", {}});
  verdict.too_many = true;
  EXPECT_EQ(next_step(verdict), NextStep::SameHostNextTransaction);

  verdict = local_verdict(OutcomeKind::Failed, Stage::MailFrom, {5, 3, 4}, "too large");
  verdict.by_capability = true;
  EXPECT_EQ(next_step(verdict), NextStep::AnotherHost);

  verdict = out_of_step(heard({"", Stage::RcptTo, "503 5.5.1 MAIL first", {}}));
  EXPECT_EQ(next_step(verdict), NextStep::AnotherHost);
  EXPECT_EQ(verdict.kind, OutcomeKind::Deferred);
  EXPECT_EQ(verdict.status, (mail::EnhancedStatus{4, 5, 0}));
  EXPECT_EQ(verdict.text, "5.5.1 MAIL first");
}

TEST(NextStep, OursAboutTlsIsNoThrottling) {
  const auto verdict =
      local_verdict(OutcomeKind::Deferred, Stage::Ehlo, {4, 7, 0}, "TLS is required");
  EXPECT_FALSE(verdict.throttles());
  EXPECT_EQ(next_step(verdict), NextStep::AnotherHost);
}

TEST(Verdict, KnowsMailboxesAtRcptOnly) {
  EXPECT_TRUE(heard({"", Stage::RcptTo, "450 4.2.0 x", {}}).about_recipient());
  EXPECT_FALSE(heard({"", Stage::Data, "450 4.2.0 x", {}}).about_recipient());
  EXPECT_FALSE(heard({"", Stage::RcptTo, "552 5.2.2 x", {}}).about_recipient()) << "no 4.2.x";
}

TEST(Verdict, KnowsAHostThatTakesNoMailByItsBanner) {
  EXPECT_TRUE(heard({"", Stage::Banner, "521 no mail here", {}}).refuses_service());
  EXPECT_TRUE(heard({"", Stage::Banner, "554 5.7.1 no", {}}).refuses_service());
  EXPECT_FALSE(heard({"", Stage::Banner, "421 later", {}}).refuses_service());
  EXPECT_FALSE(heard({"", Stage::RcptTo, "554 5.7.1 no", {}}).refuses_service());
}

}  // namespace
}  // namespace relay::smtp
