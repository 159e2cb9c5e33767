// Space that a flood has left unused goes back to the disk at the next start; nothing is lost,
// whichever operation fails.
#include "relay/spool/shrink.hpp"

#include <filesystem>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "relay/spool/opened_database.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fault_vfs.hpp"
#include "tests/spool/a_message.hpp"
#include "tests/spool/queue_folder.hpp"

namespace relay::spool {
namespace {

namespace fs = std::filesystem;
using fakes::DiskFault;

constexpr std::uint64_t kAnySize = 0;

class Shrink : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }

  void TearDown() override {
    close();
    fs::remove_all(folder_);
  }

  /// The error, or "".
  std::string open(std::uint64_t above) {
    close();
    auto opened = OpenedDatabase::open(path(), clock_, {}, above);
    if (!opened) return opened.error();
    database_ = std::move(*opened);
    return "";
  }

  void close() { database_ = {}; }

  std::string path() const { return (folder_ / "queue.db").string(); }

  /// Messages of so many octets come, and all but the first few leave again.
  void flood(std::size_t messages, std::size_t octets, std::size_t kept) {
    Tables& tables = *database_.tables;
    std::vector<mail::MessageId> leaving;
    database_.transactions->begin();
    for (std::size_t i = 0; i < messages; ++i) {
      const auto made = a_message(std::string(octets, static_cast<char>('a' + i % 26)));
      const auto cut = ContentCut::of(made);
      ASSERT_TRUE(tables.acceptance.accept(made, *cut, kNow));
      if (i < kept) {
        kept_.emplace(made.message.id, made.content);
      } else {
        leaving.push_back(made.message.id);
      }
    }
    database_.transactions->commit();
    database_.transactions->begin();
    for (const auto& id : leaving) {
      ASSERT_TRUE(tables.outcomes.record(
          {.id = id, .copies = {outcome(0, mail::RecipientState::Delivered)}}, kNow));
    }
    database_.transactions->commit();
    database_.connection->execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  void expect_all_kept(const std::string& when = "") {
    for (const auto& [id, content] : kept_) {
      ASSERT_TRUE(database_.tables->reader.load(id, {0})) << when;
      const auto chunk = database_.tables->contents.read(id, 0);
      ASSERT_TRUE(chunk) << when;
      EXPECT_TRUE(chunk->octets == content) << when;
      EXPECT_TRUE(is_sound(id, 0, *chunk)) << when;
    }
    EXPECT_EQ(database_.connection->pragma("PRAGMA integrity_check"), "ok") << when;
    EXPECT_EQ(database_.report.messages, kept_.size()) << when;
  }

  fakes::FakeClock clock_{kNow};
  OpenedDatabase database_;
  std::map<mail::MessageId, std::string> kept_;
  const fs::path folder_ = queue_folder("shrink");
};

TEST_F(Shrink, GivesBackWhatAFloodLeft) {
  ASSERT_EQ(open(kShrinkAbove), "");
  EXPECT_EQ(database_.report.given_back, 0U);
  flood(320, 250'000, 3);
  const auto peak = fs::file_size(path());
  ASSERT_GT(peak, kShrinkAbove);
  ASSERT_EQ(open(kShrinkAbove), "");
  const auto after = fs::file_size(path());
  EXPECT_LT(after, peak / 10);
  EXPECT_EQ(database_.report.given_back, peak - after);
  EXPECT_TRUE(database_.report.clean);
  expect_all_kept();
  ASSERT_EQ(open(kAnySize), "");
  EXPECT_EQ(database_.report.given_back, 0U) << "nothing is left to give back";
  expect_all_kept();
}

TEST_F(Shrink, LeavesSmallFilesAndThoseThatAreUsed) {
  ASSERT_EQ(open(kAnySize), "");
  flood(40, 20'000, 30);
  const auto size = fs::file_size(path());
  ASSERT_EQ(open(kAnySize), "");
  EXPECT_EQ(fs::file_size(path()), size) << "most of it is used";
  flood(100, 20'000, 0);
  const auto peak = fs::file_size(path());
  ASSERT_EQ(open(kShrinkAbove), "");
  EXPECT_EQ(fs::file_size(path()), peak) << "it is small";
  ASSERT_EQ(open(kAnySize), "");
  EXPECT_LT(fs::file_size(path()), peak);
}

/// At every write and every sync of a start that shrinks the file.
TEST_F(Shrink, LosesNothingWhateverFails) {
  ASSERT_EQ(open(kAnySize), "");
  flood(30, 20'000, 3);
  const auto peak = fs::file_size(path());
  close();
  const fs::path before = folder_.string() + "-before";
  fs::remove_all(before);
  fs::copy(folder_, before);
  for (const auto fault : {DiskFault::WriteError, DiskFault::SyncError, DiskFault::SyncErrorOnce}) {
    bool reached = true;
    std::uint64_t nth = 0;
    while (reached && nth < 400) {
      const std::string when =
          "fault " + std::to_string(static_cast<int>(fault)) + " at " + std::to_string(++nth);
      close();
      fs::remove_all(folder_);
      fs::copy(before, folder_);
      fakes::FaultVfs disk;
      disk.arm(fault, nth);
      const std::string error = open(kAnySize);
      reached = disk.faults() > 0;
      EXPECT_EQ(error.empty(), !reached) << when << ": " << error;
      const bool is_sync = fault == DiskFault::SyncError || fault == DiskFault::SyncErrorOnce;
      if (is_sync) EXPECT_EQ(disk.changed_after_fault(), std::vector<std::string>()) << when;
      disk.disarm();
      if (error.empty()) expect_all_kept(when);
      ASSERT_EQ(open(kAnySize), "") << when;
      expect_all_kept(when);
      EXPECT_LT(fs::file_size(path()), peak / 2) << when;
      close();
    }
    EXPECT_GT(nth, 2U);
    EXPECT_FALSE(reached) << "there are more operations than were tried";
  }
  fs::remove_all(before);
}

/// It is left as it is: no reason not to start.
TEST_F(Shrink, LeavesAFileThatTheDiskHasNoRoomToWriteTwice) {
  ASSERT_EQ(open(kShrinkAbove), "");
  flood(30, 20'000, 3);
  const auto peak = fs::file_size(path());
  close();
  fakes::FaultVfs disk;
  ASSERT_EQ(open(kShrinkAbove), "");
  for (std::uint64_t nth = 1; nth < 30; nth += 7) {
    disk.arm(DiskFault::Full, nth);
    EXPECT_EQ(shrink(*database_.connection, path(), kAnySize), 0U);
    EXPECT_GT(disk.faults(), 0U);
    disk.disarm();
    EXPECT_EQ(fs::file_size(path()), peak);
  }
  EXPECT_GT(shrink(*database_.connection, path(), kAnySize), 0U);
  ASSERT_EQ(open(kShrinkAbove), "");
  expect_all_kept();
  close();
}

/// The damage is found, and harms one message, when it is met: no reason not to start.
TEST_F(Shrink, LeavesAFileThatCannotBeReadToItsEnd) {
  ASSERT_EQ(open(kAnySize), "");
  flood(30, 20'000, 3);
  const std::string page = database_.connection->pragma(
      "SELECT pageno FROM dbstat WHERE name = 'chunk' AND pagetype = 'leaf' LIMIT 1");
  close();
  std::fstream(path(), std::ios::in | std::ios::out | std::ios::binary)
      .seekp((std::stoll(page) - 1) * 8192)
      .write("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
  const auto size = fs::file_size(path());
  ASSERT_EQ(open(kAnySize), "");
  EXPECT_EQ(database_.report.given_back, 0U);
  EXPECT_EQ(database_.report.messages, 3U);
  EXPECT_EQ(fs::file_size(path()), size);
}

}  // namespace
}  // namespace relay::spool
