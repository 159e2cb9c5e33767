// Judges of traffic and of outcomes see their mistakes.
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

class Mistakes : public testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreSeen) { expect_seen(GetParam()); }

const Mistake kTrafficMistakes[] = {
    {"DialsAnUnknownAddress", Rule::Stranger, [](HandFed& fed) { fed.dial(-1); }},
    {"DialsItself", Rule::BehindUs, [](HandFed& fed) { fed.dial(3); }},
    {"DialsWhoIsBehindUs", Rule::BehindUs, [](HandFed& fed) { fed.dial(4); }},
    {"BreaksTheProtocol", Rule::Protocol,
     [](HandFed& fed) {
       fed.judge.traffic.breached(fed.dial(0), Breach::MailInTransaction, "MAIL");
     }},
    {"AsksAHostOfAnotherDomain", Rule::BehindUs,
     [](HandFed& fed) { fed.rcpt(fed.mail(fed.dial(2), 0), kFirst); }},
    {"UsesTheOtherPoolsAddress", Rule::WrongSource,
     [](HandFed& fed) { fed.rcpt(fed.mail(fed.dial(0, true), 0), kFirst); }},
    {"SendsWhatWasNeverAccepted", Rule::Stranger,
     [](HandFed& fed) {
       fed.accept(1, {{.domain = 0}}, false);
       fed.judge.rejected(1);
       fed.rcpt(fed.mail(fed.dial(0), 1), {1, 0});
     }},
    {"GivesContentToAnother", Rule::Misdirected,
     [](HandFed& fed) {
       fed.accept(1, {{.domain = 0}});
       const auto transaction = fed.mail(fed.dial(0), 0);
       fed.rcpt(transaction, kFirst);
       fed.dot(transaction, 1, {kFirst});
     }},
    {"SendsTwice", Rule::TakenTwice,
     [](HandFed& fed) {
       fed.deliver(kFirst);
       fed.record(0, fed.deferred(kFirst, {"mx0"}, 0, Stage::EndOfData));
       fed.wait(61s);
       fed.deliver(kFirst);
     }},
    {"AsksAgainBeforeTheOutcome", Rule::TakenTwice,
     [](HandFed& fed) {
       fed.deliver(kFirst);
       fed.rcpt(fed.mail(fed.dial(0), 0), kFirst);
     }},
    {"SendsWhatHasEnded", Rule::EndsTwice,
     [](HandFed& fed) {
       fed.record(0, fed.delivered(kFirst, fed.deliver(kFirst)));
       fed.rcpt(fed.mail(fed.dial(0), 0), kFirst);
     }},
    {"TriesBeforeItIsDue", Rule::TooEarly,
     [](HandFed& fed) {
       fed.record(0, fed.deferred(kFirst, {"mx0"}));
       fed.wait(10s);
       fed.rcpt(fed.mail(fed.dial(0), 0), kFirst);
     }},
    {"CutsTheWaitForADotShort", Rule::DotCutShort,
     [](HandFed& fed) {
       const auto connection = fed.dial(0);
       const auto transaction = fed.mail(connection, 0);
       fed.rcpt(transaction, kFirst);
       fed.judge.traffic.closed(
           {.connection = connection, .awaiting = true, .step = Step::Dot, .waited = 599s});
     }},
    {"ForgetsALimit", Rule::LimitExceeded,
     [](HandFed& fed) {
       const auto connection = fed.dial(0);
       const auto first = fed.mail(connection, 0);
       fed.rcpt(first, kFirst);
       fed.rcpt(first, kSecond);
       fed.say(first, Step::Rcpt, 452, "4.5.3", kSecond, 1);
       const auto second = fed.mail(connection, 0);
       fed.rcpt(second, kFirst);
       fed.rcpt(second, kSecond);
     }},
    {"ForgetsALimitOnAnotherConnection", Rule::LimitExceeded,
     [](HandFed& fed) {
       const auto first = fed.mail(fed.dial(0), 0);
       fed.rcpt(first, kFirst);
       fed.say(first, Step::Rcpt, 452, "4.5.3", kSecond, 1);
       const auto refusal = fed.dot(first, 0, {kFirst}, false);
       fed.record(0, fed.outcome(kFirst, RecipientState::Waiting, End::None, Stage::EndOfData, 451,
                                 refusal));
       fed.wait(61s);
       const auto second = fed.mail(fed.dial(1), 0);
       fed.rcpt(second, kFirst);
       fed.rcpt(second, kSecond);
     }},
};

