// Contract of every queue: copies whose alias has a fallback: it takes over in the transaction that
// shows that the others failed, so that there is never a DSN and a fallback's copy, nor neither.
#include <algorithm>

#include <gmock/gmock.h>

#include "tests/spool/queue_contract.hpp"

namespace relay::spool {
namespace {

using namespace std::chrono_literals;
using mail::RecipientState;
using ports::Notify;
using ports::QueueAction;
using ports::Recorded;
using testing::ElementsAre;
using testing::IsEmpty;

ports::CopyUpdate failure(std::uint16_t index, std::uint32_t attempts_before = 0) {
  auto update = outcome(index, RecipientState::Failed, attempts_before);
  update.notify = Notify::OfFailure;
  return update;
}

ports::CopyUpdate late(std::uint16_t index, std::uint32_t attempts_before = 0) {
  auto update = outcome(index, RecipientState::Waiting, attempts_before);
  update.notify = Notify::OfDelay;
  update.warned = true;
  update.overdue = true;
  return update;
}

ports::CopyUpdate delivered(std::uint16_t index, std::uint32_t attempts_before = 0) {
  return outcome(index, RecipientState::Delivered, attempts_before);
}

class FallbackContract : public QueueContract {
 protected:
  /// Copies 0 and 1, with copy 2 for a fallback.
  mail::MessageId add_group() { return add(group()); }

  static ports::NewMessage group() {
    auto made = message_to({"a@x.example", "b@y.example", "c@z.example"});
    for (auto& route : made.routes) route.group = 1;
    made.routes[2].stands_by = true;
    return made;
  }

  RecipientState state_of(const mail::MessageId& id, std::uint16_t index) {
    return load(id, {index}).recipients.at(0).state;
  }

  std::vector<std::string> due_targets() {
    std::vector<std::string> found;
    for (const auto& one : due_now()) {
      found.push_back(
          load(one.copy.message, {one.copy.index}).recipients.at(0).route.target.to_string());
    }
    std::ranges::sort(found);
    return found;
  }

  std::vector<std::uint16_t> owed(const mail::MessageId& id) {
    std::vector<std::uint16_t> indices;
    const auto notices = run(delivery().notices(id));
    if (!notices) return indices;
    for (const auto& notice : notices->notices) indices.push_back(notice.index);
    return indices;
  }

  static ports::QueueFilter to(const std::string& target) {
    return {.conditions = {{.field = ports::QueueCondition::Field::Target, .text = target}}};
  }

