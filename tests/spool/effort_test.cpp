// The cost of calls, in steps of SQLite's machine, must not grow with rows that a call does not ask
// for (guarantee "The cost of a call does not grow with the queue").
#include <filesystem>

#include <gtest/gtest.h>

#include "relay/ports/commit_proof.hpp"
#include "relay/spool/opened_database.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/spool/a_message.hpp"
#include "tests/spool/queue_folder.hpp"

namespace relay::spool {
namespace {

namespace fs = std::filesystem;
using mail::RecipientState;

class Effort : public testing::Test {
 protected:
  void SetUp() override { open(); }

  void TearDown() override {
    database_ = {};
    fs::remove_all(folder_);
  }

  void open() {
    database_ = {};
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    auto opened = OpenedDatabase::open((folder_ / "queue.db").string(), clock_);
    ASSERT_TRUE(opened) << opened.error();
    database_ = std::move(*opened);
  }

  Tables& tables() { return *database_.tables; }

  mail::MessageId add(const ports::NewMessage& made) {
    const auto cut = ContentCut::of(made);
    database_.transactions->begin(false);
    EXPECT_TRUE(tables().acceptance.accept(made, *cut, kNow));
    database_.transactions->commit();
    return made.message.id;
  }

  /// To as many domains as copies.
  mail::MessageId add_wide(std::size_t copies) {
    std::vector<std::string> targets;
    for (std::size_t i = 0; i < copies; ++i) targets.push_back("a@d" + std::to_string(i) + ".test");
    return add(message_to(targets));
  }

  /// Since it was asked last.
  int pages_written() {
    int written = 0;
    int ignored = 0;
    sqlite3_db_status(database_.connection->raw(), SQLITE_DBSTATUS_CACHE_WRITE, &written, &ignored,
                      1);
    return written;
  }

  template <class Work>
  double steps(const Work& work) {
    count_steps();
    database_.transactions->begin();
    work();
    database_.transactions->commit();
    return count_steps();
  }

  /// Since the last count.
  double count_steps() {
    double sum = 0;
    sqlite3* const connection = database_.connection->raw();
    for (sqlite3_stmt* one = sqlite3_next_stmt(connection, nullptr); one != nullptr;
         one = sqlite3_next_stmt(connection, one)) {
      sum += sqlite3_stmt_status(one, SQLITE_STMTSTATUS_VM_STEP, 1);
    }
    return sum;
  }

