// Contract of every queue for the delivery side: due copies and their outcomes.
#include <algorithm>

#include "tests/spool/queue_contract.hpp"

namespace relay::spool {
namespace {

using namespace std::chrono_literals;
using mail::RecipientState;
using ports::LaneKey;
using ports::Recorded;
using ports::SpoolError;

class DeliveryContract : public QueueContract {
 protected:
  std::vector<ports::DueCopy> due(std::size_t limit = 10) {
    return run(delivery().due(std::nullopt, limit)).value().copies;
  }

  Recorded record_one(const mail::MessageId& id, const ports::CopyUpdate& update) {
    const auto answer = record(id, {update});
    EXPECT_EQ(answer.copies.size(), 1U);
    return answer.copies.empty() ? Recorded::TooLate : answer.copies.front();
  }

  mail::QueuedRecipient copy(const mail::MessageId& id, std::uint16_t index = 0) {
    return load(id, {index}).recipients.at(0);
  }
};

TEST_P(DeliveryContract, LoadsTheCopiesThatAreAskedFor) {
  const auto id = add(message_to({"a@x.example", "b@x.example", "c@x.example"}));
  const auto loaded = load(id, {2, 0, 7, 2});
  ASSERT_EQ(loaded.recipients.size(), 2U);
  EXPECT_EQ(loaded.recipients[0].route.index, 0);
  EXPECT_EQ(loaded.recipients[1].route.target.to_string(), "c@x.example");
  EXPECT_EQ(run(delivery().load(id, {7})).error(), SpoolError::NotFound);
  EXPECT_EQ(run(delivery().load(id, {})).error(), SpoolError::NotFound);
  const auto unknown = mail::MessageId::generate(kNow);
  EXPECT_EQ(run(delivery().load(unknown, {0})).error(), SpoolError::NotFound);
  EXPECT_EQ(run(delivery().read(unknown, 0)).error(), SpoolError::NotFound);
}

TEST_P(DeliveryContract, SaysWhatTimeItIs) {
  EXPECT_EQ(delivery().now(), kNow);
  clock_.advance(1h);
  EXPECT_EQ(delivery().now(), kNow + 1h);
  EXPECT_EQ(copy(add(message_to({"a@x.example"}))).next_due, kNow + 1h);
}

TEST_P(DeliveryContract, FindsWhatIsDueInOrder) {
  const auto first = add(message_to({"a@x.example", "b@Y.example"}));
  clock_.advance(1s);
  const auto second = add(message_to({"c@z.example"}));
  record(first, {outcome(0, RecipientState::Waiting)});
  const auto found = due();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].copy, (mail::CopyId{first, 1}));
  EXPECT_EQ(found[0].lane.domain, "y.example");
  EXPECT_FALSE(found[0].lane.risk_pool);
  EXPECT_EQ(found[0].alias, "info@fwd.example");
  EXPECT_EQ(found[0].next_due, kNow);
  EXPECT_EQ(found[1].copy.message, second);
  const auto rest =
      run(delivery().due(ports::DueCursor{found[0].next_due, found[0].copy}, 10)).value().copies;
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].copy.message, second);
  EXPECT_EQ(due(1).size(), 1U);
  EXPECT_EQ(run(delivery().next_due_in()).value(), 5min);
  clock_.advance(5min);
  EXPECT_EQ(due().size(), 3U);
  EXPECT_EQ(run(delivery().next_due_in()).value(), std::nullopt);
}

TEST_P(DeliveryContract, FindsWhatIsDueInALane) {
  auto made = message_to({"a@x.example", "b@X.example", "c@x.example", "d@y.example"});
  made.routes[2].handling.risk_pool = true;
  const auto id = add(std::move(made));
  const auto in_lane = [&](const LaneKey& lane, std::optional<ports::DueCursor> after) {
    std::vector<std::uint16_t> indices;
    const auto found = run(delivery().due_in_lane(lane, after, 10)).value().copies;
    for (const auto& one : found) {
      EXPECT_EQ(one.lane, lane);
      indices.push_back(one.copy.index);
    }
    return indices;
  };
  EXPECT_EQ(in_lane({"x.example", false}, std::nullopt), (std::vector<std::uint16_t>{0, 1}));
  EXPECT_EQ(in_lane({"x.example", true}, std::nullopt), (std::vector<std::uint16_t>{2}));
  EXPECT_EQ(in_lane({"x.example", false}, ports::DueCursor{kNow, {id, 0}}),
            (std::vector<std::uint16_t>{1}));
  EXPECT_TRUE(in_lane({"z.example", false}, std::nullopt).empty());
  record(id, {outcome(0, RecipientState::Waiting)});
  EXPECT_EQ(in_lane({"x.example", false}, std::nullopt), (std::vector<std::uint16_t>{1}));
  clock_.advance(5min);
  EXPECT_EQ(in_lane({"x.example", false}, std::nullopt), (std::vector<std::uint16_t>{1, 0}));
}

