// Greylisting over the real queue and over the fake that stands for it, and what only the real one
// has: rows that survive, and visits that cost no sync.
#include <filesystem>
#include <functional>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include "relay/spool/sqlite_spool.hpp"
#include "tests/dns/turn_loop.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fault_vfs.hpp"
#include "tests/fakes/memory_spool.hpp"
#include "tests/spool/a_message.hpp"

namespace relay::spool {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ports::GreylistAnswer;

constexpr std::int64_t kRows = 40;
constexpr ports::GreylistRules kRules{.delay = 300s,
                                      .retry_window = std::chrono::seconds(48h),
                                      .remember = std::chrono::seconds(24h * 36),
                                      .trusted_after = 3};

enum class Which { Memory, Sqlite };

class GreylistContract : public testing::TestWithParam<Which> {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("srs-relay-greylist-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    open();
  }

  void TearDown() override {
    spool_.reset();
    fs::remove_all(folder_);
  }

  void open(ports::Clock* clock = nullptr) {
    if (GetParam() == Which::Memory) {
      spool_ = std::make_unique<fakes::MemorySpool>(kRows);
      return;
    }
    auto opened = SqliteSpool::open({.path = path(),
                                     .greylist_rows = kRows,
                                     .clock = clock,
                                     .token_round = std::chrono::seconds(60)});
    ASSERT_TRUE(opened) << opened.error();
    spool_ = std::move(*opened);
  }

  std::string path() const { return (folder_ / "queue.db").string(); }

  GreylistAnswer visit(const std::string& sender, base::WallTime now,
                       const std::string& network = "network") {
    const auto answer =
        dns::turn_loop(io_, spool_->greylist({"sender " + sender, network}, kRules, now));
    EXPECT_TRUE(answer);
    return answer.value_or(GreylistAnswer::TooSoon);
  }

  /// Comes, waits and comes again.
  void pass(const std::string& sender, base::WallTime now, const std::string& network = "network") {
    ASSERT_EQ(visit(sender, now, network), GreylistAnswer::First);
    ASSERT_EQ(visit(sender, now + kRules.delay, network), GreylistAnswer::Passed);
  }

  fs::path folder_;
  boost::asio::io_context io_;
  std::unique_ptr<ports::Spool> spool_;
};

TEST_P(GreylistContract, LetsThroughWhoComesAgainAfterTheDelay) {
  EXPECT_EQ(visit("a", kNow), GreylistAnswer::First);
  EXPECT_EQ(visit("a", kNow + 1s), GreylistAnswer::TooSoon);
  EXPECT_EQ(visit("a", kNow + 299s), GreylistAnswer::TooSoon) << "the delay counts from the first";
  EXPECT_EQ(visit("b", kNow + 299s), GreylistAnswer::First) << "everybody waits for himself";
  EXPECT_EQ(visit("a", kNow + 300s), GreylistAnswer::Passed);
  EXPECT_EQ(visit("a", kNow + 300s), GreylistAnswer::Known);
  EXPECT_EQ(visit("b", kNow + 300s), GreylistAnswer::TooSoon);
}

TEST_P(GreylistContract, ForgetsWhoDoesNotComeAgain) {
  EXPECT_EQ(visit("a", kNow), GreylistAnswer::First);
  EXPECT_EQ(visit("a", kNow + 48h), GreylistAnswer::First);
  EXPECT_EQ(visit("a", kNow + 48h + 300s), GreylistAnswer::Passed);
}

TEST_P(GreylistContract, RemembersFromTheLastVisit) {
  pass("a", kNow);
  base::WallTime now = kNow;
  for (int i = 0; i < 5; ++i) {
    now += 24h * 30;
    EXPECT_EQ(visit("a", now), GreylistAnswer::Known);
  }
  EXPECT_EQ(visit("a", now + 24h * 36), GreylistAnswer::First);
}

TEST_P(GreylistContract, TrustsANetworkThatHasPassedOftenEnough) {
  pass("a", kNow);
  pass("b", kNow + 1h);
  EXPECT_EQ(visit("other", kNow + 2h), GreylistAnswer::First);
  pass("c", kNow + 2h);
  EXPECT_EQ(visit("new", kNow + 3h), GreylistAnswer::TrustedNetwork);
  EXPECT_EQ(visit("new", kNow + 3h, "elsewhere"), GreylistAnswer::First);
  EXPECT_EQ(visit("new", kNow + 24h * 39), GreylistAnswer::First) << "trust ends like the rest";
}

TEST_P(GreylistContract, CountsOneMessageToManyAsOneTime) {
  for (const char* recipient : {"a", "b", "c", "d", "e"}) visit(recipient, kNow);
  for (const char* recipient : {"a", "b", "c", "d", "e"}) {
    EXPECT_EQ(visit(recipient, kNow + 10min), GreylistAnswer::Passed);
  }
  EXPECT_EQ(visit("new", kNow + 11min), GreylistAnswer::First);
}

TEST_P(GreylistContract, IsNotDeceivedByAClockThatWasAhead) {
  EXPECT_EQ(visit("a", kNow + 24h), GreylistAnswer::First);
  EXPECT_EQ(visit("a", kNow), GreylistAnswer::First);
  EXPECT_EQ(visit("a", kNow + 300s), GreylistAnswer::Passed);
}

/// Half of the room is for those who wait: the oldest goes. Those who passed stay.
TEST_P(GreylistContract, IsBounded) {
  pass("regular", kNow, "regular's network");
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(visit(std::to_string(i), kNow + 1h + std::chrono::milliseconds(i)),
              GreylistAnswer::First);
  }
  const base::WallTime later = kNow + 1h + 1s + kRules.delay;
  EXPECT_EQ(visit("999", later), GreylistAnswer::Passed);
  EXPECT_EQ(visit(std::to_string(1000 - kRows / 2), later), GreylistAnswer::Passed);
  EXPECT_EQ(visit("regular", later, "regular's network"), GreylistAnswer::Known);
  EXPECT_EQ(visit(std::to_string(1000 - kRows / 2 - 1), later), GreylistAnswer::First);
}

