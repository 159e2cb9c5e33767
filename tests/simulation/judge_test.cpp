// Judges of notices, verbs and ends see their mistakes, and see none in a run without mistakes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/simulation/mistake.hpp"

namespace relay::simulation {
namespace {

using namespace std::chrono_literals;
using mail::End;
using mail::RecipientState;
using mail::Stage;
using ports::Notify;
using ports::QueueAction;
using ports::Recorded;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr CopyName kFirst{0, 0};
constexpr CopyName kSecond{0, 1};

TEST(Judge, SeesNothingWrongInAGoodLife) {
  HandFed fed;
  fed.accept(0, {{.domain = 0}, {.domain = 0, .kind = MailboxKind::Unknown}});
  const auto first = fed.mail(fed.dial(0), 0);
  fed.rcpt(first, kFirst);
  fed.say(first, Step::Rcpt, 450, "4.7.1", kFirst);
  fed.record(0, fed.deferred(kFirst, {"mx0"}, 450, Stage::RcptTo));
  fed.rcpt(first, kSecond);
  const auto no = fed.say(first, Step::Rcpt, 550, "5.1.1", kSecond);
  fed.record(0, fed.refused(kSecond, no));
  fed.wait(60s);
  fed.report(0, {{1, Notify::OfFailure}}, fed.judge.book.messages()[0].aliases[1]);
  const std::uint32_t dsn = fed.judge.book.next_number() - 1;
  const auto told = fed.mail(fed.dial(2), 99);
  fed.rcpt(told, {0, kToSender});
  const auto dsn_taken = fed.dot(told, dsn, {{0, kToSender}});
  auto dsn_delivered = fed.delivered({dsn, 0}, dsn_taken);
  fed.record(dsn, dsn_delivered);
  fed.record(0, fed.delivered(kFirst, fed.deliver(kFirst)));
  fed.judge.world_ended({});
  EXPECT_THAT(fed.broken(), IsEmpty()) << fed.judge.verdicts.trace(kNoCopy);
}

TEST(Judge, AllowsASecondCopyThatWasCalledPossible) {
  HandFed fed;
  fed.accept(0, {{.domain = 0}});
  fed.deliver(kFirst);
  auto lost = fed.deferred(kFirst, {"mx0"}, 0, Stage::EndOfData);
  lost.possible_duplicate = true;
  fed.record(0, lost);
  fed.wait(60s);
  fed.record(0, fed.delivered(kFirst, fed.deliver(kFirst)));
  EXPECT_THAT(fed.broken(), IsEmpty());
}

TEST(Judge, AllowsASecondCopyAfterACrashInsideTheDot) {
  HandFed fed;
  fed.accept(0, {{.domain = 0}});
  fed.deliver(kFirst);
  fed.judge.process_died();
  fed.record(0, fed.delivered(kFirst, fed.deliver(kFirst)));
  EXPECT_THAT(fed.broken(), IsEmpty());
  fed.judge.process_died();
  fed.deliver(kFirst);
  EXPECT_THAT(fed.broken(), Contains(Rule::TakenTwice));
}

TEST(Judge, CountsADotThatIsWrittenAsUnderWay) {
  HandFed fed;
  fed.accept(0, {{.domain = 0}});
  const auto reply = fed.deliver(kFirst);
  fed.verb(QueueAction::Hold, kFirst, 1);
  fed.record(0, fed.delivered(kFirst, reply), Recorded::DespiteHold);
  fed.judge.world_ended({});
  EXPECT_THAT(fed.broken(), IsEmpty());
}

TEST(Judge, AcceptsThatAGreylistKeepsOtherHostsFromBeingAsked) {
  HandFed fed;
  fed.accept(0, {{.domain = 0}});
  for (int i = 0; i < 2; ++i) {
    auto greylisted = fed.deferred(kFirst, {"mx0"}, 451, Stage::RcptTo);
    greylisted.attempts[0].status = {4, 7, 1};
    fed.record(0, greylisted);
  }
  EXPECT_THAT(fed.broken(), IsEmpty());
  for (int i = 0; i < 2; ++i) fed.record(0, fed.deferred(kFirst, {"mx0"}, 451, Stage::Data));
  EXPECT_THAT(fed.broken(), Contains(Rule::HostNotAsked));
}

TEST(Judge, LetsMailWaitThatARuleKeepsBack) {
  HandFed fed;
  fed.accept(0, {{.domain = 0}});
  fed.judge.pauses.set({{.kind = ports::PauseRule::Kind::Domain,
                         .value = hosted_domain(0),
                         .reason = "",
                         .since = fed.clock.wall(),
                         .until = fed.clock.wall() + 1h}});
  fed.wait(30min);
  fed.judge.world_ended({.waiting = 1});
  fed.wait(30min);
  EXPECT_THAT(fed.broken(), IsEmpty());
  fed.wait(30s);
  EXPECT_THAT(fed.broken(), Contains(Rule::Starved));
}

/// A message with a single copy, whose server is silent at first and puts it off then.
void begin_with_a_silent_server(HandFed& fed) {
  fed.accept(0, {{.domain = 0}});
  const auto connection = fed.dial(0);
  fed.wait(20s);
  fed.rcpt(fed.mail(connection, 0), kFirst);
  fed.record(0, fed.deferred(kFirst, {"mx0"}));
  fed.wait(60s);
}

TEST(Judge, TakesNobodyForCutOffWhilePlacesAreFree) {
  HandFed fed;
  begin_with_a_silent_server(fed);
  EXPECT_THAT(fed.broken(), IsEmpty());
  fed.wait(25s);
  EXPECT_THAT(fed.broken(), Contains(Rule::Starved));
}

TEST(Judge, LetsWhoMayHaveBeenCutOffWaitForFullTime) {
  HandFed fed;
  fed.judge.fairness.set_places(1, 1);
  begin_with_a_silent_server(fed);
  fed.wait(50min);
  EXPECT_THAT(fed.broken(), IsEmpty());
}

TEST(Judge, LetsTheRiskPoolWaitForItsRateAndNoLonger) {
  HandFed fed;
  fed.judge.fairness.set_pace(10s);
  fed.accept(0, {{.domain = 0, .risk_pool = true}});
  fed.wait(20s);
  EXPECT_THAT(fed.broken(), IsEmpty());
  fed.wait(5s);
  EXPECT_THAT(fed.broken(), Contains(Rule::Starved));
}

TEST(Judge, ExplainsWhatItSaw) {
  HandFed fed;
  fed.accept(0, {{.domain = 0}});
  fed.record(0, fed.delivered(kFirst, 0));
  ASSERT_EQ(fed.judge.verdicts.violations().size(), 1U);
  EXPECT_THAT(fed.judge.verdicts.violations()[0].text, HasSubstr("taken 0 times"));
  EXPECT_THAT(fed.judge.verdicts.trace(kFirst), HasSubstr("copy 0-0 recorded, state 2 [r0] text"));
}

class OtherMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(OtherMistakes, AreSeen) { expect_seen(GetParam()); }

void refuse_first(HandFed& fed) {
  const auto transaction = fed.mail(fed.dial(0), 0);
  fed.rcpt(transaction, kFirst);
  fed.record(0, fed.refused(kFirst, fed.say(transaction, Step::Rcpt, 550, "5.1.1", kFirst)));
}

const Mistake kNoticeMistakes[] = {
    {"FailsWithoutANotice", Rule::DsnUnpaid,
     [](HandFed& fed) {
       const auto transaction = fed.mail(fed.dial(0), 0);
       fed.rcpt(transaction, kFirst);
       auto update = fed.refused(kFirst, fed.say(transaction, Step::Rcpt, 550, "", kFirst));
       update.notify = Notify::Nobody;
       fed.record(0, update);
     }},
    {"NeverPays", Rule::DsnUnpaid,
     [](HandFed& fed) {
       refuse_first(fed);
       fed.wait(71s);
     }},
    {"PaysWithoutADsn", Rule::DsnUnpaid,
     [](HandFed& fed) {
       refuse_first(fed);
       fed.report(0, {{0, Notify::OfFailure}}, "", 0);
     }},
    {"LeavesAnAddressOut", Rule::DsnUnpaid,
     [](HandFed& fed) {
       refuse_first(fed);
       fed.report(0, {{0, Notify::OfFailure}}, "nobody");
     }},
    {"TellsOfWhatDidNotFail", Rule::DsnWithoutCause,
     [](HandFed& fed) {
       fed.report(0, {{1, Notify::OfFailure}}, fed.judge.book.messages()[0].aliases[1]);
     }},
    {"TellsTwice", Rule::DsnWithoutCause,
     [](HandFed& fed) {
       refuse_first(fed);
       const std::string alias = fed.judge.book.messages()[0].aliases[0];
       fed.report(0, {{0, Notify::OfFailure}}, alias);
       fed.report(0, {{0, Notify::OfFailure}}, alias);
     }},
    {"TellsTwiceInAMinute", Rule::DsnTooOften,
     [](HandFed& fed) {
       refuse_first(fed);
       fed.report(0, {{0, Notify::OfFailure}}, fed.judge.book.messages()[0].aliases[0]);
       const auto transaction = fed.mail(fed.dial(0), 0);
       fed.rcpt(transaction, kSecond);
       fed.record(0, fed.refused(kSecond, fed.say(transaction, Step::Rcpt, 550, "", kSecond)));
       fed.report(0, {{1, Notify::OfFailure}}, fed.judge.book.messages()[0].aliases[1]);
     }},
    {"WarnsTwice", Rule::SecondDelayNotice,
     [](HandFed& fed) {
       for (const CopyName copy : {kFirst, kSecond}) {
         auto update = fed.deferred(copy, {"mx0"});
         update.notify = Notify::OfDelay;
         fed.record(0, update);
         fed.wait(60s);
         fed.report(0, {{copy.index, Notify::OfDelay}}, "Action: delayed");
       }
     }},
};

const Mistake kVerbMistakes[] = {
    {"SendsWhatIsHeld", Rule::LeftAfterVerb,
     [](HandFed& fed) {
       fed.verb(QueueAction::Hold, kFirst);
       fed.rcpt(fed.mail(fed.dial(0), 0), kFirst);
     }},
    {"WritesTheDotOfWhatWasDropped", Rule::LeftAfterVerb,
     [](HandFed& fed) {
       const auto transaction = fed.mail(fed.dial(0), 0);
       fed.rcpt(transaction, kFirst);
       fed.verb(QueueAction::Drop, kFirst);
       fed.dot(transaction, 0, {kFirst});
     }},
    {"SendsWhatADropDidNotReach", Rule::LeftAfterVerb,
     [](HandFed& fed) {
       const std::vector<mail::CopyId> copies{{fed.judge.book.messages()[0].id, 0}};
       fed.judge.verbs.changed(QueueAction::Drop, copies);
       fed.judge.verbs.await_answer(1, QueueAction::Drop, copies);
       fed.judge.verbs.over(1);
       fed.rcpt(fed.mail(fed.dial(0), 0), kFirst);
     }},
    {"SendsWhatEnteredHeld", Rule::LeftAfterVerb,
     [](HandFed& fed) {
       fed.accept(1, {{.domain = 0, .held = true}});
       fed.deliver({1, 0});
     }},
    {"ReleasesByRetry", Rule::LeftAfterVerb,
     [](HandFed& fed) {
       fed.verb(QueueAction::Hold, kFirst);
       fed.verb(QueueAction::Retry, kFirst);
     }},
    {"DoesNotCountADot", Rule::VerbMiscounts,
     [](HandFed& fed) {
       fed.deliver(kFirst);
       fed.verb(QueueAction::Drop, kFirst, 0);
     }},
    {"CountsWhatIsNotThere", Rule::VerbMiscounts,
     [](HandFed& fed) { fed.verb(QueueAction::Hold, kFirst, 1); }},
    {"DropsTwice", Rule::EndsTwice,
     [](HandFed& fed) {
       fed.verb(QueueAction::Drop, kFirst);
       fed.verb(QueueAction::Drop, kFirst);
     }},
    {"DoesNotHearARetry", Rule::VerbLate,
     [](HandFed& fed) {
       fed.record(0, fed.deferred(kFirst, {"mx0"}));
       fed.wait(20s);
       fed.verb(QueueAction::Retry, kFirst);
       fed.wait(2s);
     }},
    {"SendsDespiteARule", Rule::PausedLeft,
     [](HandFed& fed) {
       fed.judge.pauses.set({{.kind = ports::PauseRule::Kind::Domain,
                              .value = hosted_domain(0),
                              .reason = "",
                              .since = fed.clock.wall(),
                              .until = std::nullopt}});
       fed.wait(1001ms);
       fed.accept(1, {{.domain = 0}});
       fed.rcpt(fed.mail(fed.dial(0), 1), {1, 0});
     }},
    {"SendsToAPausedHost", Rule::PausedLeft,
     [](HandFed& fed) {
       fed.judge.pauses.set({{.kind = ports::PauseRule::Kind::Host,
                              .value = "x.example",
                              .reason = "",
                              .since = fed.clock.wall(),
                              .until = std::nullopt}});
       fed.wait(1001ms);
       fed.accept(1, {{.domain = 0}});
       fed.rcpt(fed.mail(fed.dial(0), 1), {1, 0});
     }},
};

const Mistake kEndMistakes[] = {
    {"LetsAnUnknownGroupWait", Rule::Starved, [](HandFed& fed) { fed.wait(30s); }},
    {"LetsAProvenGroupWait", Rule::Starved,
     [](HandFed& fed) {
       fed.record(0, fed.delivered(kFirst, fed.deliver(kFirst)));
       fed.record(0, fed.delivered({0, 2}, fed.deliver({0, 2}, 2)));
       fed.wait(6500ms);
     }},
    {"LetsAProvenGroupWaitForStrangers", Rule::Starved,
     [](HandFed& fed) {
       fed.judge.fairness.set_places(2, 1);
       fed.record(0, fed.delivered(kFirst, fed.deliver(kFirst)));
       fed.dial(2);
       fed.dial(5);
       fed.wait(6500ms);
     }},
    {"KeepsACopyForEver", Rule::QueueNotEmpty,
     [](HandFed& fed) { fed.judge.world_ended({.waiting = 3}); }},
    {"LosesACopy", Rule::Lost, [](HandFed& fed) { fed.judge.world_ended({.waiting = 2}); }},
    {"OwesANoticeInTheEnd", Rule::DsnUnpaid,
     [](HandFed& fed) {
       refuse_first(fed);
       fed.judge.world_ended({.waiting = 2, .owed_reports = 1});
     }},
};

INSTANTIATE_TEST_SUITE_P(Notice, OtherMistakes, testing::ValuesIn(kNoticeMistakes), name_of);
INSTANTIATE_TEST_SUITE_P(Verb, OtherMistakes, testing::ValuesIn(kVerbMistakes), name_of);
INSTANTIATE_TEST_SUITE_P(End, OtherMistakes, testing::ValuesIn(kEndMistakes), name_of);

}  // namespace
}  // namespace relay::simulation
