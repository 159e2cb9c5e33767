// What every Spool promises, run over the real one and over the fake that stands for it.
#include <algorithm>
#include <filesystem>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/base/sha256.hpp"
#include "relay/base/text.hpp"
#include "relay/spool/sqlite_spool.hpp"
#include "tests/dns/turn_loop.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/memory_spool.hpp"

namespace relay::spool {
namespace {

using namespace std::string_literals;

namespace fs = std::filesystem;
using mail::RecipientState;
using ports::SpoolError;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

mail::Mailbox mailbox(const std::string& text) { return *mail::Mailbox::parse(text); }

/// A message with one copy per target, whole in its last chunk.
ports::NewMessage message(const std::vector<std::string>& targets, std::string content = "body") {
  ports::NewMessage made;
  made.message.id = mail::MessageId::generate(kNow);
  made.message.received_at = kNow;
  made.message.reverse_path = mail::ReversePath(mailbox("\"Ann B\"@sender.example"));
  made.message.smtputf8 = true;
  made.message.client = {"192.0.2.1", 4711, "client.example", true, "TLSv1.3", "X"};
  made.message.trace_fields = "Received: x\r\n";
  made.message.size = content.size();
  made.content_sha256 = base::sha256(content);
  made.last_chunk = std::move(content);
  made.first_due = kNow;
  for (const auto& target : targets) {
    made.routes.push_back({.index = static_cast<std::uint16_t>(made.routes.size()),
                           .original = mail::ForwardPath(mailbox("info@fwd.example")),
                           .target = mailbox(target),
                           .reverse_path = mail::ReversePath(mailbox("srs@fwd.example"))});
  }
  return made;
}

ports::RecipientUpdate outcome(std::uint16_t index, RecipientState state,
                               base::WallTime next_due = kNow) {
  ports::RecipientUpdate update;
  update.index = index;
  update.state = state;
  update.attempts = 1;
  update.next_due = next_due;
  update.attempt.at = kNow;
  update.attempt.host = "mx.example";
  update.attempt.stage = mail::Stage::RcptTo;
  update.attempt.code = 450;
  update.attempt.status = {4, 2, 0};
  update.attempt.text = "later";
  return update;
}

enum class Which { Memory, Sqlite };

class SpoolContract : public testing::TestWithParam<Which> {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("srs-relay-spool-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    open();
  }

  void TearDown() override {
    spool_.reset();
    fs::remove_all(folder_);
  }

  void open(std::uint64_t min_free = 0) {
    if (GetParam() == Which::Memory) {
      spool_ = std::make_unique<fakes::MemorySpool>();
      return;
    }
    auto opened = SqliteSpool::open({.path = (folder_ / "queue.db").string(),
                                     .min_free = min_free,
                                     .tokens = {},
                                     .allow_network_file_system = false});
    ASSERT_TRUE(opened) << opened.error();
    spool_ = std::move(*opened);
  }

  template <class T>
  T run(base::Task<T> task) {
    return dns::turn_loop(io_, std::move(task));
  }

  mail::MessageId add(ports::NewMessage made) {
    const auto id = made.message.id;
    const auto proof = run(spool_->commit(std::move(made)));
    EXPECT_TRUE(proof);
    if (proof) EXPECT_EQ(proof->id(), id);
    return id;
  }