TEST_P(DeliveryContract, ListsTheLanesThatHaveWaitingCopies) {
  auto made = message_to({"a@b.example", "b@a.example", "c@b.example", "d@held.example"});
  made.routes[2].handling.risk_pool = true;
  made.routes[3].held = true;
  const auto id = add(std::move(made));
  add(message_to({"e@b.example", "f@c.example"}));
  record(id, {outcome(1, RecipientState::Waiting)});
  const auto lanes = run(delivery().waiting_lanes(std::nullopt, 10)).value();
  ASSERT_EQ(lanes.size(), 4U);
  EXPECT_EQ(lanes[0].key, (LaneKey{"a.example", false}));
  EXPECT_EQ(lanes[0].due_in, 5min);
  EXPECT_EQ(lanes[1].key, (LaneKey{"b.example", false}));
  EXPECT_EQ(lanes[1].due_in, 0ms);
  EXPECT_EQ(lanes[2].key, (LaneKey{"b.example", true}));
  EXPECT_EQ(lanes[3].key, (LaneKey{"c.example", false}));
  std::optional<LaneKey> after;
  std::vector<LaneKey> one_by_one;
  while (true) {
    const auto page = run(delivery().waiting_lanes(after, 1)).value();
    if (page.empty()) break;
    ASSERT_EQ(page.size(), 1U);
    after = page.front().key;
    one_by_one.push_back(*after);
  }
  EXPECT_EQ(one_by_one.size(), 4U);
  clock_.advance(10min);
  EXPECT_EQ(run(delivery().waiting_lanes(std::nullopt, 1))->front().due_in, -5min);
}

TEST_P(DeliveryContract, PassesOverWhatWasHeldHoweverMuchItIs) {
  const auto held = add(message_to(std::vector<std::string>(2500, "a@x.example")));
  clock_.advance(1s);
  const auto waiting = add(message_to({"b@x.example"}));
  change(with_id(held), ports::QueueAction::Hold);
  for (int round = 0; round < 2; ++round) {  // the second finds what the first has left
    const auto found = due_now();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].copy.message, waiting);
    std::size_t in_lane = 0;
    std::optional<ports::DueCursor> after;
    do {
      const auto page = run(delivery().due_in_lane({"x.example", false}, after, 10)).value();
      in_lane += page.copies.size();
      after = page.next;
    } while (after);
    EXPECT_EQ(in_lane, 1U);
  }
  EXPECT_EQ(copy(held, 7).state, RecipientState::Held);
  // Some were passed over, some were not: all come back.
  EXPECT_EQ(change(with_id(held), ports::QueueAction::Release).size(), 2500U);
  EXPECT_EQ(due_now().size(), 2501U);
  EXPECT_EQ(copy(held, 7).state, RecipientState::Waiting);
}

TEST_P(DeliveryContract, HoldsWhatCannotBeReadBesideWhatIsHeld) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  change(where(ports::QueueCondition::Field::Target, "a@x.example"), ports::QueueAction::Hold);
  ASSERT_TRUE(run(delivery().hold_damaged(id)));
  const auto totals = run(operators().totals()).value();
  EXPECT_EQ(totals.waiting, 0U);
  EXPECT_EQ(totals.held, 2U);
  EXPECT_TRUE(due_now().empty());
}

