#include "relay/delivery/queue_scan.hpp"

#include <gtest/gtest.h>

#include "tests/delivery/run_task.hpp"
#include "tests/fakes/memory_spool.hpp"

namespace relay::delivery {
namespace {

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

class QueueScanTest : public testing::Test {
 protected:
  void add(const std::string& target, base::WallTime due, bool risk_pool = false) {
    ports::NewMessage made;
    made.message.id = mail::MessageId::generate(kNow);
    made.message.received_at = kNow;
    made.routes.push_back({.index = 0,
                           .original = mail::ForwardPath(*mail::Mailbox::parse("i@fwd.example")),
                           .target = *mail::Mailbox::parse(target),
                           .reverse_path = mail::ReversePath::null(),
                           .handling = {.risk_pool = risk_pool}});
    made.first_due = due;
    ASSERT_TRUE(run_task(spool_.commit(std::move(made))));
  }

  fakes::MemorySpool spool_;
  base::Published<Policy> policy_{
      std::make_shared<const Policy>(*mail::Domain::parse("mx.fwd.example"))};
  std::vector<std::string> spawned_;
  WorkStore store_{[](WorkStore::LanePtr) {}, [] {}};
  QueueScan scan_{spool_, store_, policy_};
};

TEST_F(QueueScanTest, ClaimsWhatIsDueOnceOnly) {
  add("a@x.example", kNow);
  add("b@y.example", kNow - std::chrono::hours(1));
  add("c@z.example", kNow + std::chrono::minutes(10));
  ASSERT_TRUE(run_task(scan_.look(kNow, true)));
  EXPECT_EQ(store_.totals().copies, 2U);
  EXPECT_EQ(store_.totals().lanes, 2U);
  EXPECT_FALSE(scan_.backlog());
  ASSERT_TRUE(run_task(scan_.look(kNow, true)));
  EXPECT_EQ(store_.totals().copies, 2U);
  ASSERT_TRUE(run_task(scan_.look(kNow + std::chrono::minutes(11), false)));
  EXPECT_EQ(store_.totals().copies, 3U);
}

TEST_F(QueueScanTest, TheRiskPoolHasLanesOfItsOwnAndIsNoBacklogForOthers) {
  Limits limits;
  limits.risk_copies_total = 10;
  store_.set_limits(limits);
  for (int i = 0; i < 50; ++i) add("a@x.example", kNow - std::chrono::hours(1), true);
  add("b@x.example", kNow);
  ASSERT_TRUE(run_task(scan_.look(kNow, true)));
  EXPECT_EQ(store_.totals().lanes, 2U);
  EXPECT_EQ(store_.totals().copies, 11U);
  EXPECT_FALSE(scan_.backlog());
  EXPECT_TRUE(scan_.left_behind());
}

/// a crowd for one dead destination does not stand in front of everybody else.
TEST_F(QueueScanTest, ACrowdForOneDestinationLeavesRoomForOthers) {
  Limits limits;
  limits.copies_per_lane = 10;
  limits.copies_total = 100;
  store_.set_limits(limits);
  for (int i = 0; i < 500; ++i) add("a@dead.example", kNow - std::chrono::hours(2));
  add("b@alive.example", kNow);
  for (int looks = 0; looks < 3; ++looks) ASSERT_TRUE(run_task(scan_.look(kNow, looks == 0)));
  EXPECT_EQ(store_.totals().copies, 11U);
  EXPECT_EQ(store_.totals().lanes, 2U);
  EXPECT_TRUE(scan_.backlog());
}

/// K-6: what a wrong clock put into the far future is due, too.
TEST(IsDue, ATimeTooFarOffWasMadeByAWrongClock) {
  const RetryPolicy policy;
  EXPECT_TRUE(is_due(kNow, kNow, policy));
  EXPECT_FALSE(is_due(kNow + std::chrono::minutes(1), kNow, policy));
  EXPECT_FALSE(is_due(kNow + std::chrono::hours(4), kNow, policy));
  EXPECT_TRUE(is_due(kNow + std::chrono::hours(24 * 3650), kNow, policy));
}

}  // namespace
}  // namespace relay::delivery
