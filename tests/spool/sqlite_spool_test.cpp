// Properties of the real queue only: it survives the process, and guards its files.
#include <filesystem>
#include <future>

#include <boost/asio/use_future.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fakes/fault_vfs.hpp"
#include "tests/spool/sqlite_case.hpp"

namespace relay::spool {
namespace {

using namespace std::chrono_literals;
using mail::RecipientState;
using ports::SpoolError;

class SqliteOnly : public SqliteCase {
 protected:
  /// As another program would, while no other process has it open.
  std::string in_file(const char* sql) {
    sqlite_.reset();
    return Connection(path()).pragma(sql);
  }

  std::string detail(std::string_view name) const {
    for (const ports::StoreDetail& one : sqlite_->report().details) {
      if (one.name == name) return one.value;
    }
    return {};
  }

  ports::NewMessage with_token(const std::string& token, std::chrono::hours life) {
    auto made = message_to({"a@x.example"});
    made.tokens.push_back(
        {token, mail::ReversePath(mailbox("long@sender.example")), life, "192.0.2.0/24"});
    return made;
  }
};

/// The process dies right after the commit was answered: nothing of it may be gone, nor the sender
/// that an SRS address stands for.
TEST_F(SqliteOnly, KeepsWhatWasAcknowledgedWhenTheProcessDies) {
  sqlite_.reset();
  const pid_t child = ::fork();
  if (child == 0) {
    open();
    add(with_token("t", 1h));
    run(intake().append(mail::MessageId::generate(kNow), 0, std::string(ports::kChunkOctets, 'd')));
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  open();
  EXPECT_EQ(run(operators().totals())->messages, 1U);
  EXPECT_EQ(run(tokens().find("t"))->to_string(), "long@sender.example");
  EXPECT_FALSE(sqlite_->report().clean);
  EXPECT_EQ(sqlite_->report().drafts_removed, 1);
  EXPECT_EQ(detail("synchronous"), "2");
  EXPECT_EQ(sqlite_->report().messages, 1U);
  open();
  EXPECT_TRUE(sqlite_->report().clean) << "closed as it should be";
}

TEST_F(SqliteOnly, RefusesASecondProcess) {
  const auto second = SqliteSpool::open(options());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().find("in use by another process"), std::string::npos) << second.error();
}

TEST_F(SqliteOnly, RefusesTheQueueOfANewerProgram) {
  in_file("PRAGMA user_version = 99");
  const auto opened = SqliteSpool::open(options());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().find("newer srs-relay"), std::string::npos) << opened.error();
}

TEST_F(SqliteOnly, NeedsAClock) {
  sqlite_.reset();
  auto without = options();
  without.clock = nullptr;
  EXPECT_FALSE(SqliteSpool::open(without));
}

/// A flipped octet is found before it leaves.
TEST_F(SqliteOnly, NeverHandsOutDamagedContent) {
  const auto id = add(a_message("body"));
  in_file("UPDATE chunk SET octets = x'626f647a'");
  open();
  EXPECT_EQ(run(delivery().read(id, 0)).error(), SpoolError::Corrupt);
  in_file("DELETE FROM chunk");
  open();
  EXPECT_EQ(run(delivery().read(id, 0)).error(), SpoolError::Corrupt) << "gone is not empty";
  EXPECT_FALSE(sqlite_->poisoned());
}

/// Below min_free nothing is accepted, but what was delivered can still be recorded.
TEST_F(SqliteOnly, RecordsButDoesNotAcceptWhenTheDiskIsLow) {
  const auto id = add(message_to({"a@x.example"}));
  auto low = options();
  low.min_free = std::uint64_t{1} << 60;
  open(low);
  EXPECT_EQ(run(intake().commit(message_to({"a@x.example"}))).error(), SpoolError::Full);
  EXPECT_EQ(run(operators().pauses())->size(), 0U);
  record(id, {outcome(0, RecipientState::Delivered)});
  EXPECT_TRUE(is_gone(id));
}

/// The store of senders is bounded in time as well, and knows how many there are.
TEST_F(SqliteOnly, RemovesWhatHasExpired) {
  auto often = options();
  often.token_round = 60s;
  often.tokens = 2;
  open(often);
  add(with_token("short", 1h));
  add(with_token("long", 9h));
  const auto third = with_token("third", 1h).tokens.front();
  EXPECT_FALSE(run(tokens().has_room(third)).value());
  run(operators().pause(ports::PauseRule::Kind::Host, "x.example", "r", 1h));
  clock_.advance(2h);
  // The writer looks round after each batch: the second finds the first's work done.
  add(message_to({"a@x.example"}));
  add(with_token("third", 9h));
  EXPECT_EQ(in_file("SELECT group_concat(token) FROM (SELECT token FROM token ORDER BY token)"),
            "long,third");
  EXPECT_EQ(in_file("SELECT tokens FROM tally"), "2");
  EXPECT_EQ(in_file("SELECT count(*) FROM pause_rule"), "0");
}

/// The reserve is for recording deliveries, not for cleaning up.
TEST_F(SqliteOnly, KeepsTheReserveForDeliveries) {
  const std::string reserve = path() + ".reserve";
  sqlite_.reset();
  fakes::FaultVfs disk;
  auto often = options();
  often.token_round = 60s;
  open(often);
  const auto id = add(with_token("short", 1h));
  clock_.advance(2h);
  disk.arm(fakes::DiskFault::Full, 1);
  // The writer looks round after each batch: the second finds the first's work done.
  run(operators().totals());
  run(operators().totals());
  EXPECT_GT(disk.faults(), 0U) << "what has expired could not be removed";
  EXPECT_TRUE(std::filesystem::exists(reserve));
  EXPECT_EQ(run(intake().commit(a_message("x"))).error(), SpoolError::Full);
  EXPECT_TRUE(std::filesystem::exists(reserve));
  const auto answer =
      run(delivery().record({.id = id, .copies = {outcome(0, RecipientState::Delivered)}}));
  EXPECT_EQ(answer.error(), SpoolError::Full) << "this disk has no room even then";
  EXPECT_FALSE(std::filesystem::exists(reserve));
  disk.disarm();
  record(id, {outcome(0, RecipientState::Delivered)});
  EXPECT_FALSE(sqlite_->poisoned());
  sqlite_.reset();
}

/// Fifty attempts are kept of each copy, with every host that was asked.
TEST_F(SqliteOnly, BoundsTheHistoryOfACopy) {
  const auto id = add(message_to({"a@x.example"}));
  for (std::uint32_t i = 0; i < 60; ++i) {
    auto update = outcome(0, RecipientState::Waiting, i);
    update.attempts.front().at = kNow + std::chrono::seconds(i);
    if (i < 55) update.attempts.push_back(update.attempts.front());
    record(id, {update});
  }
  const auto rows = run(operators().attempts(id)).value();
  ASSERT_EQ(rows.size(), 45U * 2 + 5);
  EXPECT_EQ(rows.front().attempt.at, kNow + 10s);
  EXPECT_EQ(rows.back().attempt.at, kNow + 59s);
}

/// Pages that orders made dirty lie far apart: a checkpoint of a full log of them would keep a 250
/// waiting for long.
TEST_F(SqliteOnly, CheckpointsInSmallPiecesWhileItObeysOrders) {
  constexpr std::size_t kCopies = 8000;
  constexpr std::uintmax_t kPage = 8192;
  std::vector<std::string> targets;
  for (std::size_t i = 0; i < kCopies; ++i) {
    // Neighbours in the table are none in the indexes.
    targets.push_back("a@d" + std::to_string(i * 4799 % kCopies) + ".test");
  }
  add(message_to(targets));
  open();  // with an empty log
  EXPECT_EQ(change({}, ports::QueueAction::Hold).size(), kCopies);
  EXPECT_EQ(change({}, ports::QueueAction::Release).size(), kCopies);
  const auto& writer = sqlite_->metrics().writer;
  EXPECT_GT(writer.at(Busy::Order).value().count(), kCopies / 100);
  EXPECT_GT(writer.at(Busy::Checkpoint).value().count(), 3U);
  EXPECT_LT(std::filesystem::file_size(path() + "-wal"), 600 * kPage);
}

TEST_F(SqliteOnly, MeasuresWhatKeepsTheWriter) {
  const auto count = [this](Busy busy) {
    return sqlite_->metrics().writer.at(busy).value().count();
  };
  const auto id = add(message_to({"a@x.example"}));
  EXPECT_EQ(count(Busy::Mail), 1U);
  load(id);
  load(id);
  EXPECT_GE(count(Busy::Read), 1U) << "reads are counted when they have been answered";
  change({}, ports::QueueAction::Retry);
  EXPECT_EQ(count(Busy::Order), 1U);
  EXPECT_EQ(count(Busy::Note), 0U);
  base::Registry registry;
  sqlite_->metrics().add_to(registry);
}

/// One answer waits for the disk, and all that came meanwhile share the next sync.
TEST_F(SqliteOnly, SharesASyncAmongThoseWhoWait) {
  const auto before = sqlite_->work();
  std::vector<std::future<void>> ends;
  const auto commit_one = [this]() -> base::Task<> {
    const auto proof = co_await intake().commit(a_message("content"));
    EXPECT_TRUE(proof);
  };
  for (int i = 0; i < 100; ++i) {
    ends.push_back(boost::asio::co_spawn(io_, commit_one, boost::asio::use_future));
  }
  const auto work = boost::asio::make_work_guard(io_);
  io_.restart();
  for (auto& end : ends) {
    while (end.wait_for(0s) != std::future_status::ready) io_.run_one_for(20ms);
    end.get();
  }
  EXPECT_EQ(sqlite_->work().requests - before.requests, 100U);
  EXPECT_LE(sqlite_->work().commits - before.commits, 20U);
}

}  // namespace
}  // namespace relay::spool