TEST_P(DeliveryContract, RemovesTheMessageWithItsLastCopy) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  const auto answer =
      record(id, {outcome(0, RecipientState::Delivered), outcome(1, RecipientState::Waiting)});
  EXPECT_EQ(answer.copies, (std::vector{Recorded::Yes, Recorded::Yes}));
  EXPECT_FALSE(answer.message_ended);
  EXPECT_TRUE(due().empty());
  EXPECT_EQ(copy(id, 0).state, RecipientState::Delivered);
  EXPECT_EQ(copy(id, 0).end, mail::End::Delivered);
  EXPECT_EQ(copy(id, 1).last.text, "later");
  EXPECT_EQ(copy(id, 1).last.status.to_string(), "4.2.0");
  EXPECT_EQ(copy(id, 1).attempts, 1U);
  EXPECT_EQ(copy(id, 1).next_due, kNow + 5min);
  EXPECT_TRUE(record(id, {outcome(1, RecipientState::Delivered, 1)}).message_ended);
  EXPECT_TRUE(is_gone(id));
  EXPECT_EQ(run(operators().totals())->messages, 0U);
  EXPECT_EQ(run(operators().totals())->bytes, 0U);
  EXPECT_EQ(
      run(delivery().record({.id = id, .copies = {outcome(1, RecipientState::Waiting)}})).error(),
      SpoolError::NotFound);
}

TEST_P(DeliveryContract, KnowsTheLastCopyInWhateverOrderTheyEnd) {
  for (const bool backwards : {false, true}) {
    const std::size_t copies = 20;
    std::vector<std::string> targets;
    for (std::size_t i = 0; i < copies; ++i) targets.push_back(std::to_string(i) + "@x.example");
    const auto id = add(message_to(targets));
    for (std::size_t i = 0; i < copies; ++i) {
      const auto index = static_cast<std::uint16_t>(backwards ? copies - 1 - i : i);
      EXPECT_EQ(record(id, {outcome(index, RecipientState::Delivered)}).message_ended,
                i == copies - 1)
          << i;
    }
    EXPECT_TRUE(is_gone(id));
  }
}

TEST_P(DeliveryContract, KeepsEachHostThatWasAsked) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  auto update = outcome(1, RecipientState::Waiting);
  update.attempts.front().at = kNow;
  update.attempts.front().tls_policy = mail::TlsLevel::Verify;
  update.attempts.front().tls_result = mail::TlsResult::CertificateExpired;
  auto second = update.attempts.front();
  second.at = kNow + 1s;
  second.host = "mx2.example";
  update.attempts.push_back(second);
  update.possible_duplicate = true;
  update.warned = true;
  record(id, {update});
  const auto stored = copy(id, 1);
  EXPECT_EQ(stored.last.host, "mx2.example");
  EXPECT_EQ(stored.last.tls_policy, mail::TlsLevel::Verify);
  EXPECT_EQ(stored.last.tls_result, mail::TlsResult::CertificateExpired);
  EXPECT_TRUE(stored.possible_duplicate);
  EXPECT_TRUE(stored.warned);
  auto third = outcome(1, RecipientState::Waiting, 1);
  third.attempts.front().at = kNow + 2s;
  record(id, {third});
  EXPECT_TRUE(copy(id, 1).possible_duplicate) << "it may have arrived, whatever came later";
  EXPECT_TRUE(copy(id, 1).warned);
  const auto attempts = run(operators().attempts(id)).value();
  ASSERT_EQ(attempts.size(), 3U);
  EXPECT_EQ(attempts[0].index, 1);
  EXPECT_EQ(attempts[0].attempt.host, "mx.example");
  EXPECT_EQ(attempts[0].attempt.tls_result, mail::TlsResult::CertificateExpired);
  EXPECT_EQ(attempts[1].attempt.host, "mx2.example");
  EXPECT_EQ(attempts[2].attempt.at, kNow + 2s);
}

/// No two attempts begin from the same number, so a late or repeated outcome changes nothing.
TEST_P(DeliveryContract, CountsAnAttemptOnce) {
  const auto id = add(message_to({"a@x.example"}));
  EXPECT_EQ(record_one(id, outcome(0, RecipientState::Waiting)), Recorded::Yes);
  EXPECT_EQ(record_one(id, outcome(0, RecipientState::Waiting)), Recorded::TooLate);
  EXPECT_EQ(record_one(id, outcome(0, RecipientState::Delivered)), Recorded::TooLate);
  EXPECT_EQ(record_one(id, outcome(0, RecipientState::Delivered, 2)), Recorded::TooLate);
  EXPECT_EQ(record_one(id, outcome(5, RecipientState::Delivered)), Recorded::TooLate);
  EXPECT_EQ(copy(id).attempts, 1U);
  EXPECT_EQ(copy(id).state, RecipientState::Waiting);
  EXPECT_EQ(run(operators().attempts(id))->size(), 1U);
  const auto both =
      record(id, {outcome(0, RecipientState::Waiting, 1), outcome(0, RecipientState::Failed, 1)});
  EXPECT_EQ(both.copies, (std::vector{Recorded::Yes, Recorded::TooLate}));
}

