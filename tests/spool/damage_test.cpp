// One row that cannot be read harms one message: it is held, all others flow, and the operator sees
// and drops it.
#include <algorithm>

#include "relay/spool/rows.hpp"
#include "tests/spool/sqlite_case.hpp"

namespace relay::spool {
namespace {

using namespace std::chrono_literals;
using mail::RecipientState;
using ports::SpoolError;

struct Column {
  const char* table;
  const char* name;
  bool is_parsed;  ///< else any text will do, and the message leaves as before
};

constexpr Column kColumns[] = {
    {"message", "reverse_path", true},   {"message", "client", false},
    {"message", "helo", false},          {"message", "tls_version", false},
    {"message", "tls_cipher", false},    {"message", "message_id", false},
    {"message", "sha256", false},        {"recipient", "original", true},
    {"recipient", "target", true},       {"recipient", "destination", true},
    {"recipient", "reverse_path", true}, {"recipient", "host", false},
    {"recipient", "address", false},     {"recipient", "tls", false},
    {"recipient", "status", false},      {"recipient", "reply", false},
    {"recipient", "reason", false},      {"recipient", "awaits", false},
};

constexpr const char* kRubbish[] = {"'t dest.test'", "''", "x'00ff0a'", "'a@b@\r\n'"};

class Damage : public SqliteCase {
 protected:
  void damage(const Column& column, const char* rubbish, const mail::MessageId& id) {
    sqlite_.reset();
    {
      Connection connection(path());
      Statement set(connection.raw(), (std::string("UPDATE ") + column.table + " SET " +
                                       column.name + " = " + rubbish + " WHERE id = ?1")
                                          .c_str());
      set.bind_blob(1, blob_of(id));
      set.run();
    }
    open();
  }

  /// Delivers due copies, as the delivery side does; unreadable ones are held.
  void deliver_all() {
    std::optional<ports::DueCursor> after;
    while (true) {
      const auto page = run(delivery().due(after, 1)).value();
      if (page.copies.empty()) return;
      const mail::CopyId copy = page.copies.front().copy;
      after = page.next;
      const auto loaded = run(delivery().load(copy.message, {copy.index}));
      if (loaded) {
        record(copy.message, {outcome(copy.index, RecipientState::Delivered)});
      } else {
        ASSERT_EQ(loaded.error(), SpoolError::Corrupt);
        ASSERT_TRUE(run(delivery().hold_damaged(copy.message)));
      }
    }
  }
};

TEST_F(Damage, OfOneRowHoldsThatMessageAndNoOther) {
  for (const Column& column : kColumns) {
    for (const char* rubbish : kRubbish) {
      const std::string what = std::string(column.table) + "." + column.name + " = " + rubbish;
      // The null sender is as good as any.
      const bool null_sender =
          std::string(column.name) == "reverse_path" && std::string(rubbish) == "''";
      const auto before = add(message_to({"a@x.example"}, "body", kNow - 2s));
      const auto id = add(message_to({"b@x.example", "c@y.example"}, "body", kNow - 1s));
      const auto behind = add(message_to({"d@y.example"}));
      damage(column, rubbish, id);
      EXPECT_EQ(run(delivery().waiting_lanes(std::nullopt, 10)).has_value(), true) << what;
      deliver_all();
      EXPECT_FALSE(sqlite_->poisoned()) << what;
      EXPECT_TRUE(is_gone(before)) << what;
      EXPECT_TRUE(is_gone(behind)) << what;
      EXPECT_EQ(is_gone(id), !column.is_parsed || null_sender) << what;
      if (column.is_parsed && !null_sender) {
        EXPECT_EQ(run(operators().totals())->held, 2U) << what;
        const auto rows = list({});
        ASSERT_EQ(rows.size(), 2U) << what;
        EXPECT_EQ(rows[0].copy.message, id) << what;
        EXPECT_EQ(run(operators().copies(id))->size(), 2U) << what;
        EXPECT_EQ(change(with_id(id), ports::QueueAction::Drop).size(), 2U) << what;
        EXPECT_TRUE(is_gone(id)) << what;
      }
      EXPECT_EQ(run(operators().totals())->messages, 0U) << what;
      EXPECT_EQ(run(operators().totals())->held, 0U) << what;
    }
  }
}

TEST_F(Damage, IsShownAsItLiesThere) {
  const auto id = add(message_to({"b@x.example"}));
  damage({"recipient", "target", true}, "'t dest.test'", id);
  EXPECT_EQ(list({}).at(0).target, "t dest.test");
  EXPECT_EQ(list(where(ports::QueueCondition::Field::Target, "*dest.test")).size(), 1U);
}

/// A state that no program has stored: the copy is neither sent nor forgotten.
TEST_F(Damage, OfAStateKeepsTheCopyForTheOperator) {
  const auto id = add(message_to({"b@x.example"}));
  damage({"recipient", "state", true}, "77", id);
  EXPECT_TRUE(run(delivery().due(std::nullopt, 10))->copies.empty());
  EXPECT_EQ(run(delivery().load(id, {0})).error(), SpoolError::Corrupt);
  EXPECT_EQ(list({}).size(), 1U);
  EXPECT_EQ(change({}, ports::QueueAction::Release).size(), 1U);
  record(id, {outcome(0, RecipientState::Delivered)});
  EXPECT_TRUE(is_gone(id));
}

/// A failure beside a damaged copy is reported all the same; the damaged one itself cannot be
/// reported, and the operator may end it.
TEST_F(Damage, KeepsNobodyFromHearingOfAFailure) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  auto failed = outcome(0, RecipientState::Failed);
  failed.notify = ports::Notify::OfFailure;
  record(id, {failed});
  sqlite_.reset();
  Connection(path()).execute("UPDATE recipient SET target = 'b y.example' WHERE idx = 1");
  open();
  clock_.advance(60s);
  const auto notices = run(delivery().notices(id));
  ASSERT_TRUE(notices);
  EXPECT_EQ(notices->notices.size(), 1U);
  EXPECT_EQ(change({}, ports::QueueAction::Bounce).size(), 1U);
  const auto after = run(delivery().notices(id));
  ASSERT_TRUE(after);
  EXPECT_EQ(after->notices.size(), 1U) << "a DSN about a row that cannot be read cannot be made";
  ASSERT_TRUE(
      run(delivery().report({.id = id, .notices = {{0, ports::Notify::OfFailure}}, .dsns = {}})));
  EXPECT_TRUE(is_gone(id));
}

/// It failed, and cannot be told of. The others are told of without it.
TEST_F(Damage, OfACopyThatFailedLeavesItToTheOperatorAndSilencesNoOther) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  for (std::uint16_t index = 0; index < 2; ++index) {
    auto failed = outcome(index, RecipientState::Failed);
    failed.notify = ports::Notify::OfFailure;
    record(id, {failed});
  }
  sqlite_.reset();
  Connection(path()).execute("UPDATE recipient SET target = 'b y.example' WHERE idx = 1");
  open();
  ASSERT_EQ(run(delivery().notices(id)).error(), SpoolError::Corrupt);
  ASSERT_TRUE(run(delivery().hold_damaged(id)));
  EXPECT_EQ(run(delivery().next_report_in()).value(), 60s);
  const auto notices = run(delivery().notices(id));
  ASSERT_TRUE(notices);
  ASSERT_EQ(notices->notices.size(), 1U);
  EXPECT_EQ(notices->notices[0].index, 0U);
  ASSERT_TRUE(
      run(delivery().report({.id = id, .notices = {{0, ports::Notify::OfFailure}}, .dsns = {}})));
  EXPECT_EQ(run(delivery().next_report_in()).value(), std::nullopt);
  const auto kept = list({});
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].target, "b y.example");
  EXPECT_EQ(kept[0].state, RecipientState::Held);
  EXPECT_EQ(kept[0].end, mail::End::None);
  EXPECT_EQ(kept[0].last.text, "later") << "what it failed with";
  EXPECT_EQ(run(operators().totals())->held, 1U);
  EXPECT_EQ(change({}, ports::QueueAction::Bounce).size(), 1U);
  EXPECT_TRUE(is_gone(id));
  EXPECT_EQ(run(operators().totals())->held, 0U);
}