  fs::path folder_;
  boost::asio::io_context io_;
  std::unique_ptr<ports::Spool> spool_;
};

TEST_P(SpoolContract, GivesBackWhatWasCommitted) {
  const auto id = add(message({"a@x.example", "b@Y.example"}));
  const auto loaded = run(spool_->load(id));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->message.reverse_path.to_string(), "\"Ann B\"@sender.example");
  EXPECT_TRUE(loaded->message.smtputf8);
  EXPECT_EQ(loaded->message.client.helo, "client.example");
  EXPECT_EQ(loaded->message.trace_fields, "Received: x\r\n");
  ASSERT_EQ(loaded->recipients.size(), 2U);
  EXPECT_EQ(loaded->recipients[1].route.target.to_string(), "b@Y.example");
  EXPECT_EQ(run(spool_->read(id, 0)).value(), "body");
  EXPECT_EQ(run(spool_->read(id, 1)).value(), "");
  EXPECT_EQ(run(spool_->load(mail::MessageId::generate(kNow))).error(), SpoolError::NotFound);
}

TEST_P(SpoolContract, GivesBackHowEachCopyIsToLeave) {
  auto made = message({"a@x.example", "b@x.example", "c@x.example", "d@x.example"});
  made.message.seal_fields = "ARC-Seal: i=1;\r\n\t\0b=x\r\n"s;
  made.message.rewritten_head = "Received: x\r\nFrom: new@fwd.example\r\n";
  made.message.header_octets = 17;
  made.message.sender_authenticated = true;
  made.routes[0].handling = {.seal = true, .risk_pool = false, .new_author = false, .reason = "s"};
  made.routes[1].handling = {.seal = false, .risk_pool = true, .new_author = false, .reason = "r"};
  made.routes[2].handling = {.seal = false, .risk_pool = false, .new_author = true, .reason = "ä"};
  const auto id = add(made);
  const auto loaded = run(spool_->load(id));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->message.seal_fields, made.message.seal_fields);
  EXPECT_EQ(loaded->message.rewritten_head, made.message.rewritten_head);
  EXPECT_EQ(loaded->message.header_octets, 17U);
  EXPECT_TRUE(loaded->message.sender_authenticated);
  for (std::size_t i = 0; i < made.routes.size(); ++i) {
    const mail::Handling& given = made.routes[i].handling;
    const mail::Handling& kept = loaded->recipients[i].route.handling;
    EXPECT_EQ(kept.seal, given.seal) << i;
    EXPECT_EQ(kept.risk_pool, given.risk_pool) << i;
    EXPECT_EQ(kept.new_author, given.new_author) << i;
    EXPECT_EQ(kept.reason, given.reason) << i;
  }
  const auto listed = run(spool_->list({.id = id}, std::nullopt, 10));
  EXPECT_EQ(listed->at(1).recipient.route.handling.reason, "r");
  EXPECT_FALSE(run(spool_->load(add(message({"a@x.example"}))))->message.sender_authenticated);
}

/// A copy may wait for the operator from the start: never due, whatever the time, until released.
TEST_P(SpoolContract, HoldsACopyFromTheStart) {
  auto made = message({"a@x.example", "b@x.example"});
  made.routes[1].held = true;
  const auto id = add(std::move(made));
  EXPECT_EQ(run(spool_->totals())->held, 1U);
  const auto much_later = kNow + std::chrono::years(9);
  EXPECT_EQ(run(spool_->due(much_later, std::nullopt, 10))->size(), 1U);
  ASSERT_TRUE(run(spool_->record(
      {.id = id, .recipients = {outcome(0, RecipientState::Delivered)}, .bounces = {}})));
  const auto listed = run(spool_->list({.state = RecipientState::Held}, std::nullopt, 10));
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_TRUE(listed->front().recipient.route.held);
  EXPECT_EQ(run(spool_->next_due(kNow)).value(), std::nullopt);
  EXPECT_EQ(run(spool_->change({.id = id}, ports::QueueAction::Release, much_later)).value(), 1U);
  EXPECT_EQ(run(spool_->due(much_later, std::nullopt, 10))->size(), 1U);
  const auto released = run(spool_->load(id))->recipients[1];
  EXPECT_EQ(released.state, RecipientState::Waiting);
  EXPECT_EQ(released.released_at, much_later);
  // Telling it to be tried now is no release: its time goes on.
  run(spool_->change({.id = id}, ports::QueueAction::Retry, much_later + std::chrono::hours(1)));
  EXPECT_EQ(run(spool_->load(id))->recipients[1].released_at, much_later);
}

TEST_P(SpoolContract, KeepsBigContentInChunks) {
  auto big = message({"a@x.example"}, "tail");
  const std::string chunk(ports::Spool::kChunkOctets, 'x');
  ASSERT_TRUE(run(spool_->append(big.message.id, 0, chunk)));
  ASSERT_TRUE(run(spool_->append(big.message.id, 1, chunk)));
  big.message.size = 2 * chunk.size() + 4;
  const auto id = add(std::move(big));
  EXPECT_EQ(run(spool_->read(id, 1)).value(), chunk);
  EXPECT_EQ(run(spool_->read(id, 2)).value(), "tail");
  EXPECT_EQ(run(spool_->read(id, 3)).value(), "");
}