TEST_P(DeliveryContract, LeavesDroppedWhatWasDropped) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  change(where(ports::QueueCondition::Field::Target, "a@x.example"), ports::QueueAction::Drop);
  EXPECT_EQ(record_one(id, outcome(0, RecipientState::Waiting)), Recorded::TooLate);
  EXPECT_EQ(record_one(id, outcome(0, RecipientState::Delivered)), Recorded::TooLate);
  EXPECT_EQ(copy(id, 0).end, mail::End::Dropped);
  EXPECT_EQ(due().size(), 1U);
}

TEST_P(DeliveryContract, LetsDeliveredWinOverHeld) {
  const auto id = add(message_to({"a@x.example"}));
  change(with_id(id), ports::QueueAction::Hold);
  const auto answer = record(id, {outcome(0, RecipientState::Delivered)});
  EXPECT_EQ(answer.copies.front(), Recorded::DespiteHold);
  EXPECT_TRUE(answer.message_ended);
  EXPECT_TRUE(is_gone(id));
  EXPECT_EQ(run(operators().totals())->held, 0U);
}

TEST_P(DeliveryContract, KeepsHeldWhatWasHeldAndNotesTheAttempt) {
  const auto id = add(message_to({"a@x.example"}));
  change(with_id(id), ports::QueueAction::Hold);
  auto deferred = outcome(0, RecipientState::Waiting);
  deferred.notify = ports::Notify::OfDelay;
  deferred.warned = true;
  EXPECT_EQ(record_one(id, deferred), Recorded::StaysHeld);
  EXPECT_EQ(copy(id).state, RecipientState::Held);
  EXPECT_EQ(copy(id).attempts, 1U);
  EXPECT_EQ(copy(id).last.text, "later");
  EXPECT_FALSE(copy(id).warned);
  auto failed = outcome(0, RecipientState::Failed, 1);
  failed.notify = ports::Notify::OfFailure;
  failed.possible_duplicate = true;
  EXPECT_EQ(record_one(id, failed), Recorded::StaysHeld);
  EXPECT_EQ(copy(id).state, RecipientState::Held);
  EXPECT_EQ(copy(id).end, mail::End::None);
  EXPECT_TRUE(copy(id).possible_duplicate);
  EXPECT_EQ(run(operators().attempts(id))->size(), 2U);
  EXPECT_EQ(run(delivery().next_report_in()).value(), std::nullopt) << "nothing is owed";
  change(with_id(id), ports::QueueAction::Release);
  EXPECT_EQ(record_one(id, outcome(0, RecipientState::Delivered, 2)), Recorded::Yes);
}

/// Its time began anew: the outcome of an attempt that began before is stored, and decides nothing.
TEST_P(DeliveryContract, KeepsDueWhatWasReleasedDuringTheAttempt) {
  const auto id = add(message_to({"a@x.example"}));
  const auto began = copy(id);
  change(with_id(id), ports::QueueAction::Hold);
  clock_.advance(1h);
  change(with_id(id), ports::QueueAction::Release);
  restart();
  auto deferred = outcome_of(began, RecipientState::Waiting);
  deferred.notify = ports::Notify::OfDelay;
  deferred.warned = true;
  clock_.advance(1s);
  EXPECT_EQ(record_one(id, deferred), Recorded::StaysDue);
  EXPECT_EQ(copy(id).state, RecipientState::Waiting);
  EXPECT_EQ(copy(id).next_due, kNow + 1h);
  EXPECT_EQ(copy(id).released_at, kNow + 1h);
  EXPECT_EQ(copy(id).attempts, 1U);
  EXPECT_EQ(copy(id).last.text, "later");
  EXPECT_FALSE(copy(id).warned);
  EXPECT_EQ(due().size(), 1U);
  EXPECT_EQ(record_one(id, deferred), Recorded::TooLate) << "it is noted once";
  auto expired = outcome_of(began, RecipientState::Failed);
  expired.attempts_before = 1;
  expired.notify = ports::Notify::OfFailure;
  EXPECT_EQ(record_one(id, expired), Recorded::StaysDue);
  EXPECT_EQ(copy(id).end, mail::End::None);
  EXPECT_EQ(run(operators().attempts(id))->size(), 2U);
  EXPECT_EQ(run(delivery().next_report_in()).value(), std::nullopt) << "nothing is owed";
  EXPECT_EQ(record_one(id, outcome_of(copy(id), RecipientState::Waiting)), Recorded::Yes)
      << "this one began later";
  EXPECT_EQ(copy(id).next_due, kNow + 1h + 1s + 5min);
}

