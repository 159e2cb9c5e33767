// Contract of every queue for the delivery side, notices: a failure is never without the debt of a
// DSN, and no debt is paid twice.
#include <algorithm>

#include "tests/spool/queue_contract.hpp"

namespace relay::spool {
namespace {

using namespace std::chrono_literals;
using mail::RecipientState;
using ports::Notify;
using ports::SpoolError;

using Told = std::vector<std::pair<std::uint16_t, Notify>>;

ports::CopyUpdate failure(std::uint16_t index, std::uint32_t attempts_before = 0) {
  auto update = outcome(index, RecipientState::Failed, attempts_before);
  update.notify = Notify::OfFailure;
  return update;
}

ports::CopyUpdate delay(std::uint16_t index, std::uint32_t attempts_before = 0) {
  auto update = outcome(index, RecipientState::Waiting, attempts_before);
  update.notify = Notify::OfDelay;
  update.warned = true;
  return update;
}

ports::NewMessage dsn(const std::string& content = "dsn") {
  auto made = message_to({"ann@sender.example"}, content);
  made.message.reverse_path = mail::ReversePath::null();
  return made;
}

class NoticeContract : public QueueContract {
 protected:
  std::vector<mail::MessageId> due() { return run(delivery().reports_due(10)).value(); }

  std::optional<std::chrono::milliseconds> next() {
    return run(delivery().next_report_in()).value();
  }

  Told owed(const mail::MessageId& id) {
    Told told;
    const auto notices = run(delivery().notices(id));
    if (!notices) return told;
    for (const auto& notice : notices->notices) told.emplace_back(notice.index, notice.kind);
    return told;
  }

  std::expected<void, SpoolError> pay(const mail::MessageId& id, const Told& told,
                                      std::vector<ports::NewMessage> dsns = {}) {
    return run(delivery().report({.id = id, .notices = told, .dsns = std::move(dsns)}));
  }

