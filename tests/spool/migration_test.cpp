// K-10: a queue of an older program becomes one of this program without losing a message, whatever
// happens on the way; a queue of a newer program is left alone.
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/spool/opened_database.hpp"
#include "relay/spool/schema.hpp"
#include "tests/fakes/fault_vfs.hpp"
#include "tests/source_dir.hpp"

namespace relay::spool {
namespace {

namespace fs = std::filesystem;
using fakes::DiskFault;
using mail::RecipientState;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};
const auto kFirst = mail::MessageId::make(kNow, {1, 1, 1, 1, 1, 1});
const auto kSecond = mail::MessageId::make(kNow, {2, 2, 2, 2, 2, 2});

std::string contents_of(const fs::path& file) {
  std::ostringstream octets;
  octets << std::ifstream(file, std::ios::binary).rdbuf();
  return octets.str();
}

class Migration : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write_old_queue();
  }

  void TearDown() override { fs::remove_all(folder_); }

  void write_old_queue() const {
    for (const char* end : {"", "-wal", "-shm", "-journal"}) fs::remove(path() + end);
    Connection connection(path());
    const std::string sql =
        contents_of(fs::path(RELAY_SOURCE_DIR) / "tests" / "spool" / "data" / "version1.sql");
    ASSERT_FALSE(sql.empty());
    connection.execute(sql.c_str());
    ASSERT_EQ(connection.pragma("PRAGMA user_version"), "1");
  }

  std::string path() const { return (folder_ / "queue.db").string(); }

  std::expected<OpenedDatabase, std::string> open() const {
    return OpenedDatabase::open(path(), {});
  }

  static std::string sound(Store& store, const mail::MessageId& id) {
    const auto chunk = store.read(id, 0);
    return chunk && is_sound(id, 0, *chunk) ? chunk->octets : "damaged";
  }

  /// Everything that waited is there and can be sent.
  static void expect_live(Store& store) {
    const auto due = store.due(kNow + std::chrono::hours(1), std::nullopt, 10);
    ASSERT_EQ(due.size(), 2U);
    EXPECT_EQ(due[0].id, kSecond);
    EXPECT_EQ(due[1].id, kFirst);
    EXPECT_EQ(due[1].index, 1);
    EXPECT_EQ(sound(store, kFirst), "Subject: one\r\n\r\nbody of the first\r\n");
    EXPECT_EQ(sound(store, kSecond), "Subject: two\r\n\r\nbody of the second\r\n");
    EXPECT_EQ(store.totals().held, 1U);
    EXPECT_TRUE(store.find_token("t0", kNow));
  }

  /// The columns of a table in the file as it lies there.
  std::size_t columns(const std::string& table) const {
    Connection connection(path());
    Statement info(connection.raw(), ("PRAGMA table_info(" + table + ")").c_str());
    std::size_t count = 0;
    while (info.step()) ++count;
    return count;
  }

  const fs::path folder_ =
      fs::temp_directory_path() / ("srs-relay-migration-" + std::to_string(::getpid()));
};

TEST_F(Migration, GoesOnWithALiveQueueOfVersion1) {
  auto opened = open();
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_EQ(opened->connection->pragma("PRAGMA user_version"), std::to_string(schema_version()));
  EXPECT_EQ(opened->connection->pragma("PRAGMA integrity_check"), "ok");
  EXPECT_EQ(opened->report.messages, 2U);
  Store& store = *opened->store;
  expect_live(store);
  const auto first = store.load(kFirst);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->message.trace_fields, "Received: from client.example\r\n");
  EXPECT_EQ(first->message.client.tls_cipher, "TLS_AES_256_GCM_SHA384");
  EXPECT_EQ(first->message.size, 35U);
  EXPECT_TRUE(first->message.smtputf8);
  // It was accepted with the promise of a DSN, and plain.
  EXPECT_TRUE(first->message.sender_authenticated);
  EXPECT_EQ(first->message.seal_fields, "");
  EXPECT_EQ(first->message.rewritten_head, "");
  EXPECT_EQ(first->message.header_octets, 0U);
  ASSERT_EQ(first->recipients.size(), 3U);
  const auto& waiting = first->recipients[1];
  EXPECT_EQ(waiting.route.target.to_string(), "b@Y.example");
  EXPECT_FALSE(waiting.route.handling.seal || waiting.route.handling.risk_pool);
  EXPECT_FALSE(waiting.route.handling.new_author || waiting.route.held);
  EXPECT_EQ(waiting.route.handling.reason, "");
  EXPECT_EQ(waiting.route.awaits, "");
  EXPECT_EQ(waiting.released_at, base::WallTime{});
  EXPECT_TRUE(waiting.possible_duplicate);
  EXPECT_EQ(waiting.last.text, "later");
  EXPECT_EQ(store.attempts(kFirst).size(), 2U);
}

