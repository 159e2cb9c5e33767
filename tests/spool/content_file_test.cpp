// Big content beside the database: where it lies, when its place is used again, and what damage to
// the file can do. Power cuts are tested by the explorer (tests/powercut).
#include <filesystem>
#include <fstream>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "relay/ports/intake_queue.hpp"
#include "relay/spool/spool_folder.hpp"
#include "relay/spool/sqlite_spool.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/spool/a_message.hpp"
#include "tests/spool/queue_folder.hpp"
#include "tests/support/run_task.hpp"

namespace relay::spool {
namespace {

namespace fs = std::filesystem;
using ports::SpoolError;

constexpr std::size_t kSlot = ContentFile::kSlotOctets;

class BigContent : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    open();
  }

  void TearDown() override {
    spool_.reset();
    fs::remove_all(folder_);
  }

  void open() {
    spool_.reset();
    auto opened = SqliteSpool::open({.path = path(), .clock = &clock_});
    ASSERT_TRUE(opened) << opened.error();
    spool_ = std::move(*opened);
  }

  std::string path() const { return (folder_ / "queue.db").string(); }

  std::string content_path() const { return ContentFile::path_of(path()); }

  template <class T>
  T run(base::Task<T> task) {
    return support::run_task(io_, std::move(task));
  }

  static std::string octets(std::size_t size, char fill) {
    std::string made(size, fill);
    for (std::size_t at = 0; at < size; at += 1000) made[at] = static_cast<char>('0' + at % 7);
    return made;
  }

  void append(const mail::MessageId& id, const std::string& content) {
    for (std::uint32_t n = 0; n < content.size() / kSlot; ++n) {
      ASSERT_TRUE(run(spool_->intake().append(id, n, content.substr(n * kSlot, kSlot))));
    }
  }

  mail::MessageId accept(const std::string& content) {
    auto made = a_message(content);
    const auto id = made.message.id;
    append(id, content);
    made.content = content.substr(content.size() / kSlot * kSlot);
    EXPECT_TRUE(run(spool_->intake().commit(std::move(made))));
    return id;
  }

  void finish(const mail::MessageId& id) {
    EXPECT_TRUE(run(spool_->delivery().record(
        {.id = id, .copies = {outcome(0, mail::RecipientState::Delivered)}})));
  }

  std::string stored(const mail::MessageId& id) {
    std::string all;
    for (std::uint32_t n = 0;; ++n) {
      auto chunk = run(spool_->delivery().read(id, n));
      if (!chunk) return "error " + std::string(describe(chunk.error()));
      if (chunk->empty()) return all;
      all += *chunk;
    }
  }

  std::size_t slots() const { return fs::file_size(content_path()) / kSlot; }

  std::string ask(const char* sql) {
    spool_.reset();
    std::string found = Connection(path()).pragma(sql);
    open();
    return found;
  }

  fakes::FakeClock clock_{kNow};
  boost::asio::io_context io_;
  std::unique_ptr<SqliteSpool> spool_;
  const fs::path folder_ = queue_folder("content");
};

TEST_F(BigContent, LiesBesideTheDatabaseAndIsReadAgain) {
  const std::string content = octets(3 * kSlot + 777, 'a');
  const auto id = accept(content);
  const auto even = accept(content.substr(0, 2 * kSlot));  // ends with a whole chunk
  EXPECT_TRUE(stored(id) == content);
  EXPECT_EQ(slots(), 5U);
  open();
  EXPECT_TRUE(stored(id) == content);
  EXPECT_TRUE(stored(even) == content.substr(0, 2 * kSlot));
  EXPECT_LT(fs::file_size(path()), kSlot);
  EXPECT_EQ(fs::status(content_path()).permissions() & fs::perms::others_all, fs::perms::none);
}

TEST_F(BigContent, UsesAPlaceAgainThatWasGivenUp) {
  const auto first = accept(octets(2 * kSlot + 1, 'a'));
  const std::string kept = octets(kSlot + 1, 'b');
  const auto second = accept(kept);
  finish(first);
  const std::string next = octets(2 * kSlot + 1, 'c');
  const auto third = accept(next);
  EXPECT_EQ(slots(), 3U);
  EXPECT_TRUE(stored(second) == kept);
  EXPECT_TRUE(stored(third) == next);
  EXPECT_EQ(run(spool_->delivery().load(first, {0})).error(), SpoolError::NotFound);
}

TEST_F(BigContent, GivesUpWhatWasNeverAccepted) {
  const auto draft = mail::MessageId::generate(kNow);
  append(draft, octets(4 * kSlot, 'd'));
  spool_->intake().discard(draft);
  const auto id = accept(octets(kSlot + 1, 'a'));
  EXPECT_EQ(run(spool_->delivery().read(draft, 0)).error(), SpoolError::NotFound);
  EXPECT_TRUE(stored(id) == octets(kSlot + 1, 'a'));
  EXPECT_LE(slots(), 5U);  // in the transaction of the end itself it is not free yet
  append(mail::MessageId::generate(kNow), octets(2 * kSlot, 'e'));
  open();  // drafts end with the process
  EXPECT_EQ(spool_->report().drafts_removed, 1);
  EXPECT_EQ(ask("SELECT count(*) FROM slot"), "1");
  EXPECT_TRUE(stored(id) == octets(kSlot + 1, 'a'));
}

