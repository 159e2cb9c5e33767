#include "relay/delivery/work_store.hpp"

#include <gtest/gtest.h>

#include "relay/delivery/lane.hpp"
#include "tests/delivery/run_task.hpp"

namespace relay::delivery {
namespace {

using Added = WorkStore::Added;
using std::chrono::seconds;

const base::SteadyTime kStart{std::chrono::hours(100)};

mail::MessageId id(unsigned char number) {
  return mail::MessageId::make(base::WallTime{std::chrono::milliseconds(1)}, {number});
}

Job job(unsigned char number, std::vector<std::uint16_t> indices = {0}) {
  Job made;
  made.id = id(number);
  made.indices = std::move(indices);
  made.offered_at = kStart;
  return made;
}

Job risky(unsigned char number, std::vector<std::uint16_t> indices = {0}) {
  Job made = job(number, std::move(indices));
  made.risk_pool = true;
  return made;
}

class WorkStoreTest : public testing::Test {
 protected:
  WorkStoreTest() { set_limits({}); }

  void set_limits(Limits limits) { store_.set_limits(limits); }

  std::optional<Job> next(const WorkStore::LanePtr& lane) {
    return run_task(store_.next(lane, false, kStart));
  }

  std::vector<WorkStore::LanePtr> spawned_;
  int refills_ = 0;
  WorkStore store_{[this](WorkStore::LanePtr lane) { spawned_.push_back(std::move(lane)); },
                   [this] { ++refills_; }};
};

TEST_F(WorkStoreTest, ACopyIsClaimedOnceUntilItIsReleased) {
  EXPECT_EQ(store_.add("x", job(1)), Added::Claimed);
  EXPECT_EQ(store_.add("x", job(1)), Added::Known);
  EXPECT_EQ(store_.add("y", job(1)), Added::Known) << "whatever lane it stands in";
  ASSERT_EQ(spawned_.size(), 1U);
  ASSERT_TRUE(next(spawned_[0]));
  EXPECT_EQ(store_.add("x", job(1)), Added::Known) << "under way";
  store_.release(id(1), {0});
  EXPECT_EQ(store_.add("x", job(1)), Added::Claimed);
}

TEST_F(WorkStoreTest, CopiesOfOneMessageTravelTogether) {
  store_.pause(true);
  EXPECT_EQ(store_.add("x", job(1, {0})), Added::Claimed);
  EXPECT_EQ(store_.add("x", job(1, {1, 2})), Added::Claimed);
  store_.pause(false);
  EXPECT_EQ(store_.add("x", job(2)), Added::Claimed);
  ASSERT_FALSE(spawned_.empty());
  const auto first = next(spawned_[0]);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->indices, (std::vector<std::uint16_t>{0, 1, 2}));
  EXPECT_EQ(next(spawned_[0])->id, id(2));
}

TEST_F(WorkStoreTest, IsBoundedPerLaneAndInAll) {
  Limits few;
  few.copies_per_lane = 3;
  few.copies_total = 5;
  set_limits(few);
  for (unsigned char i = 1; i <= 3; ++i) EXPECT_EQ(store_.add("x", job(i)), Added::Claimed);
  EXPECT_EQ(store_.add("x", job(4)), Added::Full);
  EXPECT_EQ(store_.add("y", job(5)), Added::Claimed);
  EXPECT_EQ(store_.add("z", job(6)), Added::Claimed);
  EXPECT_EQ(store_.add("z", job(7)), Added::Full);
  EXPECT_EQ(store_.totals().copies, 5U);
}

TEST_F(WorkStoreTest, SessionsPerLaneAndInAllAreLimited) {
  Limits few;
  few.sessions_per_lane = 2;
  few.sessions_total = 3;
  set_limits(few);
  for (unsigned char i = 1; i <= 10; ++i) store_.add("x", job(i));
  EXPECT_EQ(spawned_.size(), 2U);
  for (unsigned char i = 11; i <= 20; ++i) store_.add("y", job(i));
  EXPECT_EQ(spawned_.size(), 3U);
  store_.session_ended(spawned_[0]);
  EXPECT_EQ(spawned_.size(), 4U) << "its place goes to whoever waits";
}

/// One dead host costs one attempt in a while, not one per message.
TEST_F(WorkStoreTest, AnOutageAnswersForAllUntilItIsOver) {
  store_.add("x", job(1));
  const auto lane = spawned_.at(0);
  mail::Outcome refused;
  refused.attempt.text = "connection refused";
  store_.set_outage(lane, refused, kStart);
  ASSERT_TRUE(store_.outage(lane, kStart + seconds(29)));
  EXPECT_EQ(store_.outage(lane, kStart + seconds(29))->attempt.text, "connection refused");
  EXPECT_FALSE(store_.outage(lane, kStart + seconds(31)));
  store_.set_outage(lane, refused, kStart + seconds(31));
  EXPECT_TRUE(store_.outage(lane, kStart + seconds(31 + 59))) << "doubled";
  for (int i = 0; i < 40; ++i) store_.set_outage(lane, refused, kStart);
  EXPECT_FALSE(store_.outage(lane, kStart + std::chrono::hours(1))) << "but never for long";
  store_.set_outage(lane, refused, kStart);
  store_.clear_outages();
  EXPECT_FALSE(store_.outage(lane, kStart));
}

TEST_F(WorkStoreTest, TheRiskPoolHasAShareOfEverythingAndNoMore) {
  Limits few;
  few.risk_sessions_per_lane = 1;
  few.risk_sessions_total = 2;
  few.risk_copies_total = 12;
  set_limits(few);
  for (unsigned char i = 1; i <= 5; ++i) EXPECT_EQ(store_.add("risk x", risky(i)), Added::Claimed);
  EXPECT_EQ(spawned_.size(), 1U) << "of its lane";
  for (unsigned char i = 6; i <= 10; ++i) store_.add("risk y", risky(i));
  for (unsigned char i = 11; i <= 12; ++i) store_.add("risk z", risky(i));
  EXPECT_EQ(spawned_.size(), 2U) << "of all of them";
  EXPECT_EQ(store_.add("risk z", risky(13)), Added::Later);
  EXPECT_EQ(refills_, 0);
  EXPECT_EQ(store_.add("x", job(14)), Added::Claimed);
  EXPECT_EQ(spawned_.size(), 3U);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(next(spawned_[0]));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(next(spawned_[1]));
  EXPECT_EQ(refills_, 1) << "there is room again";
  store_.session_ended(spawned_[0]);
  store_.tick(kStart);
  EXPECT_EQ(spawned_.size(), 4U);
}

TEST_F(WorkStoreTest, TimeLetsTheRiskPoolGoOn) {
  Limits slow;
  slow.risk_rate = {.count = 2, .span = seconds(10)};
  set_limits(slow);
  store_.add("risk x", risky(1, {0, 1, 2, 3, 4}));
  store_.add("x", job(2, {0, 1, 2, 3, 4}));
  EXPECT_EQ(next(spawned_[0])->indices, (std::vector<std::uint16_t>{0, 1})) << "the rest waits";
  EXPECT_EQ(next(spawned_[1])->indices.size(), 5U) << "only of the pool";
  EXPECT_FALSE(next(spawned_[0]));
  ASSERT_TRUE(store_.pace("risk x", id(1), 4));
  EXPECT_EQ(store_.pace("risk x", id(1), 4)->rate.count, 2U);
  EXPECT_FALSE(store_.pace("x", id(2), 0));
  store_.session_ended(spawned_[0]);
  store_.tick(kStart + seconds(4));
  EXPECT_EQ(spawned_.size(), 2U);
  store_.tick(kStart + seconds(5));
  ASSERT_EQ(spawned_.size(), 3U);
  EXPECT_FALSE(store_.pace("risk x", id(1), 4));
  EXPECT_EQ(next(spawned_[2])->indices, (std::vector<std::uint16_t>{2}));
}

/// Whatever the setting, no minute sees more than it says and a sixth.
TEST(EvenedOut, SpreadsARate) {
  for (const std::uint32_t count : {1U, 2U, 5U, 7U, 60U, 100U, 6000U, 1'000'000U}) {
    const base::Rate rate = evened_out({.count = count, .span = seconds(60)});
    const double in_a_minute = rate.count * 60.0 / static_cast<double>(rate.span.count());
    EXPECT_LE(in_a_minute, count) << count;
    EXPECT_GE(in_a_minute, count * 0.8) << count;
    EXPECT_LE(rate.count, std::max(count / 6, 1U)) << count;
  }
  EXPECT_EQ(evened_out({.count = 0, .span = seconds(60)}).count, 1U) << "never nothing for ever";
  EXPECT_EQ(evened_out({.count = 10, .span = seconds(3600)}).span, seconds(360));
}

TEST_F(WorkStoreTest, AfterStopNobodyGetsWork) {
  store_.add("x", job(1));
  store_.stop();
  EXPECT_FALSE(next(spawned_.at(0)));
}

TEST_F(WorkStoreTest, AnEmptyLaneIsForgotten) {
  store_.add("x", job(1));
  ASSERT_TRUE(next(spawned_.at(0)));
  store_.release(id(1), {0});
  EXPECT_FALSE(next(spawned_.at(0)));
  store_.session_ended(spawned_.at(0));
  store_.tick(kStart + std::chrono::hours(1));
  EXPECT_EQ(store_.totals().lanes, 0U);
  EXPECT_EQ(store_.totals().sessions, 0U);
}

}  // namespace
}  // namespace relay::delivery