TEST_P(GreylistContract, DropsTheKnownWhoWereAwayForLongestWhenThereAreTooMany) {
  for (int i = 0; i < 100; ++i) {
    pass(std::to_string(i), kNow + 1h * i, "network " + std::to_string(i));
  }
  // Each is a sender and a network.
  EXPECT_EQ(visit("99", kNow + 100h, "network 99"), GreylistAnswer::Known);
  EXPECT_EQ(visit("91", kNow + 100h, "network 91"), GreylistAnswer::Known);
  EXPECT_EQ(visit("80", kNow + 100h, "network 80"), GreylistAnswer::First);
}

INSTANTIATE_TEST_SUITE_P(Both, GreylistContract, testing::Values(Which::Memory, Which::Sqlite),
                         [](const auto& info) {
                           return std::string(info.param == Which::Memory ? "Memory" : "Sqlite");
                         });

class SqliteGreylist : public GreylistContract {
 protected:
  std::int64_t rows() {
    spool_.reset();
    Connection connection(path());
    return std::stoll(connection.pragma("SELECT count(*) FROM greylist"));
  }
};

TEST_P(SqliteGreylist, SurvivesARestart) {
  EXPECT_EQ(visit("a", kNow), GreylistAnswer::First);
  spool_.reset();
  open();
  EXPECT_EQ(visit("a", kNow + 1s), GreylistAnswer::TooSoon);
  EXPECT_EQ(visit("a", kNow + 300s), GreylistAnswer::Passed);
}

TEST_P(SqliteGreylist, KeepsItsBoundOverRestarts) {
  for (int i = 0; i < 100; ++i) visit(std::to_string(i), kNow);
  spool_.reset();
  open();
  for (int i = 100; i < 200; ++i) visit(std::to_string(i), kNow);
  EXPECT_EQ(rows(), kRows / 2);
}

TEST_P(SqliteGreylist, RemovesWhatHasExpired) {
  fakes::FakeClock clock(kNow);
  spool_.reset();
  open(&clock);
  for (int i = 0; i < 10; ++i) visit(std::to_string(i), kNow);
  clock.advance(24h);
  visit("late", kNow + 24h);
  clock.advance(25h);
  // The writer looks round after each batch: the second finds the first's work done.
  visit("x", kNow + 49h);
  visit("y", kNow + 49h);
  EXPECT_EQ(rows(), 3);
}

/// A visit is not worth a sync of its own, and takes none away from what is promised.
TEST_P(SqliteGreylist, SyncsWithTheNextCommitThatMatters) {
  spool_.reset();
  fs::remove_all(folder_);
  fakes::FaultVfs vfs;
  open();
  visit("warm up", kNow);
  // Every sync fails from now on.
  vfs.arm(fakes::DiskFault::SyncError, 1);
  for (int i = 0; i < 50; ++i) visit(std::to_string(i), kNow);
  EXPECT_EQ(vfs.faults(), 0U);
  EXPECT_FALSE(spool_->poisoned());
  EXPECT_FALSE(dns::turn_loop(io_, spool_->commit(a_message("content"))))
      << "what promises something is synced again";
  EXPECT_GT(vfs.faults(), 0U);
  vfs.disarm();
  spool_.reset();
}

TEST_P(SqliteGreylist, ComesToAQueueOfTheSchemaBefore) {  // K-10
  spool_.reset();
  {
    Connection connection(path());
    connection.execute("DROP TABLE greylist; DROP TABLE tally; DROP TABLE draft; DROP TABLE slot");
    for (const char* trigger :
         {"message_in", "message_out", "recipient_in", "recipient_out", "recipient_moved"}) {
      connection.execute((std::string("DROP TRIGGER ") + trigger).c_str());
    }
    connection.execute("DROP INDEX recipient_awaits; ALTER TABLE recipient DROP COLUMN awaits");
    connection.execute("ALTER TABLE chunk RENAME COLUMN digest TO sha256");
    connection.execute("PRAGMA user_version = 2");
  }
  open();
  EXPECT_EQ(visit("a", kNow), GreylistAnswer::First);
}

INSTANTIATE_TEST_SUITE_P(Real, SqliteGreylist, testing::Values(Which::Sqlite));

}  // namespace
}  // namespace relay::spool