TEST_F(BigContent, GivesTheDiskBackAtTheEnd) {
  const auto first = accept(octets(kSlot + 1, 'a'));
  const auto second = accept(octets(5 * kSlot, 'b'));
  finish(second);
  open();
  EXPECT_EQ(slots(), 1U);
  EXPECT_TRUE(stored(first) == octets(kSlot + 1, 'a'));
  finish(first);
  open();
  EXPECT_EQ(fs::file_size(content_path()), 0U);
  // A crash leaves it long, with nothing in it that a row speaks of.
  spool_.reset();
  fs::resize_file(content_path(), 3 * kSlot + 1);
  open();
  open();
  EXPECT_EQ(fs::file_size(content_path()), 0U);
}

/// In the file: another octet, the place of another, a file that is shorter, one that is gone.
TEST_F(BigContent, IsNeverHandedOutDamaged) {
  const std::string content = octets(2 * kSlot + 5, 'a');
  const auto id = accept(content);
  spool_.reset();
  {
    std::fstream file(content_path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(kSlot + 12'345));
    file.put('!');
  }
  open();
  EXPECT_TRUE(run(spool_->delivery().read(id, 0)));
  EXPECT_EQ(run(spool_->delivery().read(id, 1)).error(), SpoolError::Corrupt);
  ask("UPDATE slot SET number = 0");
  EXPECT_TRUE(run(spool_->delivery().read(id, 0)));
  EXPECT_EQ(run(spool_->delivery().read(id, 1)).error(), SpoolError::Corrupt);
  ask("UPDATE slot SET number = sequence + 4611686018427387904");
  EXPECT_EQ(run(spool_->delivery().read(id, 0)).error(), SpoolError::Corrupt);
  ask("UPDATE slot SET number = sequence");
  fs::resize_file(content_path(), kSlot - 1);
  EXPECT_EQ(run(spool_->delivery().read(id, 0)).error(), SpoolError::Corrupt);
  spool_.reset();
  fs::remove(content_path());
  open();
  EXPECT_EQ(run(spool_->delivery().read(id, 0)).error(), SpoolError::Corrupt);
  const auto other = accept(octets(kSlot, 'b'));  // and nobody else suffers
  EXPECT_TRUE(stored(other) == octets(kSlot, 'b'));
}

/// Two rows that speak of one place, by damage: the end of one must not free it under the other.
TEST_F(BigContent, DoesNotFreeAPlaceThatAnotherRowSpeaksOf) {
  const auto first = accept(octets(kSlot + 1, 'a'));
  const std::string kept = octets(kSlot + 1, 'b');
  const auto second = accept(kept);
  ask("UPDATE slot SET number = 1");
  finish(first);
  accept(octets(3 * kSlot, 'c'));
  EXPECT_TRUE(stored(second) == kept);
}

/// A program of schema 5 kept all chunks in the database.
TEST_F(BigContent, ReadsWhatAnOlderProgramKeptInTheDatabase) {
  const std::string content = octets(kSlot + 9, 'a');
  const auto id = accept(content);
  spool_.reset();
  {
    Connection connection(path());
    Statement move(connection.raw(),
                   "INSERT INTO chunk (id, sequence, digest, octets) "
                   "SELECT id, sequence, digest, ?1 FROM slot");
    const std::string whole = content.substr(0, kSlot);
    move.bind_blob(1, whole);
    move.run();
    connection.execute("DELETE FROM slot");
  }
  fs::remove(content_path());
  open();
  EXPECT_TRUE(stored(id) == content);
  finish(id);
  EXPECT_EQ(ask("SELECT count(*) FROM chunk"), "0");
}

/// One message that stays long must not keep the room of all that came before it.
TEST_F(BigContent, GivesTheDiskWhatLiesFreeBetweenOthersWhenItIsLow) {
  const auto first = accept(octets(20 * kSlot, 'a'));
  const std::string kept = octets(kSlot + 1, 'b');
  const auto second = accept(kept);
  finish(first);
  spool_.reset();
  const auto blocks = [&] {
    struct stat info{};
    EXPECT_EQ(::stat(content_path().c_str(), &info), 0);
    return static_cast<std::size_t>(info.st_blocks) * 512;
  };
  EXPECT_GE(blocks(), 21 * kSlot);
  auto opened =
      SqliteSpool::open({.path = path(), .min_free = std::uint64_t{1} << 60, .clock = &clock_});
  ASSERT_TRUE(opened);
  spool_ = std::move(*opened);
  EXPECT_EQ(run(spool_->intake().commit(a_message("x"))).error(), SpoolError::Full);
  EXPECT_LE(blocks(), 2 * kSlot);
  EXPECT_EQ(slots(), 21U) << "its length stays";
  EXPECT_TRUE(stored(second) == kept);
  open();
  const std::string next = octets(3 * kSlot, 'c');
  const auto third = accept(next);
  EXPECT_EQ(slots(), 21U);
  EXPECT_TRUE(stored(third) == next);
}

/// Places of big content are no room for pages of the database, however many are free.
TEST_F(BigContent, IsNoRoomForAnythingElse) {
  accept(octets(kSlot, 'a'));
  ask("UPDATE slot SET number = 4000000");  // a terabyte of places before it, all free
  spool_.reset();
  const std::uint64_t much = std::uint64_t{1} << 39;
  auto opened =
      SqliteSpool::open({.path = path(), .min_free = free_octets(path()) + much, .clock = &clock_});
  ASSERT_TRUE(opened);
  spool_ = std::move(*opened);
  EXPECT_EQ(run(spool_->intake().commit(a_message("x"))).error(), SpoolError::Full);
}

}  // namespace
}  // namespace relay::spool
