// Contract of every queue: greylisting; and of the real one: rows that survive, and visits that
// cost no sync.
#include <filesystem>

#include "tests/fakes/fault_vfs.hpp"
#include "tests/spool/queue_contract.hpp"
#include "tests/spool/sqlite_case.hpp"

namespace relay::spool {
namespace {

using namespace std::chrono_literals;
using ports::GreylistAnswer;

constexpr ports::GreylistRules kRules{.delay = 300s,
                                      .retry_window = std::chrono::seconds(48h),
                                      .remember = std::chrono::seconds(24h * 36),
                                      .trusted_after = 3};

/// A queue that is visited.
template <class Queue>
class Visited : public Queue {
 protected:
  static constexpr std::int64_t kRows = kGreylistRows;

  GreylistAnswer visit(const std::string& sender, base::WallTime now,
                       const std::string& network = "network") {
    this->clock_.jump_wall(now - this->clock_.wall());
    const auto answer =
        this->run(this->greylist().see({"sender " + sender, network, network}, kRules));
    EXPECT_TRUE(answer);
    return answer.value_or(GreylistAnswer::TooSoon);
  }

  /// Comes, waits and comes again.
  void pass(const std::string& sender, base::WallTime now, const std::string& network = "network") {
    ASSERT_EQ(visit(sender, now, network), GreylistAnswer::First);
    ASSERT_EQ(visit(sender, now + kRules.delay, network), GreylistAnswer::Passed);
  }
};

using GreylistContract = Visited<QueueContract>;

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

/// The network with most rows loses one: a flood pushes out itself, however old the others are.
TEST_P(GreylistContract, AFloodFromOneNetworkPushesOutItself) {
  EXPECT_EQ(visit("patient", kNow, "quiet"), GreylistAnswer::First);
  for (int i = 0; i < 1000; ++i) visit(std::to_string(i), kNow + 1s, "loud");
  EXPECT_EQ(visit("patient", kNow + 300s, "quiet"), GreylistAnswer::Passed);
  EXPECT_EQ(visit("999", kNow + 301s, "loud"), GreylistAnswer::Passed) << "it may use what is free";
}

/// However many networks a client has, the rows count for the wider network around them.
TEST_P(GreylistContract, CountsRowsForTheWidestNetwork) {
  EXPECT_EQ(visit("patient", kNow, "quiet"), GreylistAnswer::First);
  clock_.jump_wall(kNow + 1s - clock_.wall());
  for (int i = 0; i < 1000; ++i) {
    const std::string number = std::to_string(i);
    ASSERT_TRUE(run(greylist().see({"sender " + number, "network " + number, "wide"}, kRules)));
  }
  EXPECT_EQ(visit("patient", kNow + 300s, "quiet"), GreylistAnswer::Passed);
}

TEST_P(GreylistContract, TheKnownOfOneOriginPushOutTheirOwn) {
  pass("patient", kNow, "quiet");
  for (int i = 0; i < 200; ++i) {
    const std::string number = std::to_string(i);
    for (const auto after : {0s, 300s}) {
      clock_.jump_wall(kNow + 1h + 400s * i + after - clock_.wall());
      ASSERT_TRUE(run(greylist().see({"sender " + number, "network " + number, "wide"}, kRules)));
    }
  }
  EXPECT_EQ(visit("patient", kNow + 48h, "quiet"), GreylistAnswer::Known);
}

TEST_P(GreylistContract, NotesNobodyNewWhereNoneIsTaken) {
  auto rules = kRules;
  rules.takes_new = false;
  pass("known", kNow);
  EXPECT_EQ(visit("waits", kNow + 300s), GreylistAnswer::First);
  const auto ask = [&](const std::string& sender, base::WallTime now) {
    clock_.jump_wall(now - clock_.wall());
    return run(greylist().see({"sender " + sender, "network", "network"}, rules)).value();
  };
  EXPECT_EQ(ask("new", kNow + 300s), GreylistAnswer::First);
  EXPECT_EQ(ask("new", kNow + 900s), GreylistAnswer::First) << "it was not noted";
  EXPECT_EQ(ask("known", kNow + 900s), GreylistAnswer::Known);
  EXPECT_EQ(ask("waits", kNow + 900s), GreylistAnswer::Passed);
}

INSTANTIATE_TEST_SUITE_P(Each, GreylistContract, kStores, store_name);

class SqliteGreylist : public Visited<SqliteCase> {
 protected:
  std::int64_t rows() {
    sqlite_.reset();
    Connection connection(path());
    return std::stoll(connection.pragma("SELECT count(*) FROM greylist"));
  }
};

TEST_F(SqliteGreylist, SurvivesARestart) {
  EXPECT_EQ(visit("a", kNow), GreylistAnswer::First);
  open();
  EXPECT_EQ(visit("a", kNow + 1s), GreylistAnswer::TooSoon);
  EXPECT_EQ(visit("a", kNow + 300s), GreylistAnswer::Passed);
}

TEST_F(SqliteGreylist, KeepsItsBoundOverRestarts) {
  for (int i = 0; i < 100; ++i) visit(std::to_string(i), kNow);
  open();
  for (int i = 100; i < 200; ++i) visit(std::to_string(i), kNow);
  EXPECT_EQ(rows(), kRows / 2);
}

TEST_F(SqliteGreylist, RemovesWhatHasExpired) {
  auto often = options();
  often.token_round = 60s;
  open(often);
  for (int i = 0; i < 10; ++i) visit(std::to_string(i), kNow);
  clock_.advance(24h);
  visit("late", kNow + 24h);
  clock_.advance(25h);
  // The writer looks round after each batch: the second finds the first's work done.
  visit("x", kNow + 49h);
  visit("y", kNow + 49h);
  EXPECT_EQ(rows(), 3);
}

/// A visit causes no sync of its own, and does not replace one that a promise needs.
TEST_F(SqliteGreylist, SyncsWithTheNextCommitThatMatters) {
  sqlite_.reset();
  std::filesystem::remove_all(folder_);
  fakes::FaultVfs vfs;
  open();
  visit("warm up", kNow);
  // From here on every sync fails.
  vfs.arm(fakes::DiskFault::SyncError, 1);
  for (int i = 0; i < 50; ++i) visit(std::to_string(i), kNow);
  EXPECT_EQ(vfs.faults(), 0U);
  EXPECT_FALSE(sqlite_->poisoned());
  EXPECT_FALSE(run(intake().commit(a_message("content")))) << "what promises something is synced";
  EXPECT_GT(vfs.faults(), 0U);
  vfs.disarm();
  sqlite_.reset();
}

}  // namespace
}  // namespace relay::spool
