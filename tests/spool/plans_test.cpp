// How SQLite finds what each statement asks for: a golden file, and rules that hold whatever stands
// in it. To write it anew: UPDATE_GOLDEN=1 bin/spool_test --gtest_filter='Plans.*'
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "relay/spool/opened_database.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/source_dir.hpp"
#include "tests/spool/queue_folder.hpp"
#include "tests/support/golden.hpp"

namespace relay::spool {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGolden = "tests/spool/plans.golden";

class Plans : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    auto opened = OpenedDatabase::open((folder_ / "queue.db").string(), clock_);
    ASSERT_TRUE(opened) << opened.error();
    database_ = std::move(*opened);
  }

  void TearDown() override {
    database_ = {};
    fs::remove_all(folder_);
  }

  /// Every statement that the queue has prepared: SQLite knows them all.
  std::map<std::string, std::string> plans() {
    std::map<std::string, std::string> found;
    sqlite3* const connection = database_.connection->raw();
    for (sqlite3_stmt* one = sqlite3_next_stmt(connection, nullptr); one != nullptr;
         one = sqlite3_next_stmt(connection, one)) {
      found.emplace(sqlite3_sql(one), "");
    }
    for (auto& [sql, plan] : found) plan = plan_of(sql);
    return found;
  }

  std::string plan_of(const std::string& sql) {
    Statement explain(database_.connection->raw(), ("EXPLAIN QUERY PLAN " + sql).c_str());
    std::map<std::int64_t, std::string> indents{{0, "  "}};
    std::string plan;
    while (explain.step()) {
      const std::string indent = indents[explain.number(1)];
      indents[explain.number(0)] = indent + "  ";
      plan += indent + explain.text(3) + "\n";
    }
    return plan;
  }

  fakes::FakeClock clock_;
  OpenedDatabase database_;
  const fs::path folder_ = queue_folder("plans");
};

std::string header() {
  return fmt::format("Plans of the queue's statements, by SQLite {}.\n", sqlite3_libversion());
}

TEST_F(Plans, AreTheOnesInTheGoldenFile) {
  std::string text = header();
  for (const auto& [sql, plan] : plans()) text += "\n" + sql + "\n" + plan;
  const bool is_renewed = std::getenv("UPDATE_GOLDEN") != nullptr;
  if (!is_renewed && !support::read_source(kGolden).starts_with(header())) {
    GTEST_SKIP() << "made by another SQLite";
  }
  support::expect_golden(kGolden, text);
}

/// Statements that may walk through a whole table.
constexpr std::string_view kMayScan[] = {
    // A start learns which slots of the content file are taken: a row of a few octets for each
    // chunk of a message that is longer than one. Only the start waits for it, and any other record
    // of free slots would have to be written with every message.
    "SELECT number FROM slot",
    // There is one row.
    "SELECT messages, octets, waiting, held, tokens, reports FROM tally",
    "UPDATE tally SET messages = ?1, octets = ?2, waiting = ?3, held = ?4, tokens = ?5, "
    "reports = ?6",
    // It ends with the first row of the index.
    "SELECT due_ms FROM report ORDER BY due_ms LIMIT 1",
    // As many rows as an operator has given rules.
    "SELECT kind, value, reason, since_ms, until_ms FROM pause_rule WHERE until_ms IS NULL OR "
    "until_ms > ?1 ORDER BY kind, value",
    "DELETE FROM pause_rule WHERE until_ms <= ?1",
};

/// Nothing else walks through a table, or sorts what an index could give in order.
TEST_F(Plans, NeitherScanNorSort) {
  const auto all = plans();
  EXPECT_GT(all.size(), 70U);
  for (const auto& [sql, plan] : all) {
    const bool may_scan = std::ranges::find(kMayScan, sql) != std::end(kMayScan);
    EXPECT_EQ(plan.contains("SCAN "), may_scan) << sql << "\n" << plan;
    EXPECT_FALSE(plan.contains("TEMP B-TREE")) << sql << "\n" << plan;
    EXPECT_FALSE(plan.contains("AUTOMATIC")) << sql << "\n" << plan;
  }
  for (const std::string_view sql : kMayScan) EXPECT_TRUE(all.contains(std::string(sql))) << sql;
}

}  // namespace
}  // namespace relay::spool