TEST_P(SpoolContract, FindsWhatIsDueInOrderAndPages) {
  const auto first = add(message({"a@x.example", "b@y.example"}));
  auto later = message({"c@z.example"});
  later.first_due = kNow + std::chrono::hours(1);
  add(std::move(later));
  const auto due = run(spool_->due(kNow, std::nullopt, 10));
  ASSERT_EQ(due->size(), 2U);
  EXPECT_EQ((*due)[0].destination, "x.example");
  const auto rest = run(spool_->due(kNow, ports::QueueCursor{kNow, first, 0}, 10));
  ASSERT_EQ(rest->size(), 1U);
  EXPECT_EQ((*rest)[0].index, 1);
  EXPECT_EQ(run(spool_->next_due(kNow)).value(), kNow + std::chrono::hours(1));
  EXPECT_EQ(run(spool_->due(kNow + std::chrono::hours(2), std::nullopt, 10))->size(), 3U);
}

/// C8: only the unfinished copies remain; the message goes with the last of them.
TEST_P(SpoolContract, RemovesTheMessageWithItsLastCopy) {
  const auto id = add(message({"a@x.example", "b@y.example"}));
  const auto retry_at = kNow + std::chrono::minutes(5);
  ASSERT_TRUE(run(spool_->record({.id = id,
                                  .recipients = {outcome(0, RecipientState::Delivered),
                                                 outcome(1, RecipientState::Waiting, retry_at)},
                                  .bounces = {}})));
  EXPECT_TRUE(run(spool_->due(kNow, std::nullopt, 10))->empty());
  const auto loaded = run(spool_->load(id));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->recipients[0].state, RecipientState::Delivered);
  EXPECT_EQ(loaded->recipients[1].last.text, "later");
  EXPECT_EQ(loaded->recipients[1].last.status.to_string(), "4.2.0");
  EXPECT_EQ(run(spool_->attempts(id))->size(), 2U);
  ASSERT_TRUE(run(spool_->record(
      {.id = id, .recipients = {outcome(1, RecipientState::Delivered)}, .bounces = {}})));
  EXPECT_EQ(run(spool_->load(id)).error(), SpoolError::NotFound);
  EXPECT_EQ(run(spool_->totals())->messages, 0U);
}

/// C9: the failure and its DSN are one.
TEST_P(SpoolContract, RecordsAFailureWithItsBounce) {
  const auto id = add(message({"a@x.example"}));
  auto bounce = message({"ann@sender.example"}, "dsn");
  const auto bounce_id = bounce.message.id;
  bounce.message.reverse_path = mail::ReversePath::null();
  ports::Update update{.id = id, .recipients = {outcome(0, RecipientState::Failed)}, .bounces = {}};
  update.bounces.push_back(std::move(bounce));
  ASSERT_TRUE(run(spool_->record(std::move(update))));
  EXPECT_EQ(run(spool_->load(id)).error(), SpoolError::NotFound);
  EXPECT_TRUE(run(spool_->load(bounce_id))->message.reverse_path.is_null());
}

TEST_P(SpoolContract, HoldsReleasesRetriesAndDrops) {
  const auto id = add(message({"a@x.example"}));
  add(message({"b@y.example"}));
  const ports::QueueFilter one{.id = id};
  const auto change = [&](ports::QueueFilter filter, ports::QueueAction action) {
    return run(spool_->change(std::move(filter), action, kNow)).value();
  };
  EXPECT_EQ(change({.target = "x.example"}, ports::QueueAction::Hold), 1U);
  EXPECT_EQ(run(spool_->due(kNow, std::nullopt, 10))->size(), 1U);
  EXPECT_EQ(run(spool_->totals())->held, 1U);
  EXPECT_EQ(run(spool_->list({.state = RecipientState::Held}, std::nullopt, 10))->size(), 1U);
  EXPECT_EQ(change(one, ports::QueueAction::Release), 1U);
  EXPECT_EQ(change(one, ports::QueueAction::Release), 0U);
  EXPECT_EQ(change({.id_prefix = id.to_string().substr(0, 26)}, ports::QueueAction::Drop), 1U);
  EXPECT_EQ(run(spool_->totals())->messages, 1U);
  EXPECT_EQ(change({.sender = "sender.example"}, ports::QueueAction::Retry), 1U);
}