  std::uint64_t waiting() { return run(operators().totals())->waiting; }
};

TEST_P(FallbackContract, StandsByUntilItIsNeeded) {
  const auto id = add_group();
  EXPECT_THAT(due_targets(), ElementsAre("a@x.example", "b@y.example"));
  EXPECT_EQ(waiting(), 2U);
  EXPECT_EQ(state_of(id, 2), RecipientState::StandsBy);
  EXPECT_EQ(run(operators().list({}, std::nullopt, 9))->rows.size(), 2U);
  EXPECT_EQ(run(operators().copies(id))->size(), 3U);
  restart();
  EXPECT_EQ(state_of(id, 2), RecipientState::StandsBy);
  EXPECT_EQ(load(id, {2}).recipients[0].route.group, 1U);
}

TEST_P(FallbackContract, TakesOverWithTheLastFailure) {
  const auto id = add_group();
  EXPECT_THAT(record(id, {failure(0)}).taken_over, IsEmpty());
  EXPECT_THAT(owed(id), IsEmpty());  // it may all end well
  restart();
  clock_.advance(1h);
  const auto answer = record(id, {failure(1)});
  ASSERT_EQ(answer.taken_over.size(), 1U);
  EXPECT_EQ(answer.taken_over[0].alias, "info@fwd.example");
  EXPECT_THAT(answer.taken_over[0].targets, ElementsAre("c@z.example"));
  EXPECT_THAT(answer.taken_over[0].replaced, IsEmpty());
  EXPECT_FALSE(answer.taken_over[0].was_late);
  EXPECT_FALSE(answer.message_ended);
  EXPECT_THAT(owed(id), IsEmpty());
  EXPECT_EQ(run(operators().totals())->owed_reports, 0U);
  EXPECT_EQ(waiting(), 1U);
  restart();
  EXPECT_THAT(due_targets(), ElementsAre("c@z.example"));
  // It has all the time there is to deliver a copy.
  EXPECT_EQ(load(id, {2}).recipients[0].released_at, kNow + 1h);
  EXPECT_TRUE(record(id, {delivered(2)}).message_ended);
  EXPECT_TRUE(is_gone(id));
  EXPECT_EQ(waiting(), 0U);
}

TEST_P(FallbackContract, OwesADsnWhenTheFallbackFailsToo) {
  const auto id = add_group();
  EXPECT_EQ(record(id, {failure(0), failure(1)}).taken_over.size(), 1U);
  const auto answer = record(id, {failure(2)});
  EXPECT_THAT(answer.taken_over, IsEmpty());
  EXPECT_TRUE(answer.message_ended);
  EXPECT_THAT(owed(id), ElementsAre(2));
  EXPECT_EQ(run(delivery().reports_due(9))->size(), 1U);
}

/// A failure that the fallback will not make good is told when that is known.
TEST_P(FallbackContract, IsNotNeededOnceSomethingWasDelivered) {
  const auto id = add_group();
  record(id, {failure(0)});
  EXPECT_THAT(owed(id), IsEmpty());
  EXPECT_TRUE(record(id, {delivered(1)}).message_ended);
  EXPECT_THAT(owed(id), ElementsAre(0));
  EXPECT_THAT(due_targets(), IsEmpty());

  const auto other = add_group();
  record(other, {delivered(0)});
  EXPECT_THAT(record(other, {failure(1)}).taken_over, IsEmpty());
  EXPECT_THAT(owed(other), ElementsAre(1));

  const auto both = add_group();
  record(both, {delivered(0)});
  EXPECT_TRUE(record(both, {delivered(1)}).message_ended);
  EXPECT_TRUE(is_gone(both));
}

/// Two copies in one update complete each other's condition, in either order.
TEST_P(FallbackContract, LooksAtAllOfAnUpdate) {
  for (const bool first : {true, false}) {
    const auto id = add_group();
    const auto answer =
        first ? record(id, {failure(0), delivered(1)}) : record(id, {delivered(0), failure(1)});
    EXPECT_THAT(answer.taken_over, IsEmpty());
    EXPECT_THAT(owed(id), ElementsAre(first ? 0 : 1));
    const auto waits = add_group();
    EXPECT_THAT(
        (first ? record(waits, {late(0), delivered(1)}) : record(waits, {delivered(0), late(1)}))
            .taken_over,
        IsEmpty());
    EXPECT_THAT(owed(waits), ElementsAre(first ? 0 : 1));
    EXPECT_EQ(state_of(waits, first ? 0 : 1), RecipientState::Waiting);
  }
}

TEST_P(FallbackContract, TakesOverFromWhatWaitsForTooLong) {
  const auto id = add_group();
  record(id, {outcome(1, RecipientState::Waiting)});
  const auto answer = record(id, {late(0)});
  ASSERT_EQ(answer.taken_over.size(), 1U);
  EXPECT_TRUE(answer.taken_over[0].was_late);
  EXPECT_THAT(answer.taken_over[0].replaced, ElementsAre(0, 1));
  EXPECT_THAT(answer.copies, ElementsAre(Recorded::Yes));
  EXPECT_THAT(owed(id), IsEmpty());  // neither of the delay nor of an end
  const auto loaded = load(id, {0, 1});
  for (const auto& copy : loaded.recipients) {
    EXPECT_EQ(copy.state, RecipientState::Failed);
    EXPECT_EQ(copy.end, mail::End::Replaced);
  }
  clock_.advance(1h);
  EXPECT_THAT(due_targets(), ElementsAre("c@z.example"));
  EXPECT_EQ(waiting(), 1U);
  // Somebody was in the middle of the other one.
  EXPECT_THAT(record(id, {delivered(1, 1)}).copies, ElementsAre(Recorded::TooLate));
  EXPECT_TRUE(record(id, {delivered(2)}).message_ended);
  EXPECT_TRUE(is_gone(id));
}

TEST_P(FallbackContract, LeavesToTheOperatorWhatHeHolds) {
  const auto id = add_group();
  change(to("a@x.example"), QueueAction::Hold);
  EXPECT_THAT(record(id, {failure(1)}).taken_over, IsEmpty());  // the other may still go
  EXPECT_THAT(owed(id), IsEmpty());
  change(to("a@x.example"), QueueAction::Release);
  auto failed = failure(0);
  failed.changes_before = load(id).recipients[0].changes;
  EXPECT_EQ(record(id, {failed}).taken_over.size(), 1U);

  const auto other = add_group();
  change(to("a@x.example"), QueueAction::Hold);
  const auto answer = record(other, {late(1)});
  ASSERT_EQ(answer.taken_over.size(), 1U);
  EXPECT_THAT(answer.taken_over[0].replaced, ElementsAre(1));
  EXPECT_EQ(state_of(other, 0), RecipientState::Held);
}

TEST_P(FallbackContract, DoesNotTakeADropForAFailure) {
  const auto gone = add_group();
  EXPECT_EQ(change({}, QueueAction::Drop).size(), 2U);
  EXPECT_TRUE(is_gone(gone));

  // The failure is owed to the sender, because no fallback can take over.
  const auto id = add_group();
  record(id, {failure(0)});
  change({}, QueueAction::Drop);
  EXPECT_THAT(owed(id), ElementsAre(0));
  EXPECT_THAT(due_targets(), IsEmpty());
  ASSERT_TRUE(run(delivery().report({.id = id, .notices = {{0, Notify::OfFailure}}, .dsns = {}})));
  EXPECT_TRUE(is_gone(id));

  // Of those that were left to fail, all have.
  const auto rest = add_group();
  change(to("a@x.example"), QueueAction::Drop);
  EXPECT_EQ(record(rest, {failure(1)}).taken_over.size(), 1U);
  EXPECT_THAT(due_targets(), ElementsAre("c@z.example"));
}

TEST_P(FallbackContract, LeavesADsnToTheOperatorWhoOrderedIt) {
  const auto id = add_group();
  change(to("a@x.example"), QueueAction::Bounce);
  EXPECT_THAT(owed(id), ElementsAre(0));
  EXPECT_EQ(record(id, {failure(1)}).taken_over.size(), 1U);
  EXPECT_THAT(owed(id), ElementsAre(0));
  const auto all = add_group();
  change({.conditions = {{.field = ports::QueueCondition::Field::Id, .text = all.to_string()}}},
         QueueAction::Bounce);
  EXPECT_THAT(owed(all), ElementsAre(0, 1));
}

/// Each alias has its own, and other recipients have none.
TEST_P(FallbackContract, KnowsItsGroupFromOthers) {
  auto made = group();
  for (const char* target : {"d@x.example", "e@z.example", "f@x.example"}) {
    made.routes.push_back(route_to(static_cast<std::uint16_t>(made.routes.size()), target));
  }
  made.routes[3].group = made.routes[4].group = 2;
  made.routes[4].stands_by = true;
  const auto id = add(made);
  record(id, {failure(5)});
  EXPECT_THAT(owed(id), ElementsAre(5));
  const auto answer = record(id, {failure(0), failure(3)});
  ASSERT_EQ(answer.taken_over.size(), 1U);
  EXPECT_THAT(answer.taken_over[0].targets, ElementsAre("e@z.example"));
  EXPECT_THAT(due_targets(), ElementsAre("b@y.example", "e@z.example"));
  EXPECT_FALSE(record(id, {delivered(4)}).message_ended);
  EXPECT_TRUE(record(id, {delivered(1)}).message_ended);
  EXPECT_THAT(owed(id), ElementsAre(0, 5));
}

INSTANTIATE_TEST_SUITE_P(Each, FallbackContract, kStores, store_name);

}  // namespace
}  // namespace relay::spool
