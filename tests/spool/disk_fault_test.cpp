// Errors of the disk at every write and every sync. Acknowledged messages are there afterwards,
// whatever failed; and after a failed sync nothing is written (guarantee "A failing disk ends the
// process").
#include <array>
#include <filesystem>
#include <map>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "relay/ports/intake_queue.hpp"
#include "relay/spool/sqlite_spool.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fault_vfs.hpp"
#include "tests/spool/a_message.hpp"
#include "tests/spool/queue_folder.hpp"
#include "tests/support/run_task.hpp"

namespace relay::spool {
namespace {

namespace fs = std::filesystem;
using fakes::DiskFault;
using ports::SpoolError;

constexpr std::size_t kMessages = 3;
constexpr std::size_t kChunk = ports::kChunkOctets;

class DiskFaults : public testing::TestWithParam<DiskFault> {
 protected:
  void SetUp() override { folder_ = queue_folder("faults"); }

  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<SqliteSpool> open(const fs::path& folder) const {
    auto opened = SqliteSpool::open({.path = (folder / "queue.db").string(), .clock = &clock_});
    EXPECT_TRUE(opened) << opened.error();
    return opened ? std::move(*opened) : nullptr;
  }

  template <class T>
  T run(base::Task<T> task) {
    return support::run_task(io_, std::move(task));
  }

  /// Commits messages; acknowledged ones go into `kept`, refused ones into `refused_`.
  void commit_some(SqliteSpool& spool, std::map<mail::MessageId, std::string>& kept) {
    for (std::size_t i = 0; i < kMessages; ++i) {
      // The second is big: its first chunk lies beside the database.
      const std::string content =
          std::string(i == 1 ? kChunk + 300 : 3000, static_cast<char>('a' + i));
      auto made = a_message(content);
      const auto id = made.message.id;
      if (i == 1) {
        const auto appended = run(spool.intake().append(id, 0, content.substr(0, kChunk)));
        if (!appended) {
          refused_.push_back({id, appended.error()});
          continue;
        }
        made.content = content.substr(kChunk);
      }
      const auto proof = run(spool.intake().commit(std::move(made)));
      if (proof) {
        kept.emplace(id, content);
      } else {
        refused_.push_back({id, proof.error()});
      }
    }
  }

  void expect_all(SqliteSpool& spool, const std::map<mail::MessageId, std::string>& kept,
                  std::uint64_t nth) {
    for (const auto& [id, content] : kept) {
      ASSERT_TRUE(run(spool.delivery().load(id, {0})))
          << "an acknowledged message is lost, fault at " << nth;
      std::string stored = run(spool.delivery().read(id, 0)).value_or("");
      if (content.size() > kChunk) stored += run(spool.delivery().read(id, 1)).value_or("");
      EXPECT_TRUE(stored == content) << nth;
    }
  }

  fs::path folder_;
  fakes::FakeClock clock_{kNow};
  boost::asio::io_context io_;
  std::vector<std::pair<mail::MessageId, SpoolError>> refused_;
};

TEST_P(DiskFaults, NothingAcknowledgedIsLostAtWhateverOperationItComes) {
  bool reached = true;
  std::uint64_t faults = 0;
  for (std::uint64_t nth = 1; reached && nth < 400; ++nth) {
    fs::remove_all(folder_);
    refused_.clear();
    fakes::FaultVfs disk;
    std::map<mail::MessageId, std::string> kept;
    {
      auto spool = open(folder_);
      ASSERT_TRUE(spool);
      commit_some(*spool, kept);
      ASSERT_EQ(kept.size(), kMessages);
      disk.arm(GetParam(), nth);
      commit_some(*spool, kept);
      reached = disk.faults() > 0;
      faults += disk.faults();
      for (const auto& [id, error] : refused_) {
        const auto expected =
            GetParam() == DiskFault::Full ? SpoolError::Full : SpoolError::Poisoned;
        EXPECT_EQ(error, expected) << nth;
      }
      // EIO ends all trust in the disk; being full is an ordinary day.
      EXPECT_EQ(spool->poisoned(), reached && GetParam() != DiskFault::Full) << nth;
      if (GetParam() == DiskFault::Full) {
        disk.disarm();
        expect_all(*spool, kept, nth);
        for (const auto& refused : refused_) {
          EXPECT_EQ(run(spool->delivery().load(refused.first, {0})).error(), SpoolError::NotFound)
              << nth;
        }
        commit_some(*spool, kept);
        EXPECT_EQ(kept.size() % kMessages, (2 * kMessages - refused_.size()) % kMessages) << nth;
      }
    }
    disk.disarm();
    auto again = open(folder_);
    ASSERT_TRUE(again);
    expect_all(*again, kept, nth);
  }
  EXPECT_FALSE(reached) << "there are more operations than were tried";
  EXPECT_GT(faults, 0U);
}

class FailedSync : public DiskFaults {};

/// The kernel tells an error of a sync once, and then treats the pages as clean. Pages copied from
/// the log after that may never have been on the disk, and a log that is gone cannot be read again.
TEST_P(FailedSync, IsTheLastThingThatHappensToTheFiles) {
  bool reached = true;
  for (std::uint64_t nth = 1; reached && nth < 400; ++nth) {
    fs::remove_all(folder_);
    fakes::FaultVfs disk;
    std::map<mail::MessageId, std::string> kept;
    auto spool = open(folder_);
    ASSERT_TRUE(spool);
    commit_some(*spool, kept);
    const auto id = kept.begin()->first;
    disk.arm(GetParam(), nth);
    commit_some(*spool, kept);
    spool->intake().discard(mail::MessageId::generate(kNow));
    static_cast<void>(run(spool->delivery().record(
        {.id = id, .copies = {outcome(0, mail::RecipientState::Delivered)}})));
    spool->close();
    spool.reset();
    reached = disk.faults() > 0;
    EXPECT_EQ(disk.changed_after_fault(), std::vector<std::string>()) << "fault at " << nth;
    if (reached) EXPECT_GT(fs::file_size(folder_ / "queue.db-wal"), 0U) << "the log is evidence";
    disk.disarm();
    auto again = open(folder_);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->report().clean, !reached) << nth;
    kept.erase(id);
    expect_all(*again, kept, nth);
  }
  EXPECT_FALSE(reached) << "there are more operations than were tried";
}

std::string name_of(const testing::TestParamInfo<DiskFault>& info) {
  constexpr std::array<const char*, 6> kNames = {"None",      "Full",          "WriteError",
                                                 "SyncError", "SyncErrorOnce", "ShortWrite"};
  return kNames.at(static_cast<std::size_t>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Each, DiskFaults,
                         testing::Values(DiskFault::Full, DiskFault::WriteError,
                                         DiskFault::SyncError, DiskFault::SyncErrorOnce,
                                         DiskFault::ShortWrite),
                         name_of);

INSTANTIATE_TEST_SUITE_P(Each, FailedSync,
                         testing::Values(DiskFault::SyncError, DiskFault::SyncErrorOnce), name_of);

}  // namespace
}  // namespace relay::spool