/// A message whose copies wait for the consent of their targets; those in `free` do not.
ports::NewMessage awaiting(const std::vector<std::string>& targets,
                           const std::vector<std::string>& free = {}) {
  auto made = message(targets);
  for (mail::Route& route : made.routes) {
    if (std::ranges::find(free, route.target.to_string()) != free.end()) continue;
    route.held = true;
    route.awaits = base::lower(route.target.to_string());
  }
  return made;
}

TEST_P(SpoolContract, HoldsForTheConsentOfATarget) {
  const auto id = add(awaiting({"a@x.example", "B@y.example", "c@z.example"}, {"c@z.example"}));
  const auto due = run(spool_->due(kNow, std::nullopt, 10)).value();
  ASSERT_EQ(due.size(), 1U) << "who has confirmed does not wait for the others";
  EXPECT_EQ(due[0].index, 2);
  const auto loaded = run(spool_->load(id)).value();
  EXPECT_EQ(loaded.recipients[1].route.awaits, "b@y.example");
  EXPECT_EQ(loaded.recipients[2].route.awaits, "");
  add(awaiting({"b@y.example"}));
  EXPECT_EQ(run(spool_->awaiting({"b@y.example"})).value(), 2U);
  EXPECT_EQ(run(spool_->awaiting({"a@x.example", "c@z.example"})).value(), 1U);
  EXPECT_EQ(run(spool_->awaiting({"", "c@z.example"})).value(), 0U);

  auto full = awaiting({"c@z.example", "b@y.example"}, {"c@z.example"});
  full.max_awaiting = 2;
  EXPECT_EQ(run(spool_->commit(full)).error(), SpoolError::Unconfirmed);
  EXPECT_EQ(run(spool_->load(full.message.id)).error(), SpoolError::NotFound) << "nothing of it";
  full.max_awaiting = 3;
  EXPECT_TRUE(run(spool_->commit(full)));
}

TEST_P(SpoolContract, ReleasesWhatWaitedForConsentAndNothingElse) {
  const auto id = add(awaiting({"b@y.example", "a@x.example"}));
  auto held = message({"a@x.example"});
  held.routes[0].held = true;
  add(std::move(held));
  add(awaiting({"a@x.example"}));
  std::vector<ports::AwaitingCopy> all;
  std::optional<ports::AwaitingCopy> last;
  while (true) {
    const auto page = run(spool_->awaiting_copies(last, 1)).value();
    if (page.empty()) break;
    ASSERT_EQ(page.size(), 1U);
    last = page.back();
    all.push_back(page.back());
  }
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].awaits, "a@x.example");
  EXPECT_EQ(all[2].awaits, "b@y.example");
  EXPECT_EQ(all[2].id, id);
  EXPECT_EQ(all[2].target.to_string(), "b@y.example");

  const auto later = kNow + std::chrono::hours(1);
  EXPECT_EQ(run(spool_->release({all[0], all[1]}, later)).value(), 2U);
  EXPECT_EQ(run(spool_->release({all[0], all[1]}, later)).value(), 0U) << "once is enough";
  EXPECT_EQ(run(spool_->totals())->held, 2U) << "the operator's, and b's";
  EXPECT_EQ(run(spool_->due(later, std::nullopt, 10))->size(), 2U);
  const auto loaded = run(spool_->load(id)).value();
  EXPECT_EQ(loaded.recipients[1].released_at, later);
  EXPECT_EQ(loaded.recipients[1].route.awaits, "");
  EXPECT_EQ(loaded.recipients[0].route.awaits, "b@y.example");
}

/// Whatever the operator does with a copy, a confirmation does nothing to it any more.
TEST_P(SpoolContract, WaitsForNobodysConsentOnceTheOperatorHasDecided) {
  const auto id = add(awaiting({"a@x.example", "b@y.example"}));
  const auto copies = run(spool_->awaiting_copies(std::nullopt, 10)).value();
  EXPECT_EQ(run(spool_->change({.target = "a@x"}, ports::QueueAction::Release, kNow)).value(), 1U);
  EXPECT_EQ(run(spool_->change({.target = "a@x"}, ports::QueueAction::Hold, kNow)).value(), 1U);
  EXPECT_EQ(run(spool_->release(copies, kNow)).value(), 1U);
  EXPECT_EQ(run(spool_->load(id))->recipients[0].state, RecipientState::Held);
  EXPECT_EQ(run(spool_->change({.id = id}, ports::QueueAction::Drop, kNow)).value(), 2U);
  EXPECT_EQ(run(spool_->totals())->messages, 0U);
  EXPECT_TRUE(run(spool_->awaiting_copies(std::nullopt, 10))->empty());
}