const Mistake kOutcomeMistakes[] = {
    {"InventsADelivery", Rule::DeliveredUntaken,
     [](HandFed& fed) { fed.record(0, fed.delivered(kFirst, 0)); }},
    {"TakesAnothersDelivery", Rule::DeliveredUntaken,
     [](HandFed& fed) {
       const auto reply = fed.deliver(kFirst);
       fed.record(0, fed.delivered(kSecond, reply));
     }},
    {"TakesAnothersRefusal", Rule::FailedWithoutCause,
     [](HandFed& fed) {
       const auto transaction = fed.mail(fed.dial(0), 0);
       fed.rcpt(transaction, kFirst);
       fed.rcpt(transaction, kSecond);
       const auto reply = fed.say(transaction, Step::Rcpt, 550, "5.1.1", kFirst);
       fed.record(0, fed.refused(kSecond, reply));
     }},
    {"TakesAnothersDelay", Rule::ForeignReply,
     [](HandFed& fed) {
       const auto transaction = fed.mail(fed.dial(0), 0);
       fed.rcpt(transaction, kFirst);
       const auto reply = fed.say(transaction, Step::Rcpt, 450, "4.2.0", kFirst);
       fed.record(
           0, fed.outcome(kSecond, RecipientState::Waiting, End::None, Stage::RcptTo, 450, reply));
     }},
    {"FailsForATemporaryReply", Rule::FailedWithoutCause,
     [](HandFed& fed) {
       const auto transaction = fed.mail(fed.dial(0), 0);
       fed.rcpt(transaction, kFirst);
       fed.record(0,
                  fed.refused(kFirst, fed.say(transaction, Step::Rcpt, 450, "4.2.0", kFirst), 450));
     }},
    {"FailsForItsOwnMistake", Rule::FailedWithoutCause,
     [](HandFed& fed) {
       const auto transaction = fed.mail(fed.dial(0), 0);
       fed.rcpt(transaction, kFirst);
       fed.record(0, fed.refused(kFirst, fed.say(transaction, Step::Rcpt, 503, "", kFirst), 503));
     }},
    {"FailsForTooManyRecipients", Rule::FailedWithoutCause,
     [](HandFed& fed) {
       const auto transaction = fed.mail(fed.dial(0), 0);
       fed.rcpt(transaction, kFirst);
       fed.rcpt(transaction, kSecond);
       fed.record(0,
                  fed.refused(kSecond, fed.say(transaction, Step::Rcpt, 552, "", kSecond, 1), 552));
     }},
    {"FailsForDnsThatIsFine", Rule::FailedWithoutCause,
     [](HandFed& fed) {
       fed.record(0, fed.outcome(kFirst, RecipientState::Failed, End::Refused, Stage::Dns, 0, 0));
     }},
    {"ExpiresTooEarly", Rule::FailedWithoutCause,
     [](HandFed& fed) {
       fed.wait(3590s);
       fed.record(0,
                  fed.outcome(kFirst, RecipientState::Failed, End::Expired, Stage::MailFrom, 0, 0));
     }},
    {"FailsInTheClearAfterTlsFailed", Rule::FailedAfterFallback,
     [](HandFed& fed) {
       const auto transaction = fed.mail(fed.dial(0, false, true), 0);
       fed.rcpt(transaction, kFirst);
       fed.record(0, fed.refused(kFirst, fed.say(transaction, Step::Rcpt, 550, "5.7.1", kFirst)));
     }},
    {"FailsInTheClearAfterStartTlsWasRefused", Rule::FailedAfterFallback,
     [](HandFed& fed) {
       const auto transaction = fed.mail(fed.dial(0, false, true), 0);
       fed.say(transaction, Step::StartTls, 454, "4.7.0");
       fed.rcpt(transaction, kFirst);
       fed.record(0, fed.refused(kFirst, fed.say(transaction, Step::Rcpt, 550, "5.1.1", kFirst)));
     }},
    {"GivesUpInsideTls", Rule::NoFallback,
     [](HandFed& fed) {
       auto update = fed.deferred(kFirst, {"mx0"}, 0, Stage::Ehlo);
       update.attempts.front().tls = "TLSv1.3";
       fed.record(0, update);
     }},
    {"EndsACopyTwice", Rule::EndsTwice,
     [](HandFed& fed) {
       const auto reply = fed.deliver(kFirst);
       fed.record(0, fed.delivered(kFirst, reply));
       fed.record(0, fed.delivered(kFirst, reply));
     }},
    {"RecordsFromAnOldState", Rule::EndsTwice,
     [](HandFed& fed) {
       auto update = fed.deferred(kFirst, {"mx0"});
       update.attempts_before = 1;
       fed.record(0, update);
     }},
    {"AsksTheSameHostForEver", Rule::HostNotAsked,
     [](HandFed& fed) {
       fed.record(0, fed.deferred(kFirst, {"mx0"}));
       fed.record(0, fed.deferred(kFirst, {"mx0"}));
     }},
    {"NeverAsksTheFourthHost", Rule::HostNotAsked,
     [](HandFed& fed) {
       fed.accept(1, {{.domain = 3}});
       fed.record(1, fed.deferred({1, 0}, {"mx0", "mx4", "mx5"}));
       fed.record(1, fed.deferred({1, 0}, {"mx0", "mx4", "mx5"}));
     }},
    {"AsksFourHosts", Rule::TooManyHosts,
     [](HandFed& fed) {
       fed.accept(1, {{.domain = 3}});
       fed.record(1, fed.deferred({1, 0}, {"mx0", "mx4", "mx5", "mx6"}));
     }},
    {"HidesOthersBehindARefusalInTheClear", Rule::HostNotAsked,
     [](HandFed& fed) {
       auto update = fed.deferred(kFirst, {"mx0"}, 530);
       update.attempts.front().tls_result = mail::TlsResult::ValidationFailure;
       fed.record(0, update);
       update.attempts_before = 1;
       fed.record(0, update);
     }},
    {"StaysWithABackupThatTakesNothing", Rule::HostNotAsked,
     [](HandFed& fed) {
       fed.judge.traffic.failed_to_connect(fed.dial(0));
       fed.record(0, fed.deferred(kFirst, {"mx0", "mx1"}));
       for (int i = 0; i < 2; ++i) {
         fed.wait(11min);
         auto update = fed.deferred(kFirst, {"mx1"}, 450, Stage::RcptTo);
         update.attempts.front().status = {4, 7, 1};
         fed.record(0, update);
       }
     }},
    {"RetriesAtOnce", Rule::TooEarly,
     [](HandFed& fed) {
       auto update = fed.deferred(kFirst, {"mx0"});
       update.retry_after = 0ms;
       fed.record(0, update);
     }},
    {"HoldsWhatIsSound", Rule::Lost,
     [](HandFed& fed) {
       auto update = fed.deferred(kFirst, {"mx0"});
       update.state = RecipientState::Held;
       fed.record(0, update);
     }},
};

INSTANTIATE_TEST_SUITE_P(Traffic, Mistakes, testing::ValuesIn(kTrafficMistakes), name_of);
INSTANTIATE_TEST_SUITE_P(Outcome, Mistakes, testing::ValuesIn(kOutcomeMistakes), name_of);

}  // namespace
}  // namespace relay::simulation
