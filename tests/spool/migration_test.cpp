// A queue of an older program becomes one of this program without losing a message; a queue of a
// newer program is left alone.
#include "tests/spool/old_queues.hpp"
#include "tests/support/read_file.hpp"

namespace relay::spool {
namespace {

using namespace std::chrono_literals;
using mail::RecipientState;

TEST_P(Migration, GoesOnWithALiveQueue) {
  auto opened = open();
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_EQ(opened->connection->pragma("PRAGMA user_version"), std::to_string(schema_version()));
  EXPECT_EQ(opened->connection->pragma("PRAGMA integrity_check"), "ok");
  EXPECT_EQ(opened->report.drafts_removed, GetParam() == 7 ? 1 : 0);
  expect_live(*opened->tables);
  const auto first = opened->tables->reader.load(kFirst, {0, 1, 2});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->message.trace_fields, "Received: from client.example\r\n");
  EXPECT_EQ(first->message.client.tls_cipher, "TLS_AES_256_GCM_SHA384");
  EXPECT_EQ(first->message.size, 35U);
  EXPECT_EQ(first->message.message_id, "");
  EXPECT_TRUE(first->message.smtputf8);
  EXPECT_TRUE(first->message.sender_authenticated) << "it was accepted with the promise of a DSN";
  ASSERT_EQ(first->recipients.size(), 3U);
  EXPECT_EQ(first->recipients[0].state, RecipientState::Delivered);
  EXPECT_EQ(first->recipients[0].end, mail::End::Delivered);
  const auto& waiting = first->recipients[1];
  EXPECT_EQ(waiting.route.target.to_string(), "b@Y.example");
  EXPECT_EQ(waiting.route.awaits, "");
  EXPECT_EQ(waiting.released_at, base::WallTime{});
  EXPECT_EQ(waiting.end, mail::End::None);
  EXPECT_TRUE(waiting.possible_duplicate);
  EXPECT_EQ(waiting.last.text, "later");
  EXPECT_EQ(waiting.last.tls_policy, mail::TlsLevel::May);
  EXPECT_EQ(first->recipients[2].state, RecipientState::Held);
}

/// Aliases had no fallbacks then: every failure is told as before.
TEST_P(Migration, FindsNoFallbacks) {
  auto opened = open();
  ASSERT_TRUE(opened) << opened.error();
  Tables& tables = *opened->tables;
  EXPECT_EQ(tables.fallbacks.group_of({kFirst, 1}), 0);
  const auto first = tables.reader.load(kFirst, {1});
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->recipients[0].route.stands_by);
  opened->transactions->begin();
  auto failed = outcome(1, RecipientState::Failed, first->recipients[0].attempts);
  failed.notify = ports::Notify::OfFailure;
  const auto answer = tables.outcomes.record({.id = kFirst, .copies = {failed}}, kNow);
  opened->transactions->commit();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->taken_over.empty());
  EXPECT_EQ(tables.notices.of(kFirst).size(), 1U);
}

/// Messages that an older program accepted are not recognised when sent again; later ones are.
TEST_P(Migration, RemembersWhatComesFromNowOn) {
  auto opened = open();
  ASSERT_TRUE(opened) << opened.error();
  Tables& tables = *opened->tables;
  EXPECT_TRUE(tables.resends.since(base::WallTime{}, 100).empty());
  auto made = a_message("new");
  made.resend_key = base::sha256("key");
  const auto cut = ContentCut::of(made);
  opened->transactions->begin();
  ASSERT_TRUE(tables.acceptance.accept(made, *cut, kNow));
  opened->transactions->commit();
  const auto found = tables.resends.since(kNow, 100);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, made.message.id);
  EXPECT_EQ(found[0].key, made.resend_key);
}

TEST_P(Migration, DeliversWhatWaited) {
  auto opened = open();
  ASSERT_TRUE(opened) << opened.error();
  deliver_all(*opened);
}