TEST_P(SpoolContract, StoresSendersUntilTheyExpireAndWithinQuota) {
  const auto with_token = [](const std::string& token) {
    auto made = message({"a@x.example"});
    made.tokens.push_back({.token = token,
                           .reverse_path = mail::ReversePath(mailbox("long@sender.example")),
                           .expires_at = kNow + std::chrono::hours(1),
                           .client = "192.0.2.0/24"});
    return made;
  };
  add(with_token("t0"));
  EXPECT_EQ(run(spool_->find_token("t0", kNow)).value().to_string(), "long@sender.example");
  EXPECT_EQ(run(spool_->find_token("t0", kNow + std::chrono::hours(2))).error(),
            SpoolError::NotFound);
  EXPECT_EQ(run(spool_->find_token("t1", kNow)).error(), SpoolError::NotFound);
  for (int i = 1; i < 1000; ++i) add(with_token("t" + std::to_string(i)));
  EXPECT_EQ(run(spool_->commit(with_token("one-more"))).error(), SpoolError::TokenQuota);
  add(with_token("t5"));  // known already: costs no quota
}

/// C2: what was accepted lately can be known again, the newest first.
TEST_P(SpoolContract, RemembersWhatWasAcceptedLately) {
  auto old = message({"a@x.example"}, "old");
  old.message.id = mail::MessageId::make(kNow - std::chrono::hours(2), {1});
  add(std::move(old));
  auto first = message({"a@x.example", "b@y.example"}, "first");
  first.message.id = mail::MessageId::make(kNow - std::chrono::minutes(2), {1});
  first.routes[1].original = mail::ForwardPath(mailbox("team@fwd.example"));
  add(std::move(first));
  auto second = message({"a@x.example", "b@y.example"}, "second");
  second.message.id = mail::MessageId::make(kNow - std::chrono::minutes(1), {1});
  const auto newest = add(std::move(second));
  const auto found = run(spool_->accepted_since(kNow - std::chrono::hours(1), 10));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->at(0).proof.id(), newest);
  EXPECT_EQ(found->at(0).forward_paths, (std::vector<std::string>{"info@fwd.example"}));
  EXPECT_EQ(found->at(0).client, "192.0.2.1");
  EXPECT_EQ(found->at(0).reverse_path, "\"Ann B\"@sender.example");
  EXPECT_EQ(found->at(0).content_sha256, base::sha256("second"));
  EXPECT_EQ(found->at(1).forward_paths,
            (std::vector<std::string>{"info@fwd.example", "team@fwd.example"}));
  EXPECT_EQ(run(spool_->accepted_since(kNow - std::chrono::hours(1), 1))->size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Both, SpoolContract, testing::Values(Which::Memory, Which::Sqlite),
                         [](const auto& info) {
                           return std::string(info.param == Which::Memory ? "Memory" : "Sqlite");
                         });

class SqliteOnly : public SpoolContract {};

