// Who is told of which failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/delivery/report_fixture.hpp"

namespace relay::delivery {
namespace {

using mail::End;
using mail::RecipientState;
using ports::Notify;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class ReportReaders : public ReportFixture {};

/// A DSN about a DSN would never end (guarantee "No bounce of a bounce").
TEST_F(ReportReaders, TellsNobodyOfMailUnderTheNullSender) {
  order_.notices.queued.message.reverse_path = mail::ReversePath::null();
  policy_->notices.to = mail::NoticesTo::Anyone;
  failed("a@fwd.example");
  delayed("b@fwd.example");
  const auto all = written();
  EXPECT_THAT(all.report.dsns, IsEmpty());
  EXPECT_THAT(all.report.notices, SizeIs(2)) << "they are settled all the same";
  ASSERT_THAT(all.notes, SizeIs(1));
  EXPECT_EQ(all.notes[0].reason, "null sender");
  EXPECT_EQ(all.notes[0].id, mail::MessageId());
  EXPECT_EQ(all.notes[0].failed, 1U);
  EXPECT_EQ(all.notes[0].delayed, 1U);
}

/// Anybody can write a stranger's address into MAIL.
TEST_F(ReportReaders, TellsASenderWhomNobodyVouchesForOnlyWhenPolicySaysSo) {
  auto& message = order_.notices.queued.message;
  message.sender_authenticated = false;
  failed("a@fwd.example");
  EXPECT_EQ(silence_towards(message, *policy_), "sender not authenticated");
  EXPECT_THAT(written().report.dsns, IsEmpty());
  EXPECT_EQ(written().notes.at(0).reason, "sender not authenticated");
  policy_->notices.to = mail::NoticesTo::Anyone;
  EXPECT_EQ(silence_towards(message, *policy_), "");
  EXPECT_THAT(written().report.dsns, SizeIs(1));
  message.reverse_path = mail::ReversePath::null();
  EXPECT_EQ(silence_towards(message, *policy_), "null sender");
}

/// RFC 3834 §2: no human waits for an answer to these, but a list must learn which members are
/// gone.
TEST_F(ReportReaders, TellsSendersOfAutomaticMailOfFailuresOnly) {
  order_.header_block = "Precedence: list\r\n";
  failed("a@fwd.example");
  delayed("b@fwd.example");
  const auto all = written();
  ASSERT_THAT(all.report.dsns, SizeIs(1));
  EXPECT_THAT(all.report.dsns[0].content, Not(HasSubstr("b@fwd.example")));
  EXPECT_THAT(all.report.notices, SizeIs(2));
  ASSERT_THAT(all.notes, SizeIs(2));
  EXPECT_EQ(all.notes[0].failed, 1U);
  EXPECT_EQ(all.notes[0].delayed, 0U);
  EXPECT_EQ(all.notes[1].reason, "automatic mail");
  EXPECT_EQ(all.notes[1].delayed, 1U);
}

TEST(AutomaticMail, IsKnownByItsHeader) {
  for (const char* automatic :
       {"Auto-Submitted: auto-replied\r\n", "auto-submitted: auto-generated (x)\r\n",
        "Precedence: bulk\r\n", "Precedence: List\r\n", "Precedence: junk\r\n",
        "List-Id: <x.example>\r\n"}) {
    EXPECT_TRUE(is_automatic(automatic)) << automatic;
  }
  for (const char* human :
       {"", "Auto-Submitted: no\r\n", "Precedence: first-class\r\n", "Subject: List-Id: x\r\n"}) {
    EXPECT_FALSE(is_automatic(human)) << human;
  }
}

/// Between the notice and its report the copy may have gone out, or have been held.
TEST_F(ReportReaders, TellsOfNoDelayOfWhatNoLongerWaits) {
  notice(copy("a@fwd.example", RecipientState::Delivered), Notify::OfDelay, End::None);
  notice(copy("b@fwd.example", RecipientState::Held), Notify::OfDelay, End::None);
  const auto all = written();
  EXPECT_THAT(all.report.dsns, IsEmpty());
  EXPECT_THAT(all.report.notices, SizeIs(2));
  ASSERT_THAT(all.notes, SizeIs(1));
  EXPECT_EQ(all.notes[0].reason, "no longer waiting");
  EXPECT_EQ(all.notes[0].delayed, 2U);
  EXPECT_FALSE(all.report.tells_sender_of_delay);
}

/// The sender is told of one delay of a message. A delay that was not told must not count as that
/// one.
TEST_F(ReportReaders, SaysWhetherTheSenderHearsOfADelay) {
  policy_->postmaster = mailbox("ops@fwd.example");
  failed("info@fwd.example");
  EXPECT_FALSE(written().report.tells_sender_of_delay);
  delivered("team@fwd.example");
  delayed("team@fwd.example");
  for (const auto partial : {mail::PartialFailures::Nobody, mail::PartialFailures::Postmaster}) {
    policy_->notices.partial = partial;
    EXPECT_FALSE(written().report.tells_sender_of_delay);
  }
  policy_->notices.partial = mail::PartialFailures::Sender;
  EXPECT_TRUE(written().report.tells_sender_of_delay);
  order_.header_block = "Precedence: list\r\n";
  EXPECT_FALSE(written().report.tells_sender_of_delay);
}

TEST_F(ReportReaders, TellsOfTheFailureOfACopyThatWasDelayedBefore) {
  const auto index = copy("a@fwd.example", RecipientState::Failed, End::Refused);
  notice(index, Notify::OfDelay, End::None);
  notice(index, Notify::OfFailure, End::Refused);
  const auto all = written();
  ASSERT_THAT(all.report.dsns, SizeIs(1));
  EXPECT_THAT(all.report.notices, SizeIs(2));
  EXPECT_THAT(all.report.dsns[0].content, HasSubstr("Action: failed"));
  EXPECT_THAT(all.report.dsns[0].content, Not(HasSubstr("Action: delayed")));
}

// --- When only a part of an alias is concerned

constexpr const char* kScope = "X-Scope: one of several mailboxes\r\n";

TEST_F(ReportReaders, SaysThatOnlyAPartFailedWhileAnotherCopyWasOrMayBeDelivered) {
  failed("team@fwd.example");
  EXPECT_THAT(written().report.dsns.at(0).content, Not(HasSubstr(kScope)));
  copy("other@fwd.example", RecipientState::Delivered);
  EXPECT_THAT(written().report.dsns.at(0).content, Not(HasSubstr(kScope)));
  for (const auto state :
       {RecipientState::Delivered, RecipientState::Waiting, RecipientState::Held}) {
    copy("Team@fwd.example", state);
    EXPECT_THAT(written().report.dsns.at(0).content, HasSubstr(kScope));
    order_.notices.queued.recipients.pop_back();
  }
  // Those that failed before, and of which the sender knows or does not; dropped by the operator.
  copy("team@fwd.example", RecipientState::Failed, End::Expired);
  copy("team@fwd.example", RecipientState::Failed, End::Dropped);
  EXPECT_THAT(written().report.dsns.at(0).content, Not(HasSubstr(kScope)));
}

TEST_F(ReportReaders, SaysThatOnlyAPartIsDelayedWhenAnotherCopyWasDelivered) {
  delayed("team@fwd.example");
  copy("team@fwd.example", RecipientState::Waiting);
  EXPECT_THAT(written().report.dsns.at(0).content, Not(HasSubstr(kScope)));
  delivered("team@fwd.example");
  EXPECT_THAT(written().report.dsns.at(0).content, HasSubstr(kScope));
}

/// RFC 5321 §3.9.1: the members of an alias are recipients of the sender.
TEST_F(ReportReaders, TellsTheSenderOfPartialFailuresUnlessPolicySaysOtherwise) {
  failed("team@fwd.example");
  delivered("team@fwd.example");
  EXPECT_THAT(addressees(written()), ElementsAre("ann@sender.example"));
}

TEST_F(ReportReaders, TellsThePostmasterOfPartialFailuresAndTheSenderOfAllOthers) {
  policy_->notices.partial = mail::PartialFailures::Postmaster;
  policy_->postmaster = mailbox("ops@fwd.example");
  failed("team@fwd.example");
  delivered("team@fwd.example");
  failed("info@fwd.example");
  const auto all = written();
  ASSERT_THAT(addressees(all), ElementsAre("ann@sender.example", "ops@fwd.example"));
  EXPECT_THAT(all.report.dsns[0].content, Not(HasSubstr("team@fwd.example")));
  const std::string& told = all.report.dsns[1].content;
  EXPECT_THAT(told, Not(HasSubstr("info@fwd.example")));
  EXPECT_THAT(told, HasSubstr("The message from <ann@sender.example> could not be delivered"));
  EXPECT_THAT(told, HasSubstr("Final-Recipient: rfc822;t0@dest.example"))
      << "the operator is to mend it";
  EXPECT_FALSE(all.notes.at(0).to_postmaster);
  EXPECT_TRUE(all.notes.at(1).to_postmaster);
  EXPECT_EQ(all.notes[1].failed, 1U);
}

TEST_F(ReportReaders, TellsNobodyOfPartialFailuresWhenPolicySaysSo) {
  policy_->notices.partial = mail::PartialFailures::Nobody;
  failed("team@fwd.example");
  delivered("team@fwd.example");
  delayed("team@fwd.example");
  failed("info@fwd.example");
  const auto all = written();
  ASSERT_THAT(addressees(all), ElementsAre("ann@sender.example"));
  EXPECT_THAT(all.report.dsns[0].content, Not(HasSubstr("team@fwd.example")));
  EXPECT_THAT(all.report.notices, SizeIs(3));
  ASSERT_THAT(all.notes, SizeIs(3));
  EXPECT_EQ(all.notes[1].reason, "partial failure");
  EXPECT_EQ(all.notes[1].failed, 1U);
  EXPECT_EQ(all.notes[2].reason, "partial delay");
}

/// The last of them fails: no member has the message, so the sender is told, whatever the policy
/// about partial failures.
TEST_F(ReportReaders, TellsTheSenderOnceAllOfAnAliasHasFailed) {
  policy_->notices.partial = mail::PartialFailures::Nobody;
  copy("team@fwd.example", RecipientState::Failed, End::Refused);  // nobody was told
  failed("team@fwd.example", End::Expired);
  const auto all = written();
  ASSERT_THAT(addressees(all), ElementsAre("ann@sender.example"));
  EXPECT_THAT(all.report.dsns[0].content, Not(HasSubstr(kScope)));
}

TEST_F(ReportReaders, TellsTheSenderRatherThanNobodyWhereThereIsNoPostmaster) {
  policy_->notices.partial = mail::PartialFailures::Postmaster;
  failed("team@fwd.example");
  delivered("team@fwd.example");
  EXPECT_THAT(addressees(written()), ElementsAre("ann@sender.example"));
}

/// The sender must not learn how many mailboxes an alias has.
TEST_F(ReportReaders, NamesAnAliasOnceHoweverManyOfItsCopiesFailed) {
  for (int i = 0; i < 3; ++i) failed("three@fwd.example");
  const auto all = written();
  const std::string& text = all.report.dsns.at(0).content;
  EXPECT_EQ(text.find("Final-Recipient"), text.rfind("Final-Recipient"));
  EXPECT_THAT(text, Not(HasSubstr("dest.example")));
  EXPECT_EQ(all.notes.at(0).failed, 3U);
  policy_->hide_targets = false;
  EXPECT_THAT(written().report.dsns.at(0).content, HasSubstr("rfc822;t2@dest.example"));
}

}  // namespace
}  // namespace relay::delivery