/// A retry ordered while an attempt hangs does not wait for the schedule.
TEST_P(DeliveryContract, KeepsDueWhatWasRetriedDuringTheAttempt) {
  const auto id = add(message_to({"a@x.example"}));
  const auto first = copy(id);
  EXPECT_EQ(change(with_id(id), ports::QueueAction::Retry).size(), 1U);
  EXPECT_EQ(record_one(id, outcome_of(first, RecipientState::Waiting)), Recorded::StaysDue);
  EXPECT_EQ(due().size(), 1U);
  EXPECT_EQ(record_one(id, outcome_of(copy(id), RecipientState::Waiting)), Recorded::Yes);
  EXPECT_TRUE(due().empty());
  EXPECT_EQ(change(with_id(id), ports::QueueAction::Retry).size(), 1U);
  EXPECT_EQ(due().size(), 1U);
  EXPECT_EQ(record_one(id, outcome_of(copy(id), RecipientState::Failed)), Recorded::Yes);
  EXPECT_TRUE(is_gone(id));
}

TEST_P(DeliveryContract, LetsDeliveredWinOverReleasedAndRetried) {
  for (const auto action : {ports::QueueAction::Release, ports::QueueAction::Retry}) {
    const auto id = add(message_to({"a@x.example"}));
    const auto began = copy(id);
    if (action == ports::QueueAction::Release) change(with_id(id), ports::QueueAction::Hold);
    change(with_id(id), action);
    EXPECT_EQ(record_one(id, outcome_of(began, RecipientState::Delivered)), Recorded::Yes);
    EXPECT_TRUE(is_gone(id));
  }
}

TEST_P(DeliveryContract, HoldsWhatAnAttemptFoundDamaged) {
  const auto id = add(message_to({"a@x.example"}));
  EXPECT_EQ(record_one(id, outcome(0, RecipientState::Held)), Recorded::Yes);
  EXPECT_EQ(copy(id).state, RecipientState::Held);
  EXPECT_TRUE(due().empty());
}

TEST_P(DeliveryContract, HoldsAMessageThatCannotBeRead) {
  const auto id = add(message_to({"a@x.example", "b@y.example", "c@z.example"}));
  const auto other = add(message_to({"d@x.example"}));
  record(id, {outcome(1, RecipientState::Delivered)});
  ASSERT_TRUE(run(delivery().hold_damaged(id)));
  ASSERT_TRUE(run(delivery().hold_damaged(id))) << "once more does no harm";
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due()[0].copy.message, other);
  EXPECT_EQ(run(operators().totals())->held, 2U);
  EXPECT_EQ(copy(id, 1).state, RecipientState::Delivered);
}

TEST_P(DeliveryContract, UndoesDueTimesThatAWrongClockMade) {
  clock_.jump_wall(24h * 365);
  const auto far = add(message_to({"a@x.example"}));
  const auto also_far = add(message_to({"b@x.example"}));
  clock_.jump_wall(-24h * 365);
  const auto soon = add(message_to({"c@x.example"}));
  record(soon, {outcome(0, RecipientState::Waiting)});
  EXPECT_TRUE(due().empty());
  EXPECT_EQ(run(delivery().undo_far_due_times(4h, 1)).value(), 1U);
  EXPECT_EQ(run(delivery().undo_far_due_times(4h, 10)).value(), 1U);
  EXPECT_EQ(run(delivery().undo_far_due_times(4h, 10)).value(), 0U);
  EXPECT_EQ(due().size(), 2U);
  EXPECT_EQ(copy(far).next_due, kNow);
  EXPECT_EQ(copy(also_far).next_due, kNow);
  EXPECT_EQ(run(delivery().next_due_in()).value(), 5min);
}

INSTANTIATE_TEST_SUITE_P(Each, DeliveryContract, kStores, store_name);

}  // namespace
}  // namespace relay::spool