/// The process dies right after the commit was answered: nothing of it may be gone, nor the sender
/// that an SRS address stands for (srs.md no. 24).
TEST_P(SqliteOnly, KeepsWhatWasAcknowledgedWhenTheProcessDies) {
  spool_.reset();
  const pid_t child = ::fork();
  if (child == 0) {
    open();
    auto with_token = message({"a@x.example"});
    with_token.tokens.push_back({"t", mail::ReversePath(mailbox("long@sender.example")),
                                 kNow + std::chrono::hours(1), "192.0.2.0/24"});
    add(std::move(with_token));
    run(spool_->append(mail::MessageId::generate(kNow), 0, "a draft"));
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  open();
  EXPECT_EQ(run(spool_->totals())->messages, 1U);
  EXPECT_EQ(run(spool_->find_token("t", kNow))->to_string(), "long@sender.example");
  const auto& report = dynamic_cast<SqliteSpool&>(*spool_).report();
  EXPECT_FALSE(report.clean);
  EXPECT_EQ(report.drafts_removed, 1);
  EXPECT_EQ(report.synchronous, "2");
}

TEST_P(SqliteOnly, KeepsACopyHeldOverARestart) {
  auto made = message({"a@x.example"});
  made.routes[0].held = true;
  add(std::move(made));
  spool_.reset();
  open();
  EXPECT_EQ(run(spool_->totals())->held, 1U);
  EXPECT_TRUE(run(spool_->due(kNow + std::chrono::years(9), std::nullopt, 10))->empty());
}

TEST_P(SqliteOnly, KnowsOverARestartHowManyCopiesWaitForATarget) {
  add(awaiting({"a@x.example"}));
  spool_.reset();
  open();
  EXPECT_EQ(run(spool_->awaiting({"a@x.example"})).value(), 1U);
  EXPECT_EQ(run(spool_->awaiting_copies(std::nullopt, 10))->size(), 1U);
}

TEST_P(SqliteOnly, RefusesASecondProcess) {
  const auto second = SqliteSpool::open({.path = (folder_ / "queue.db").string(),
                                         .min_free = 0,
                                         .tokens = {},
                                         .allow_network_file_system = false});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().find("in use by another process"), std::string::npos) << second.error();
}

TEST_P(SqliteOnly, RefusesTheQueueOfANewerProgram) {
  spool_.reset();
  {
    Connection connection((folder_ / "queue.db").string());
    connection.execute("PRAGMA user_version = 99");
  }
  const auto opened = SqliteSpool::open({.path = (folder_ / "queue.db").string(),
                                         .min_free = 0,
                                         .tokens = {},
                                         .allow_network_file_system = false});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().find("newer srs-relay"), std::string::npos) << opened.error();
}

/// K-5: a flipped octet is found before it leaves.
TEST_P(SqliteOnly, NeverHandsOutDamagedContent) {
  const auto id = add(message({"a@x.example"}));
  spool_.reset();
  {
    Connection connection((folder_ / "queue.db").string());
    connection.execute("UPDATE chunk SET octets = x'626f647a'");
  }
  open();
  EXPECT_EQ(run(spool_->read(id, 0)).error(), SpoolError::Corrupt);
}

/// Below min_free nothing is accepted, but what was delivered can still be recorded.
TEST_P(SqliteOnly, RecordsButDoesNotAcceptWhenTheDiskIsLow) {
  const auto id = add(message({"a@x.example"}));
  spool_.reset();
  open(std::uint64_t{1} << 60);
  EXPECT_EQ(run(spool_->commit(message({"a@x.example"}))).error(), SpoolError::Full);
  EXPECT_TRUE(run(spool_->record(
      {.id = id, .recipients = {outcome(0, RecipientState::Delivered)}, .bounces = {}})));
}

/// srs.md no. 25: the store of senders is bounded in time as well.
TEST_P(SqliteOnly, RemovesExpiredTokens) {
  spool_.reset();
  fakes::FakeClock clock(kNow);
  auto opened = SqliteSpool::open({.path = (folder_ / "queue.db").string(),
                                   .min_free = 0,
                                   .tokens = {},
                                   .clock = &clock,
                                   .token_round = std::chrono::seconds(60),
                                   .allow_network_file_system = false});
  ASSERT_TRUE(opened) << opened.error();
  spool_ = std::move(*opened);
  auto made = message({"a@x.example"});
  const mail::ReversePath sender(mailbox("long@sender.example"));
  made.tokens.push_back({"short", sender, kNow + std::chrono::hours(1), "192.0.2.0/24"});
  made.tokens.push_back({"long", sender, kNow + std::chrono::hours(9), "192.0.2.0/24"});
  add(std::move(made));
  clock.advance(std::chrono::hours(2));
  bool removed = false;
  for (int i = 0; i < 200 && !removed; ++i) {
    // Asked as of before its end: only removal makes it unknown.
    removed = !run(spool_->find_token("short", kNow));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(removed);
  EXPECT_TRUE(run(spool_->find_token("long", kNow)));
  spool_.reset();  // before the clock it reads
}

INSTANTIATE_TEST_SUITE_P(Real, SqliteOnly, testing::Values(Which::Sqlite));

}  // namespace
}  // namespace relay::spool
