// How long an order keeps others from the queue: it goes in slices that end in time, get smaller
// when their commits take long, and leave no long log behind.
#include <filesystem>

#include <gtest/gtest.h>

#include "relay/spool/opened_database.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/spool/a_message.hpp"
#include "tests/spool/queue_folder.hpp"

namespace relay::spool {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ports::QueueAction;

/// Each look at it takes some time.
class SlowClock final : public fakes::FakeClock {
 public:
  using FakeClock::FakeClock;

  base::SteadyTime steady() const override { return FakeClock::steady() + looks_++ * look; }

  std::chrono::milliseconds look{0};

 private:
  mutable int looks_ = 0;
};

class Slices : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    auto opened = OpenedDatabase::open((folder_ / "queue.db").string(), clock_);
    ASSERT_TRUE(opened) << opened.error();
    database_ = std::move(*opened);
    const auto made = message_to(std::vector<std::string>(1000, "a@x.example"));
    const auto cut = ContentCut::of(made);
    database_.transactions->begin();
    ASSERT_TRUE(database_.tables->acceptance.accept(made, *cut, kNow));
    database_.transactions->commit();
  }

  void TearDown() override {
    database_ = {};
    fs::remove_all(folder_);
  }

  /// Copies changed by the next slice, in a transaction whose commit takes so long.
  std::size_t change(QueueAction action, std::chrono::milliseconds commit = 0ms) {
    database_.transactions->begin();
    const auto slice = database_.tables->changes.change({}, action, "r", after_);
    clock_.advance(commit);
    database_.transactions->commit();
    after_ = slice.next;
    return slice.changed.size();
  }

  SlowClock clock_{kNow};
  OpenedDatabase database_;
  std::optional<mail::CopyId> after_;
  const fs::path folder_ = queue_folder("slices");
};

TEST_F(Slices, EndWhenTheirTimeIsOver) {
  clock_.look = 4ms;
  const std::size_t changed = change(QueueAction::Release) + change(QueueAction::Retry);
  EXPECT_GT(changed, 0U);
  EXPECT_LT(changed, 10U) << "a change looks at the clock, and 15 ms have room for three looks";
  EXPECT_TRUE(after_);
}

TEST_F(Slices, GetSmallerWhileTheirCommitsTakeLong) {
  EXPECT_EQ(change(QueueAction::Retry, 19ms), 100U);
  EXPECT_EQ(change(QueueAction::Retry, 21ms), 100U);
  EXPECT_EQ(change(QueueAction::Retry, 21ms), 50U);
  EXPECT_EQ(change(QueueAction::Retry, 21ms), 25U);
  EXPECT_EQ(change(QueueAction::Retry, 15ms), 25U) << "no fewer, or it would never end";
  EXPECT_EQ(change(QueueAction::Retry, 9ms), 25U);
  EXPECT_EQ(change(QueueAction::Retry, 9ms), 50U);
  EXPECT_EQ(change(QueueAction::Retry, 9ms), 100U);
}

/// The time of a slice that was undone does not count.
TEST_F(Slices, AreJudgedByTheirOwnTransaction) {
  database_.transactions->begin();
  static_cast<void>(database_.tables->changes.change({}, QueueAction::Retry, "r", {}));
  database_.transactions->roll_back();
  clock_.advance(1s);
  database_.transactions->begin();
  database_.transactions->commit();
  EXPECT_EQ(change(QueueAction::Retry), 100U);
}

}  // namespace
}  // namespace relay::spool
