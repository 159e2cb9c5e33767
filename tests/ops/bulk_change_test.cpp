// Verbs that change many copies: in slices, each told to the delivery side, every copy in the log.
#include "relay/ops/bulk_change.hpp"

#include <gmock/gmock.h>

#include "relay/ops/copy_name.hpp"
#include "tests/ops/desk_house.hpp"

namespace relay::ops {
namespace {

using ports::QueueAction;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

class BulkChangeTest : public DeskHouse {
 protected:
  Answer<ChangeView> change(Verb verb, QueueAction action, std::string reason = "") {
    return run(desk_.change(order(verb, {"all"}, std::move(reason)), {}, action));
  }
};

TEST_F(BulkChangeTest, ChangesSliceBySliceAndTellsTheDeliverySideBeforeTheNext) {
  for (int i = 0; i < 5; ++i) add();
  queue_.looked_at = 2;
  std::vector<std::size_t> told;  // when a slice begins: slices that were told before
  queue_.before = [&](const std::string& call) {
    if (call == "change") told.push_back(delivery_.withdrawn.size());
  };
  delivery_.behind_the_dot = {{queue_.rows[1].copy, true}, {queue_.rows[4].copy, true}};
  const auto done = change(Verb::Hold, QueueAction::Hold);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->changed, 5U);
  EXPECT_EQ(done->under_way, 2U);
  EXPECT_EQ(told, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(delivery_.withdrawn.size(), 3U);
  EXPECT_EQ(delivery_.woken, 0);
}

/// A second order during the wait for a dot: copies that it finds held may still be taken.
TEST_F(BulkChangeTest, CountsWhatWasHeldBeforeAndIsBehindItsDot) {
  add();
  add();
  delivery_.behind_the_dot = {{queue_.rows[0].copy, true}};
  ASSERT_EQ(change(Verb::Hold, QueueAction::Hold)->under_way, 1U);
  const auto again = change(Verb::Hold, QueueAction::Hold);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->changed, 0U);
  EXPECT_EQ(again->under_way, 1U);
}

TEST_F(BulkChangeTest, ReachesCopiesInMemoryOnlyWhereTheyMustNotLeave) {
  const auto calls = [&](Verb verb, QueueAction action, const std::string& reason = "") {
    add();
    delivery_.withdrawn.clear();
    delivery_.woken = 0;
    const auto done = change(verb, action, reason);
    EXPECT_TRUE(done);
    return std::pair(!delivery_.withdrawn.empty(), delivery_.woken > 0);
  };
  EXPECT_EQ(calls(Verb::Retry, QueueAction::Retry), std::pair(false, true));
  EXPECT_EQ(calls(Verb::Hold, QueueAction::Hold), std::pair(true, false));
  EXPECT_EQ(calls(Verb::Release, QueueAction::Release), std::pair(false, true));
  EXPECT_EQ(calls(Verb::Bounce, QueueAction::Bounce, "spam"), std::pair(true, true));
  EXPECT_EQ(calls(Verb::Drop, QueueAction::Drop, "spam"), std::pair(true, false));
}

TEST_F(BulkChangeTest, WakesTheDeliverySideAfterTheFirstSliceAndAfterTheLast) {
  for (int i = 0; i < 6; ++i) add();
  queue_.looked_at = 2;
  std::vector<int> woken;
  queue_.before = [&](const std::string& call) {
    if (call == "change") woken.push_back(delivery_.woken);
  };
  ASSERT_TRUE(change(Verb::Hold, QueueAction::Hold));
  woken.clear();
  ASSERT_TRUE(change(Verb::Release, QueueAction::Release));
  EXPECT_EQ(woken, (std::vector{0, 1, 1}));
  EXPECT_EQ(delivery_.woken, 2);
}

TEST_F(BulkChangeTest, ARetryForgetsOutagesThoughNothingChanges) {
  const auto done = change(Verb::Retry, QueueAction::Retry);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->changed, 0U);
  EXPECT_EQ(delivery_.woken, 1);
  ASSERT_TRUE(change(Verb::Release, QueueAction::Release));
  EXPECT_EQ(delivery_.woken, 1);
}

TEST_F(BulkChangeTest, NeedsAReasonToEndCopies) {
  add();
  for (const auto& [verb, action] :
       {std::pair(Verb::Drop, QueueAction::Drop), std::pair(Verb::Bounce, QueueAction::Bounce)}) {
    const auto done = change(verb, action);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().exit, ExitCode::Usage);
    EXPECT_THAT(done.error().text, HasSubstr("needs --reason"));
    EXPECT_FALSE(change(verb, action, std::string(401, 'x')));
  }
  EXPECT_TRUE(queue_.reasons.empty());
  ASSERT_TRUE(change(Verb::Bounce, QueueAction::Bounce, "no such user any more"));
  EXPECT_EQ(queue_.reasons, std::vector<std::string>{"no such user any more"});
}

/// A record that can be used: every copy that was changed is named.
TEST_F(BulkChangeTest, NamesEveryChangedCopyInTheLogAHundredInALine) {
  for (int i = 0; i < 230; ++i) add();
  queue_.looked_at = 70;
  const auto done = run(desk_.change(order(Verb::Drop, {"to:x.example", "age:>1h"}, "spam run"), {},
                                     QueueAction::Drop));
  ASSERT_TRUE(done);
  EXPECT_EQ(done->changed, 230U);
  ASSERT_EQ(log_.lines.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(log_.kept[i]) << "it must not be dropped";
    EXPECT_THAT(log_.lines[i],
                HasSubstr(R"("event":"admin","verb":"queue.drop","filter":["to:x.example",)"
                          R"("age:>1h"],"reason":"spam run","uid":1000,"ids":[)"));
  }
  for (std::size_t i = 0; i < queue_.rows.size(); ++i) {
    EXPECT_THAT(log_.lines[i / 100], HasSubstr(copy_name(queue_.rows[i].copy)));
  }
  EXPECT_THAT(log_.lines[1], Not(HasSubstr("\"changed\"")));
  EXPECT_THAT(log_.lines[2], HasSubstr(R"("changed":230,"under_way":0})"));
}