  /// With a DSN to the sender.
  std::expected<void, SpoolError> tell_of_delay(const mail::MessageId& id, const Told& told) {
    return run(delivery().report(
        {.id = id, .notices = told, .dsns = {dsn()}, .tells_sender_of_delay = true}));
  }
};

TEST_P(NoticeContract, OwesADsnWithTheFailureAndKeepsTheMessageUntilItIsPaid) {
  const auto id = add(message_to({"a@x.example"}));
  EXPECT_EQ(next(), std::nullopt);
  EXPECT_TRUE(record(id, {failure(0)}).message_ended);
  EXPECT_EQ(next(), 0ms) << "its last copy has ended";
  EXPECT_EQ(due(), std::vector{id});
  EXPECT_EQ(run(operators().totals())->owed_reports, 1U);
  const auto notices = run(delivery().notices(id));
  ASSERT_TRUE(notices);
  EXPECT_EQ(notices->queued.message.reverse_path.to_string(), "\"Ann B\"@sender.example");
  EXPECT_EQ(notices->queued.message.trace_fields, "Received: x\r\n");
  ASSERT_EQ(notices->queued.recipients.size(), 1U);
  ASSERT_EQ(notices->notices.size(), 1U);
  const ports::Notice& notice = notices->notices.front();
  EXPECT_EQ(notice.kind, Notify::OfFailure);
  EXPECT_EQ(notice.route.target.to_string(), "a@x.example");
  EXPECT_EQ(notice.attempt.text, "later");
  EXPECT_EQ(notice.end, mail::End::Refused);
  EXPECT_EQ(notice.waiting_since, kNow);

  auto made = dsn();
  const auto dsn_id = made.message.id;
  clock_.advance(1s);
  ASSERT_TRUE(pay(id, {{0, Notify::OfFailure}}, {made}));
  EXPECT_TRUE(is_gone(id));
  EXPECT_TRUE(load(dsn_id).message.reverse_path.is_null());
  EXPECT_EQ(load(dsn_id).recipients[0].next_due, kNow + 1s) << "due at once";
  EXPECT_EQ(next(), std::nullopt);
  EXPECT_EQ(run(operators().totals())->owed_reports, 0U);
  EXPECT_EQ(pay(id, {{0, Notify::OfFailure}}, {dsn()}).error(), SpoolError::NotFound);
  EXPECT_EQ(run(operators().totals())->messages, 1U) << "it was paid once";
}

TEST_P(NoticeContract, GathersWhatOneMessageOwesForAMinute) {
  const auto id = add(message_to({"a@x.example", "b@y.example", "c@z.example"}));
  EXPECT_FALSE(record(id, {failure(0)}).message_ended);
  EXPECT_EQ(next(), 60s);
  clock_.advance(40s);
  record(id, {failure(2)});
  EXPECT_EQ(next(), 20s) << "counted from the first";
  EXPECT_TRUE(due().empty());
  clock_.advance(20s);
  EXPECT_EQ(next(), 0ms);
  EXPECT_EQ(due(), std::vector{id});
  EXPECT_EQ(owed(id), (Told{{0, Notify::OfFailure}, {2, Notify::OfFailure}}));
  ASSERT_EQ(run(delivery().notices(id))->queued.recipients.size(), 3U) << "all copies are shown";
  ASSERT_TRUE(pay(id, owed(id), {dsn()}));
  EXPECT_EQ(next(), std::nullopt);
  EXPECT_FALSE(is_gone(id)) << "a copy still waits";
  EXPECT_TRUE(record(id, {outcome(1, RecipientState::Delivered)}).message_ended);
  EXPECT_TRUE(is_gone(id));
}

TEST_P(NoticeContract, IsDueAtOnceWhenTheLastCopyEnds) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  record(id, {failure(0)});
  EXPECT_TRUE(due().empty());
  EXPECT_TRUE(record(id, {outcome(1, RecipientState::Delivered)}).message_ended);
  EXPECT_EQ(due(), std::vector{id});
  EXPECT_EQ(run(delivery().notices(id))->queued.recipients[1].state, RecipientState::Delivered);
}

TEST_P(NoticeContract, NamesTheLongestOwedFirst) {
  const auto late = add(message_to({"a@x.example"}));
  const auto early = add(message_to({"a@x.example", "b@y.example"}));
  record(early, {failure(0)});
  clock_.advance(70s);
  record(late, {failure(0)});
  EXPECT_EQ(due(), (std::vector{early, late}));
  EXPECT_EQ(run(delivery().reports_due(1)).value(), std::vector{early});
}

TEST_P(NoticeContract, LeavesWhatCameWhileADsnWasMade) {
  const auto id = add(message_to({"a@x.example", "b@y.example", "c@z.example"}));
  record(id, {failure(0)});
  clock_.advance(60s);
  const Told told = owed(id);
  record(id, {failure(1)});
  ASSERT_TRUE(pay(id, told, {dsn()}));
  EXPECT_EQ(owed(id), (Told{{1, Notify::OfFailure}}));
  EXPECT_EQ(next(), 60s) << "one DSN a message and minute";
  const Told again = owed(id);
  record(id, {failure(2)});
  EXPECT_EQ(next(), 0ms);
  ASSERT_TRUE(pay(id, again, {dsn()}));
  EXPECT_EQ(next(), 0ms) << "nothing more will come";
  EXPECT_EQ(owed(id), (Told{{2, Notify::OfFailure}}));
  ASSERT_TRUE(pay(id, owed(id)));
  EXPECT_TRUE(is_gone(id));
}

TEST_P(NoticeContract, TakesNothingWhenOneOfTheNoticesIsGone) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  record(id, {failure(0)});
  EXPECT_EQ(pay(id, {{0, Notify::OfFailure}, {1, Notify::OfFailure}}, {dsn()}).error(),
            SpoolError::NotFound);
  EXPECT_EQ(pay(id, {{0, Notify::OfDelay}}, {dsn()}).error(), SpoolError::NotFound);
  EXPECT_EQ(owed(id), (Told{{0, Notify::OfFailure}}));
  EXPECT_EQ(run(operators().totals())->messages, 1U);
  EXPECT_EQ(run(delivery().notices(mail::MessageId::generate(kNow))).error(), SpoolError::NotFound);
}

TEST_P(NoticeContract, TellsOfADelayOnceAMessage) {
  const auto id = add(message_to({"a@x.example", "b@y.example", "c@z.example"}));
  record(id, {delay(0)});
  record(id, {delay(1)});
  EXPECT_EQ(next(), 60s);
  clock_.advance(60s);
  EXPECT_EQ(owed(id), (Told{{0, Notify::OfDelay}, {1, Notify::OfDelay}}));
  const Told first{{0, Notify::OfDelay}};
  ASSERT_TRUE(tell_of_delay(id, first));
  EXPECT_TRUE(owed(id).empty()) << "the other came too late for the one notice there is";
  record(id, {delay(2)});
  record(id, {delay(0, 1)});
  EXPECT_TRUE(owed(id).empty());
  EXPECT_EQ(next(), std::nullopt);
  record(id, {failure(0, 2)});
  EXPECT_EQ(owed(id), (Told{{0, Notify::OfFailure}})) << "a failure is another matter";
}