/// The history of a copy goes on: later records do not overwrite it.
TEST_P(Migration, KeepsTheHistory) {
  auto opened = open();
  ASSERT_TRUE(opened) << opened.error();
  Tables& tables = *opened->tables;
  const std::size_t before = GetParam() == 7 ? 3 : 2;
  EXPECT_EQ(tables.walk.attempts(kFirst).size(), before);
  const std::uint32_t attempts = GetParam() == 7 ? 2 : 1;
  opened->transactions->begin();
  auto update = outcome(1, RecipientState::Waiting, attempts);
  update.attempts.push_back(update.attempts.front());
  ASSERT_TRUE(tables.outcomes.record({.id = kFirst, .copies = {update}}, kNow));
  opened->transactions->commit();
  EXPECT_EQ(tables.walk.attempts(kFirst).size(), before + 2);
}

/// A program that knows one version less refuses the queue of this program, as this one refuses
/// that of a newer one. The file is not changed.
TEST_P(Migration, LeavesTheQueueOfANewerProgramAsItIs) {
  ASSERT_TRUE(open());
  {
    Connection connection(path());
    connection.execute(("PRAGMA user_version = " + std::to_string(schema_version() + 1)).c_str());
  }
  const std::string before = support::read_file(path());
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("newer srs-relay"), std::string::npos) << refused.error();
  EXPECT_EQ(support::read_file(path()), before);
  {
    Connection connection(path());
    connection.execute(("PRAGMA user_version = " + std::to_string(schema_version())).c_str());
  }
  auto again = open();
  ASSERT_TRUE(again) << again.error();
  expect_live(*again->tables);
}

INSTANTIATE_TEST_SUITE_P(From, Migration, testing::Range(1, schema_version()),
                         [](const auto& info) { return "Schema" + std::to_string(info.param); });

class MigrationFrom7 : public Migration {};

TEST_P(MigrationFrom7, KeepsWaitingHeldAndEndedCopies) {
  auto opened = open();
  ASSERT_TRUE(opened) << opened.error();
  Tables& tables = *opened->tables;
  const auto first = tables.reader.load(kFirst, {0, 1, 2});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->message.seal_fields, "ARC-Seal: i=1; b=x\r\n");
  EXPECT_EQ(first->message.rewritten_head, "Received: x\r\nFrom: new@fwd.example\r\n");
  EXPECT_EQ(first->message.header_octets, 14U);
  const auto& waiting = first->recipients[1];
  EXPECT_TRUE(waiting.route.handling.seal && waiting.route.handling.risk_pool);
  EXPECT_EQ(waiting.route.handling.reason, "doubtful");
  EXPECT_TRUE(waiting.warned);
  EXPECT_EQ(waiting.attempts, 2U);
  EXPECT_EQ(waiting.next_due, kNow + 30min);
  EXPECT_TRUE(first->recipients[2].route.held);
  const auto second = tables.reader.load(kSecond, {0, 1, 2});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->recipients[0].state, RecipientState::Failed);
  EXPECT_EQ(second->recipients[0].end, mail::End::Refused);
  EXPECT_EQ(second->recipients[1].route.awaits, "e@x.example");
  EXPECT_EQ(tables.awaiting.most({"e@x.example"}), 1U);
  EXPECT_EQ(tables.notices.next_due(kNow), std::nullopt) << "its sender was told";
  EXPECT_EQ(
      tables.due.due_in_lane({"y.example", true}, std::nullopt, 9, kNow + 1h).page.copies.size(),
      1U);
  EXPECT_TRUE(sound(tables, numbered(3), 0) == std::string(ports::kChunkOctets, 'z'));
  EXPECT_EQ(sound(tables, numbered(3), 1), std::string(20, 'z'));
  EXPECT_EQ(sound(tables, numbered(4)), "");
  const auto empty = tables.reader.load(numbered(4), {0});
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->message.trace_fields, "");
  const auto released = tables.reader.load(numbered(5), {0});
  ASSERT_TRUE(released);
  EXPECT_EQ(released->recipients[0].released_at, kNow + 1h);
  opened->transactions->begin();
  const ports::GreylistRules rules{
      .delay = 300s, .retry_window = 48h, .remember = 36 * 24h, .trusted_after = 5};
  EXPECT_EQ(
      tables.greylist.see({std::string(16, 'k'), std::string(16, 'n'), "c"}, rules, kNow + 1s),
      ports::GreylistAnswer::TooSoon);
  opened->transactions->commit();
}

INSTANTIATE_TEST_SUITE_P(Real, MigrationFrom7, testing::Values(7));

}  // namespace
}  // namespace relay::spool