TEST_F(Migration, DeliversWhatWaitedInAQueueOfVersion1) {
  auto opened = open();
  ASSERT_TRUE(opened) << opened.error();
  Store& store = *opened->store;
  opened->connection->execute("BEGIN IMMEDIATE");
  EXPECT_EQ(store.change({.state = RecipientState::Held}, ports::QueueAction::Release, kNow), 1U);
  for (const auto& [id, index] :
       {std::pair{kFirst, 1}, std::pair{kFirst, 2}, std::pair{kSecond, 0}}) {
    ports::RecipientUpdate done;
    done.index = static_cast<std::uint16_t>(index);
    done.state = RecipientState::Delivered;
    done.attempts = 2;
    EXPECT_TRUE(store.record({.id = id, .recipients = {done}, .bounces = {}}));
  }
  opened->connection->execute("COMMIT");
  EXPECT_EQ(store.totals().messages, 0U);
}

/// At whatever write or sync it fails: the file holds the old schema or the new one, whole, and the
/// next start goes on from there.
TEST_F(Migration, IsAllOrNothingAtWhateverOperationTheDiskFails) {
  const auto old_columns = columns("message");
  for (const DiskFault fault :
       {DiskFault::Full, DiskFault::WriteError, DiskFault::SyncError, DiskFault::ShortWrite}) {
    bool reached = true;
    bool refused = false;
    for (std::uint64_t nth = 1; reached && nth < 200; ++nth) {
      write_old_queue();
      {
        fakes::FaultVfs disk;
        disk.arm(fault, nth);
        refused = !open() || refused;
        reached = disk.faults() > 0;
      }
      const bool is_new = Connection(path()).pragma("PRAGMA user_version") != "1";
      EXPECT_EQ(columns("message") > old_columns, is_new) << nth;
      auto again = open();
      ASSERT_TRUE(again) << again.error() << " at " << nth;
      expect_live(*again->store);
    }
    EXPECT_FALSE(reached) << "there are more operations than were tried";
    EXPECT_TRUE(refused) << "no fault was ever met";
  }
}

TEST_F(Migration, IsAllOrNothingAtWhateverOperationTheProcessDies) {
  int died = 0;
  bool reached = true;
  for (std::uint64_t nth = 1; reached && nth < 200; ++nth) {
    write_old_queue();
    const pid_t child = ::fork();
    if (child == 0) {
      fakes::FaultVfs disk;
      disk.arm(DiskFault::Death, nth);
      ::_exit(open() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    reached = WEXITSTATUS(status) == fakes::kDied;
    died += reached ? 1 : 0;
    if (!reached) EXPECT_EQ(WEXITSTATUS(status), 0);
    auto again = open();
    ASSERT_TRUE(again) << again.error() << " at " << nth;
    expect_live(*again->store);
  }
  EXPECT_FALSE(reached) << "there are more operations than were tried";
  EXPECT_GT(died, 5);
}

/// What this program writes, one that knows a version less refuses; and so does this one with what
/// a newer one wrote. Nothing in the file is touched.
TEST_F(Migration, LeavesTheQueueOfANewerProgramAsItIs) {
  ASSERT_TRUE(open());
  {
    Connection connection(path());
    connection.execute(("PRAGMA user_version = " + std::to_string(schema_version() + 1)).c_str());
  }
  const std::string before = contents_of(path());
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("newer srs-relay"), std::string::npos) << refused.error();
  EXPECT_EQ(contents_of(path()), before);
  {
    Connection connection(path());
    connection.execute(("PRAGMA user_version = " + std::to_string(schema_version())).c_str());
  }
  auto again = open();
  ASSERT_TRUE(again) << again.error();
  expect_live(*again->store);
}

}  // namespace
}  // namespace relay::spool