/// Nobody may have been told, because of a policy about parts of an alias or because the copy was
/// held meanwhile; or only the postmaster.
TEST_P(NoticeContract, LeavesTheNoticeOfDelayToALaterOneUntilTheSenderHasHeard) {
  const auto id = add(message_to({"a@x.example", "b@y.example", "c@z.example"}));
  record(id, {delay(0)});
  record(id, {delay(1)});
  ASSERT_TRUE(pay(id, {{0, Notify::OfDelay}}));
  EXPECT_EQ(owed(id), (Told{{1, Notify::OfDelay}}));
  EXPECT_EQ(next(), 60s);
  ASSERT_TRUE(pay(id, owed(id), {dsn()}));
  EXPECT_EQ(next(), std::nullopt);
  record(id, {delay(2)});
  EXPECT_EQ(owed(id), (Told{{2, Notify::OfDelay}}));
  ASSERT_TRUE(tell_of_delay(id, owed(id)));
  record(id, {delay(0, 1)});
  EXPECT_TRUE(owed(id).empty()) << "now it was told";
}

TEST_P(NoticeContract, PutsAFailureInThePlaceOfADelay) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  record(id, {delay(0)});
  record(id, {failure(0, 1)});
  EXPECT_EQ(owed(id), (Told{{0, Notify::OfFailure}}));
  EXPECT_EQ(pay(id, {{0, Notify::OfDelay}}, {dsn()}).error(), SpoolError::NotFound);
}

TEST_P(NoticeContract, SaysNothingOfADelayThatIsOver) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  record(id, {delay(0), delay(1)});
  record(id, {outcome(0, RecipientState::Delivered, 1)});
  EXPECT_EQ(owed(id), (Told{{1, Notify::OfDelay}}));
  change(with_id(id), ports::QueueAction::Drop);
  EXPECT_TRUE(is_gone(id)) << "nothing is owed any more";
  EXPECT_EQ(next(), std::nullopt);
}

TEST_P(NoticeContract, CountsTheTimeOfAHeldCopyFromItsRelease) {
  auto made = message_to({"a@x.example"});
  made.routes[0].held = true;
  const auto id = add(std::move(made));
  clock_.advance(48h);
  change(with_id(id), ports::QueueAction::Release);
  clock_.advance(1h);
  auto failed = failure(0);
  failed.changes_before = load(id).recipients[0].changes;
  record(id, {failed});
  EXPECT_EQ(run(delivery().notices(id))->notices.at(0).waiting_since, kNow + 48h);
}

TEST_P(NoticeContract, StoresADsnOfAnyLength) {
  const auto id = add(message_to({"a@x.example"}));
  record(id, {failure(0)});
  std::string content;
  for (int i = 0; content.size() < 617'618; ++i) content += std::to_string(i) + "\r\n";
  auto made = dsn(content);
  const auto dsn_id = made.message.id;
  auto second = dsn("the rest");
  ASSERT_TRUE(pay(id, owed(id), {made, second}));
  EXPECT_TRUE(content_of(dsn_id) == content);
  EXPECT_EQ(content_of(second.message.id), "the rest");
}

/// Or one message that cannot be told of would stand before all others.
TEST_P(NoticeContract, AsksLaterForAMessageThatCannotBeRead) {
  const auto id = add(message_to({"a@x.example"}));
  record(id, {failure(0)});
  ASSERT_TRUE(run(delivery().hold_damaged(id)));
  EXPECT_TRUE(due().empty());
  EXPECT_EQ(next(), 60s);
  EXPECT_EQ(owed(id), (Told{{0, Notify::OfFailure}}));
}

TEST_P(NoticeContract, IsNotPutOffByAClockThatWasAhead) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  clock_.jump_wall(24h * 365);
  record(id, {failure(0)});
  clock_.jump_wall(-24h * 365);
  EXPECT_EQ(next(), 0ms);
  EXPECT_EQ(due(), std::vector{id});
}

INSTANTIATE_TEST_SUITE_P(Each, NoticeContract, kStores, store_name);

}  // namespace
}  // namespace relay::spool