TEST_F(BulkChangeTest, LogsAChangeThatChangedNothing) {
  ASSERT_TRUE(change(Verb::Hold, QueueAction::Hold));
  ASSERT_EQ(log_.lines.size(), 1U);
  EXPECT_THAT(log_.lines.front(), HasSubstr(R"("ids":[],"changed":0,"under_way":0})"));
}

TEST_F(BulkChangeTest, TellsOfWhatWasDoneWhenAChangeEndsEarly) {
  for (int i = 0; i < 5; ++i) add();
  queue_.looked_at = 2;
  queue_.fails = {{"change", {3, ports::SpoolError::Unknown}}};
  const auto done = change(Verb::Bounce, QueueAction::Bounce, "spam");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().exit, ExitCode::Partly);
  EXPECT_EQ(done.error().text, "4 changed, 0 under way, then: nobody knows whether it was stored");
  ASSERT_EQ(log_.lines.size(), 1U);
  EXPECT_THAT(log_.lines.front(), HasSubstr(copy_name(queue_.rows[3].copy)));
  EXPECT_THAT(log_.lines.front(),
              HasSubstr(R"("changed":4,"under_way":0,"problem":"nobody knows)"));
  EXPECT_GE(delivery_.woken, 2);  // what was changed is on its way

  queue_.fails = {{"change", {1, ports::SpoolError::Full}}};
  const auto nothing = change(Verb::Hold, QueueAction::Hold);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().exit, ExitCode::Temporary);
}

struct Told final : Progress {
  base::Task<> changed_so_far(std::uint64_t changed) override {
    counts.push_back(changed);
    co_return;
  }

  std::vector<std::uint64_t> counts;
};

TEST_F(BulkChangeTest, TellsHowFarAChangeHasComeFromTimeToTime) {
  for (int i = 0; i < 6; ++i) add();
  queue_.looked_at = 1;
  queue_.before = [this](const std::string&) { clock_.advance(1s); };
  Told told;
  const auto done = run(desk_.change(order(Verb::Hold), {}, QueueAction::Hold, &told));
  ASSERT_TRUE(done);
  EXPECT_EQ(told.counts, (std::vector<std::uint64_t>{2, 4}));
}

TEST_F(BulkChangeTest, KnowsWhichCopiesAVerbIsFor) {
  ports::QueueRow waiting;
  ports::QueueRow held;
  held.state = mail::RecipientState::Held;
  ports::QueueRow awaiting = held;
  awaiting.awaits = "me@x.example";
  ports::QueueRow ended;
  ended.state = mail::RecipientState::Delivered;
  const auto of = [&](QueueAction action) {
    return std::tuple(Desk::would_change(waiting, action), Desk::would_change(held, action),
                      Desk::would_change(awaiting, action), Desk::would_change(ended, action));
  };
  EXPECT_EQ(of(QueueAction::Retry), std::tuple(true, false, false, false));
  EXPECT_EQ(of(QueueAction::Hold), std::tuple(true, false, true, false));
  EXPECT_EQ(of(QueueAction::Release), std::tuple(false, true, true, false));
  EXPECT_EQ(of(QueueAction::Drop), std::tuple(true, true, true, false));
  EXPECT_EQ(of(QueueAction::Bounce), std::tuple(true, true, true, false));
}

/// Copies that wait, that are held, and that are held for consent.
TEST_F(BulkChangeTest, ADryRunCountsWhatTheVerbChanges) {
  for (const auto& [verb, word] :
       {std::pair(Verb::Retry, "queue.retry"), std::pair(Verb::Hold, "queue.hold"),
        std::pair(Verb::Release, "queue.release"), std::pair(Verb::Drop, "queue.drop"),
        std::pair(Verb::Bounce, "queue.bounce")}) {
    queue_.rows.clear();
    add();
    add().state = mail::RecipientState::Held;
    auto& awaiting = add();
    awaiting.state = mail::RecipientState::Held;
    awaiting.awaits = "me@x.example";
    const auto number_behind = [](const std::string& text, const std::string& key) {
      const std::size_t at = text.find(key);
      return at == text.npos ? -1 : std::atoi(text.c_str() + at + key.size());
    };
    const std::string more = R"(,"reason":"r")";
    const std::string would = say(word, {"all"}, more + R"(,"dry_run":true)");
    const std::string did = say(word, {"all"}, more);
    EXPECT_EQ(number_behind(would, "\"would_change\":"), number_behind(did, "\"changed\":"))
        << word << "\n"
        << would << did;
    EXPECT_GT(number_behind(did, "\"changed\":"), 0) << did;
  }
}

TEST_F(BulkChangeTest, CountsWhatItChanges) {
  add();
  add();
  ASSERT_TRUE(change(Verb::Hold, QueueAction::Hold));
  EXPECT_EQ(desk_.metrics().changed.at(Verb::Hold).value(), 2U);
  EXPECT_EQ(desk_.metrics().changed.at(Verb::Drop).value(), 0U);
  base::Registry registry;
  desk_.metrics().add_to(registry);
  int series = 0;
  registry.visit([&](const base::Series&) { ++series; });
  EXPECT_EQ(series, 24);
}

}  // namespace
}  // namespace relay::ops