/// None of its notices can be reported: they are read once, not each minute.
TEST_F(Damage, OfAMessageThatFailedLeavesItToTheOperator) {
  const auto id = add(message_to({"a@x.example", "b@y.example"}));
  auto failed = outcome(0, RecipientState::Failed);
  failed.notify = ports::Notify::OfFailure;
  auto delayed = outcome(1, RecipientState::Waiting);
  delayed.notify = ports::Notify::OfDelay;
  record(id, {failed, delayed});
  damage({"message", "reverse_path", true}, "'a@b@'", id);
  ASSERT_EQ(run(delivery().notices(id)).error(), SpoolError::Corrupt);
  ASSERT_TRUE(run(delivery().hold_damaged(id)));
  EXPECT_EQ(run(delivery().next_report_in()).value(), std::nullopt);
  EXPECT_EQ(run(operators().totals())->held, 2U);
  EXPECT_EQ(run(operators().totals())->waiting, 0U);
  EXPECT_EQ(run(operators().totals())->owed_reports, 0U);
  EXPECT_EQ(change({}, ports::QueueAction::Drop).size(), 2U);
  EXPECT_TRUE(is_gone(id));
}

TEST_F(Damage, OfAStoredSenderIsNoSender) {
  auto made = message_to({"a@x.example"});
  made.tokens.push_back(
      {"t", mail::ReversePath(mailbox("long@sender.example")), 1h, "192.0.2.0/24"});
  add(std::move(made));
  sqlite_.reset();
  Connection(path()).execute("UPDATE token SET reverse_path = 'no sender'");
  open();
  EXPECT_EQ(run(tokens().find("t")).error(), SpoolError::Corrupt);
  EXPECT_FALSE(sqlite_->poisoned());
}

/// In a transaction that many share, only the one whose row is damaged is refused.
TEST_F(Damage, FoundWhileWritingHarmsNoOtherRequest) {
  const auto id = add(message_to({"a@x.example"}));
  damage({"recipient", "destination", true}, "x'ff'", id);
  EXPECT_TRUE(run(delivery().waiting_lanes(std::nullopt, 10)).has_value());
  EXPECT_EQ(change({}, ports::QueueAction::Bounce).size(), 1U);
  EXPECT_TRUE(is_gone(id));
  add(message_to({"a@x.example"}));
}

}  // namespace
}  // namespace relay::spool