  fakes::FakeClock clock_{kNow};
  OpenedDatabase database_;
  const fs::path folder_ = queue_folder("effort");
};

/// One message for a thousand lanes is loaded by each of them.
TEST_F(Effort, ToLoadACopyDoesNotGrowWithTheMessage) {
  const auto each_of = [this](std::uint16_t copies) {
    const auto id = add_wide(copies);
    return steps([&] {
             for (std::uint16_t i = 0; i < copies; ++i) {
               ASSERT_TRUE(tables().reader.load(id, {i}));
             }
           }) /
           copies;
  };
  const double few = each_of(10);
  EXPECT_LT(each_of(1000), few * 1.5);
  EXPECT_LT(few, 1000);
}

TEST_F(Effort, ToEndACopyDoesNotGrowWithThoseThatEndedBefore) {
  for (const bool backwards : {false, true}) {
    const auto each_of = [&](std::uint16_t copies) {
      const auto id = add_wide(copies);
      const double all = steps([&] {
        for (std::uint16_t i = 0; i < copies; ++i) {
          const auto index = static_cast<std::uint16_t>(backwards ? copies - 1 - i : i);
          ASSERT_TRUE(tables().outcomes.record(
              {.id = id, .copies = {outcome(index, RecipientState::Delivered)}}, kNow));
        }
      });
      EXPECT_FALSE(tables().messages.is_known(id));
      return all / copies;
    };
    const double few = each_of(10);
    EXPECT_LT(each_of(1000), few * 1.5) << backwards;
  }
}

/// Each place in an index is a page of its own, and a commit writes whole pages.
TEST_F(Effort, ToHoldWritesNoPageForEachLane) {
  constexpr std::uint16_t kCopies = 2000;
  add_wide(kCopies);
  std::size_t held = 0;
  std::optional<mail::CopyId> after;
  pages_written();
  database_.transactions->begin();
  do {
    const auto slice = tables().changes.change({}, ports::QueueAction::Hold, "r", after);
    held += slice.changed.size();
    after = slice.next;
  } while (after);
  database_.transactions->commit();
  EXPECT_EQ(held, kCopies);
  const int by_holding = pages_written();
  database_.transactions->begin();
  for (std::uint16_t found = 1; found > 0;) {
    const auto listed = tables().due.due(std::nullopt, 100, kNow);
    EXPECT_TRUE(listed.page.copies.empty());
    tables().due.take_away(listed.held);
    found = static_cast<std::uint16_t>(listed.held.size());
  }
  database_.transactions->commit();
  const int by_taking_away = pages_written();
  EXPECT_GT(by_holding, 0);
  EXPECT_LT(by_holding * 1.4, by_taking_away) << "which writes the indexes, too";
}

/// Our fields lie with the content. Beside it, in the row of the message, those of a sealed message
/// would need a page of their own.
TEST_F(Effort, ToAcceptWritesNoPageForASeal) {
  const auto pages_with = [this](std::size_t octets) {
    open();
    pages_written();
    for (int i = 0; i < 200; ++i) {
      auto made = a_message(std::string(1500, 'x'));
      made.message.trace_fields = "X-T: " + std::string(octets / 2, 't') + "\r\n";
      made.message.seal_fields = "X-S: " + std::string(octets / 2, 's') + "\r\n";
      add(made);
    }
    return pages_written();
  };
  const int few = pages_with(1200);
  EXPECT_GT(few, 0);
  EXPECT_LE(pages_with(2600), few * 1.3);
}

/// Those that are due already may be under way, which is noted in their rows and in no index.
TEST_F(Effort, ToRetryWhatIsDueWritesNoPageForEachLane) {
  const auto written_by = [this](ports::QueueAction action) {
    open();
    add_wide(2000);
    pages_written();
    std::optional<mail::CopyId> after;
    database_.transactions->begin();
    do {
      after = tables().changes.change({}, action, "r", after).next;
    } while (after);
    database_.transactions->commit();
    return pages_written();
  };
  const int by_retrying = written_by(ports::QueueAction::Retry);
  EXPECT_GT(by_retrying, 0);
  EXPECT_LT(by_retrying, written_by(ports::QueueAction::Hold) * 1.2);
}

TEST_F(Effort, ToDropACopyDoesNotGrowWithThoseThatEndedBefore) {
  const auto each_of = [this](std::uint16_t copies) {
    add_wide(copies);
    std::size_t dropped = 0;
    std::optional<mail::CopyId> after;
    const double all = steps([&] {
      do {
        const auto slice = tables().changes.change({}, ports::QueueAction::Drop, "r", after);
        dropped += slice.changed.size();
        after = slice.next;
      } while (after);
    });
    EXPECT_EQ(dropped, copies);
    return all / copies;
  };
  const double few = each_of(10);
  EXPECT_LT(each_of(1000), few * 1.5);
}

/// Lanes are found by jumping from one to the next, whatever waits in them.
TEST_F(Effort, ToListLanesDoesNotGrowWithWhatWaitsInThem) {
  const auto all_of = [this](std::size_t copies) {
    open();
    std::vector<std::string> targets;
    for (std::size_t i = 0; i < copies; ++i)
      targets.push_back("a@d" + std::to_string(i % 5) + ".test");
    add(message_to(targets));
    return steps(
        [&] { EXPECT_EQ(tables().due.waiting_lanes(std::nullopt, 100, kNow).size(), 5U); });
  };
  EXPECT_LT(all_of(5000), all_of(5) * 1.5);
}

TEST_F(Effort, ToFindAnIdDoesNotGrowWithTheQueue) {
  const auto one_of = [this](int messages) {
    open();
    const auto id = add(a_message("x"));
    for (int i = 1; i < messages; ++i) add(a_message("x"));
    const ports::QueueFilter filter{
        {{.field = ports::QueueCondition::Field::Id, .text = id.to_string()}}};
    return steps([&] {
      EXPECT_EQ(tables().walk.list(filter, std::nullopt, 100).rows.size(), 1U);
      EXPECT_EQ(tables()
                    .changes.change(filter, ports::QueueAction::Hold, "r", std::nullopt)
                    .changed.size(),
                1U);
      EXPECT_EQ(tables().walk.copies(id).size(), 1U);
    });
  };
  EXPECT_LT(one_of(1000), one_of(1) * 1.5);
}

TEST_F(Effort, ToStoreATokenDoesNotGrowWithTheTokensOfOthers) {
  int made = 0;
  const auto with_token = [&](const std::string& client) {
    auto message = a_message("x");
    message.tokens.push_back({"t" + std::to_string(made++),
                              mail::ReversePath(mailbox("a@b.example")), std::chrono::hours(1),
                              client});
    return message;
  };
  const auto one = [&](int before) {
    open();
    for (int i = 0; i < before; ++i) add(with_token(std::to_string(i)));
    const auto message = with_token("other");
    const auto cut = ContentCut::of(message);
    return steps([&] { EXPECT_TRUE(tables().acceptance.accept(message, *cut, kNow)); });
  };
  EXPECT_LT(one(2000), one(1) * 1.5);
}

/// A page of its own for each commit, and so many rows however long the program runs.
TEST_F(Effort, ToRememberAMessageDoesNotGrowWithThoseBefore) {
  const auto remembered = [&](const std::string& key) {
    auto message = a_message("x");
    message.resend_key = key;
    return message;
  };
  const std::string key(32, 'k');
  for (int i = 0; i < 3; ++i) add(a_message("x"));
  pages_written();
  add(a_message("x"));
  const int without = pages_written();
  database_.transactions->begin(false);
  const std::size_t many = ports::kMostRemembered + 5000;
  const auto id = mail::MessageId::generate(kNow);
  for (std::size_t i = 0; i < many; ++i) tables().resends.keep(id, key, kNow);
  database_.transactions->commit();
  const std::size_t kept = tables().resends.since(kNow, many).size();
  EXPECT_GE(kept, ports::kMostRemembered);
  EXPECT_LT(kept, ports::kMostRemembered + 300);
  pages_written();
  add(remembered(key));
  EXPECT_LE(pages_written(), without + 1);
}

}  // namespace
}  // namespace relay::spool
