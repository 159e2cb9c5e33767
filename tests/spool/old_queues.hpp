// Queues of older programs, and their contents after opening.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "relay/spool/opened_database.hpp"
#include "relay/spool/schema.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/source_dir.hpp"
#include "tests/spool/a_message.hpp"
#include "tests/spool/queue_folder.hpp"
#include "tests/support/read_file.hpp"

namespace relay::spool {

inline mail::MessageId numbered(std::uint8_t n) {
  return mail::MessageId::make(kNow, {n, n, n, n, n, n});
}

inline const auto kFirst = numbered(1);
inline const auto kSecond = numbered(2);

/// The tests' parameter is the schema that the queue has before.
class Migration : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    write_old_queue();
  }

  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// The queue of a program of schema 1, migrated to a later schema; or the queue of a program of
  /// schema 7.
  void write_old_queue() const {
    for (const char* end : {"", "-wal", "-shm", "-journal"}) std::filesystem::remove(path() + end);
    Connection connection(path());
    const std::string file = GetParam() == 7 ? "version7.sql" : "version1.sql";
    const std::string sql = support::read_source("tests/spool/data/" + file);
    ASSERT_FALSE(sql.empty());
    connection.execute(sql.c_str());
    migrate_to(connection, GetParam());
    ASSERT_EQ(connection.pragma("PRAGMA user_version"), std::to_string(GetParam()));
    std::ofstream(ContentFile::path_of(path())) << std::string(2 * ports::kChunkOctets, 'z');
  }

  std::string path() const { return (folder_ / "queue.db").string(); }

  std::expected<OpenedDatabase, std::string> open() const {
    return OpenedDatabase::open(path(), clock_);
  }

  static std::string sound(Tables& tables, const mail::MessageId& id, std::uint32_t sequence = 0) {
    const auto chunk = tables.contents.read(id, sequence);
    return chunk && is_sound(id, sequence, *chunk) ? chunk->octets : "damaged";
  }

  static std::vector<ports::DueCopy> due(Tables& tables) {
    return tables.due.due(std::nullopt, 100, kNow + std::chrono::hours(24)).page.copies;
  }

  /// Everything that waited is there and can be sent.
  static void expect_live(Tables& tables) {
    const bool seven = GetParam() == 7;
    std::vector<mail::CopyId> waiting;
    for (const ports::DueCopy& one : due(tables)) waiting.push_back(one.copy);
    std::ranges::sort(waiting);
    const std::vector<mail::CopyId> expected =
        seven ? std::vector<mail::CopyId>{{kFirst, 1},
                                          {kSecond, 2},
                                          {numbered(3), 0},
                                          {numbered(4), 0},
                                          {numbered(5), 0}}
              : std::vector<mail::CopyId>{{kFirst, 1}, {kSecond, 0}};
    EXPECT_EQ(waiting, expected);
    EXPECT_EQ(sound(tables, kFirst), "Subject: one\r\n\r\nbody of the first\r\n");
    EXPECT_EQ(sound(tables, kSecond), "Subject: two\r\n\r\nbody of the second\r\n");
    EXPECT_EQ(tables.tally.now(), (Tally::Sums{.messages = seven ? 5 : 2,
                                               .octets = seven ? 262'262 : 71,
                                               .waiting = seven ? 5 : 2,
                                               .held = seven ? 2 : 1,
                                               .tokens = 1,
                                               .reports = 0}));
    EXPECT_TRUE(tables.tokens.find("t0", kNow));
  }

  /// Ends all copies, and sees nothing left behind.
  static void deliver_all(OpenedDatabase& opened) {
    Tables& tables = *opened.tables;
    opened.transactions->begin();
    const auto slice = tables.changes.change({}, ports::QueueAction::Release, "", std::nullopt);
    EXPECT_EQ(slice.changed.size(), GetParam() == 7 ? 2U : 1U);
    for (const ports::DueCopy& one : due(tables)) {
      const auto loaded = tables.reader.load(one.copy.message, {one.copy.index});
      ASSERT_TRUE(loaded);
      const auto answer = tables.outcomes.record(
          {.id = one.copy.message,
           .copies = {outcome(one.copy.index, mail::RecipientState::Delivered,
                              loaded->recipients.front().attempts)}},
          kNow);
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->copies.front(), ports::Recorded::Yes);
    }
    opened.transactions->commit();
    for (const char* table : {"message", "recipient", "chunk", "slot", "attempt", "notice"}) {
      EXPECT_EQ(opened.connection->pragma((std::string("SELECT count(*) FROM ") + table).c_str()),
                "0")
          << table;
    }
    EXPECT_EQ(tables.tally.now(), Tally::Sums{.tokens = 1});
  }

  static std::string schema_of(const std::string& path) {
    return Connection(path).pragma(
        "SELECT group_concat(sql) FROM (SELECT sql FROM sqlite_schema ORDER BY name)");
  }

  /// Its version, and the tables that belong to it: never half a step.
  void expect_whole() const {
    const int version = std::stoi(Connection(path()).pragma("PRAGMA user_version"));
    const std::string whole = (folder_ / "whole.db").string();
    std::filesystem::remove(whole);
    {
      Connection connection(whole);
      connection.execute("PRAGMA page_size = 8192");
      migrate_to(connection, version);
    }
    EXPECT_EQ(schema_of(path()), schema_of(whole)) << version;
  }

  fakes::FakeClock clock_{kNow};
  const std::filesystem::path folder_ = queue_folder("migration");
};

}  // namespace relay::spool
