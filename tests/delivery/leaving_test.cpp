// The delivery side as a whole, over fakes of its ports: how copies leave, from which source, how
// fast, and to whom failures are reported.
#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/delivery/scheduler.hpp"
#include "tests/delivery/sink_server.hpp"
#include "tests/delivery/throwing_queue.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/memory_spool.hpp"
#include "tests/support/ip.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/mailbox.hpp"
#include "tests/support/run_task.hpp"

namespace relay::delivery {
namespace {

using namespace std::chrono_literals;
using mail::Handling;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kZone =
    "x.example MX 10 mx.x.example\nmx.x.example A 192.0.2.1\n"
    "sender.example MX 10 mx.sender.example\nmx.sender.example A 192.0.2.2\n"
    "silent.example NEVER\n";
const std::string kSeal = "ARC-Seal: i=1;\r\n\tb=x\r\n";
const std::string kTrace = "Received: from client\r\nDKIM-Signature: b=y\r\n";
const std::string kNewHead = "Received: from client\r\nFrom: Ann via <a@fwd.example>\r\n";
const std::string kHeader = "From: ann@sender.example\r\nSubject: s\r\n";
const std::string kBody = "\r\n.a line with a dot\r\n..two\r\n";

using support::mailbox;

using support::ip;

class Leaving : public testing::Test {
 protected:
  Leaving() {
    Policy made(*mail::Domain::parse("mx.fwd.example"));
    made.source_v4 = ip("127.0.0.8");
    made.risk.source_v4 = ip("127.0.0.9");
    made.risk.rate = {.count = 60, .span = 60s};
    publish(std::move(made));
  }

  ~Leaving() override {
    if (!scheduler_) return;
    auto done = boost::asio::co_spawn(io_, scheduler_->stop(), boost::asio::use_future);
    clock_.run_for(io_, 60s);
    EXPECT_TRUE(done.get());
  }

  void publish(Policy made) { policy_.publish(std::make_shared<const Policy>(std::move(made))); }

  void start() { start(spool_.delivery()); }

  void start(ports::DeliveryQueue& queue) {
    scheduler_ = std::make_unique<Scheduler>(
        std::vector<base::Executor>{io_.get_executor()},
        SchedulerParts{clock_, resolver_, dialer_, queue, nullptr, log_, policy_, watchdog_, 1});
    scheduler_->start();
    run(10ms);
  }

  void run(std::chrono::milliseconds span) { clock_.run_for(io_, span); }

  ports::NewMessage message(std::vector<Handling> handlings,
                            const std::string& content = kHeader + kBody) {
    ports::NewMessage made;
    made.message.id = mail::MessageId::make(clock_.wall(), {++made_});
    made.message.reverse_path = mail::ReversePath(mailbox("ann@sender.example"));
    made.message.seal_fields = kSeal;
    made.message.trace_fields = kTrace;
    made.message.rewritten_head = kNewHead;
    made.message.header_octets = static_cast<std::uint32_t>(kHeader.size());
    made.message.size = content.size();
    made.content = content;
    for (auto& handling : handlings) {
      const auto index = static_cast<std::uint16_t>(made.routes.size());
      made.routes.push_back({.index = index,
                             .original = mail::ForwardPath(mailbox("info@fwd.example")),
                             .target = mailbox("t" + std::to_string(index) + "@x.example"),
                             .reverse_path = mail::ReversePath(mailbox("srs@fwd.example")),
                             .handling = std::move(handling)});
    }
    return made;
  }

  void commit(ports::NewMessage made) {
    EXPECT_TRUE(support::run_task(spool_.intake().commit(std::move(made))));
  }

  /// As inbound does with big content: whole chunks first.
  void commit_in_chunks(ports::NewMessage made) {
    constexpr std::size_t kChunk = ports::kChunkOctets;
    std::uint32_t chunks = 0;
    for (; made.content.size() >= kChunk; made.content.erase(0, kChunk)) {
      EXPECT_TRUE(support::run_task(
          spool_.intake().append(made.message.id, chunks++, made.content.substr(0, kChunk))));
    }
    commit(std::move(made));
  }

  /// As inbound does: expected, made durable, offered with its content.
  void accept(ports::NewMessage made) {
    ports::FreshMessage fresh{.queued = {made.message, {}, clock_.wall()},
                              .content = std::make_shared<const std::string>(made.content)};
    for (const auto& route : made.routes) {
      mail::QueuedRecipient copy{.route = route, .state = mail::state_on_entry(route)};
      copy.next_due = clock_.wall();
      fresh.queued.recipients.push_back(std::move(copy));
    }
    ports::ExpectedMessage expected(*scheduler_, made.message.id);
    commit(std::move(made));
    expected.offer(std::move(fresh));
  }

  HeardTransaction heard(const std::string& recipient) {
    for (const auto& one : dialer_.transactions()) {
      if (std::ranges::find(one.recipients, recipient) != one.recipients.end()) return one;
    }
    ADD_FAILURE() << recipient << " was not sent";
    return {};
  }

  std::size_t sent_from(const char* source) const {
    std::size_t count = 0;
    for (const auto& one : dialer_.connections) {
      if (one->source == ip(source)) count += one->transactions.size();
    }
    return count;
  }

  std::uint64_t ended(CopyEnd how) const { return scheduler_->metrics().copies.at(how).value(); }

  bool logged(const std::string& text) const {
    return std::ranges::any_of(log_.lines, [&](const auto& line) { return line.contains(text); });
  }

  boost::asio::io_context io_;
  fakes::FakeClock clock_;
  fakes::FakeResolver resolver_{clock_, kZone};
  SinkDialer dialer_;
  fakes::MemorySpool spool_{clock_};
  support::RecordingLog log_;
  base::Watchdog watchdog_;
  base::Published<Policy> policy_{
      std::make_shared<const Policy>(*mail::Domain::parse("mx.fwd.example"))};
  std::unique_ptr<Scheduler> scheduler_;
  std::uint8_t made_ = 0;
};

std::string mail_command(std::size_t size, const std::string& sender = "srs@fwd.example") {
  return "MAIL FROM:<" + sender + "> SIZE=" + std::to_string(size);
}

/// Octet by octet, from memory and from the spool.
TEST_F(Leaving, EachCopyIsMadeAsItsHandlingSays) {
  for (const bool fresh : {true, false}) {
    SCOPED_TRACE(fresh ? "from memory" : "from the spool");
    auto made = message({{}, {.seal = true}, {.new_author = true}, {.seal = true}, {.seal = true}});
    made.routes[3].reverse_path = mail::ReversePath(mailbox("other@fwd.example"));
    made.routes[4].handling.reason = "another reason";
    if (fresh) {
      start();
      accept(std::move(made));
    } else {
      dialer_.connections.clear();
      commit(std::move(made));
      scheduler_->wake();
    }
    run(15s);  // an idle scheduler looks every ten seconds
    const std::string original = kHeader + kBody;
    const auto plain = heard("<t0@x.example>");
    EXPECT_EQ(plain.content, kTrace + original);
    EXPECT_EQ(plain.mail, mail_command(plain.content.size()));
    const auto sealed = heard("<t1@x.example>");
    EXPECT_EQ(sealed.content, kSeal + kTrace + original);
    EXPECT_EQ(sealed.mail, mail_command(sealed.content.size()));
    const auto author = heard("<t2@x.example>");
    EXPECT_EQ(author.content, kNewHead + kBody);
    EXPECT_EQ(author.mail, mail_command(author.content.size()));
    const auto other = heard("<t3@x.example>");
    EXPECT_EQ(other.content, sealed.content);
    EXPECT_EQ(other.mail, mail_command(other.content.size(), "other@fwd.example"));
    EXPECT_EQ(heard("<t4@x.example>").content, sealed.content);
    EXPECT_EQ(spool_.messages(), 0U);
  }
  EXPECT_TRUE(logged(R"("handling":"new-author")"));
}

/// A person who asks for a message knows its Message-ID, and our id only with our 250 at hand.
TEST_F(Leaving, EachAttemptIsLoggedWithTheMessageId) {
  for (const bool fresh : {true, false}) {
    SCOPED_TRACE(fresh ? "from memory" : "from the spool");
    log_.lines.clear();
    auto made = message({{}});
    made.message.message_id = "m1@sender.example";
    if (fresh) {
      start();
      accept(std::move(made));
    } else {
      commit(std::move(made));
      scheduler_->wake();
    }
    run(15s);
    ASSERT_TRUE(logged(R"("event":"attempt")"));
    EXPECT_TRUE(logged(R"("message_id":"<m1@sender.example>")"));
  }
}

/// A copy that names its alias goes to one reader: not even two copies through the same alias share
/// a transaction.
TEST_F(Leaving, ACopyThatNamesItsAliasLeavesAlone) {
  for (const bool fresh : {true, false}) {
    SCOPED_TRACE(fresh ? "from memory" : "from the spool");
    auto made = message({{}, {}, {.seal = true}, {.new_author = true}, {}, {}});
    for (std::size_t i = 0; i < 4; ++i) made.routes[i].mark = mail::AliasMark::OriginalTo;
    made.routes[1].original = mail::ForwardPath(mailbox("\"o t\"@fwd.example"));
    if (fresh) {
      start();
      accept(std::move(made));
    } else {
      dialer_.connections.clear();
      commit(std::move(made));
      scheduler_->wake();
    }
    run(15s);
    const std::string original = kHeader + kBody;
    const auto one = heard("<t0@x.example>");
    EXPECT_EQ(one.content, "X-Original-To: info@fwd.example\r\n" + kTrace + original);
    EXPECT_EQ(one.mail, mail_command(one.content.size()));
    EXPECT_THAT(one.recipients, ElementsAre("<t0@x.example>"));
    EXPECT_EQ(heard("<t1@x.example>").content,
              "X-Original-To: \"o t\"@fwd.example\r\n" + kTrace + original);
    EXPECT_EQ(heard("<t2@x.example>").content,
              "X-Original-To: info@fwd.example\r\n" + kSeal + kTrace + original);
    EXPECT_EQ(heard("<t3@x.example>").content,
              "X-Original-To: info@fwd.example\r\n" + kNewHead + kBody);
    const auto plain = heard("<t4@x.example>");
    EXPECT_EQ(plain.content, kTrace + original);
    EXPECT_THAT(plain.recipients, ElementsAre("<t4@x.example>", "<t5@x.example>"));
    EXPECT_EQ(spool_.messages(), 0U);
  }
}

/// Why it is sealed makes no difference to the octets; the sender does.
TEST_F(Leaving, CopiesThatLeaveAlikeShareATransaction) {
  start();
  auto made = message({{},
                       {.seal = true, .reason = "one"},
                       {.new_author = true},
                       {.seal = true, .reason = "another"},
                       {.seal = true},
                       {}});
  made.routes[4].reverse_path = mail::ReversePath(mailbox("other@fwd.example"));
  accept(std::move(made));
  run(1s);
  EXPECT_EQ(dialer_.connections.size(), 1U);
  EXPECT_EQ(dialer_.transactions().size(), 4U);
  EXPECT_THAT(heard("<t0@x.example>").recipients, ElementsAre("<t0@x.example>", "<t5@x.example>"));
  EXPECT_THAT(heard("<t1@x.example>").recipients, ElementsAre("<t1@x.example>", "<t3@x.example>"));
}

TEST_F(Leaving, ANewAuthorStandsBeforeABodyOfManyChunks) {
  std::string body = "\r\n";
  while (body.size() < 2 * ports::kChunkOctets) body += "a line of no importance\r\n";
  commit_in_chunks(message({{.new_author = true}}, kHeader + body));
  start();
  run(1s);
  const auto sent = heard("<t0@x.example>");
  EXPECT_EQ(sent.content, kNewHead + body);
  EXPECT_EQ(sent.mail, mail_command(sent.content.size()));
}

/// Damage that shows after the first transaction of an attempt: recipients of that transaction have
/// the message, the others get it once it is mended, and none gets it twice.
TEST_F(Leaving, DamageThatShowsInTheMiddleOfAnAttemptUndoesNothing) {
  std::string body = "\r\n";
  while (body.size() < 600'000) body += std::string(900, 'x') + "\r\n";
  Policy policy(*mail::Domain::parse("mx.fwd.example"));
  policy.outbound.connections = 1;
  publish(std::move(policy));
  start();
  accept(message({{}}));  // from now on the hosts are known, so that all copies come into memory
  run(1s);
  auto made = message(std::vector<Handling>(150), kHeader + body);
  const auto id = made.message.id;
  commit_in_chunks(std::move(made));
  int reads_of_content = 0;
  spool_.before_read_answer([&]() -> base::Task<> {
    const auto all = dialer_.transactions();
    const bool is_sending = !all.empty() && all.back().recipients.size() == 100;
    if (is_sending && ++reads_of_content == 2) spool_.damage_content(id, 1);
    co_return;
  });
  scheduler_->wake();
  run(1s);
  // One leaves alone before the others are found.
  EXPECT_EQ(ended(CopyEnd::Delivered), 1U + 1U + 100U);
  EXPECT_EQ(support::run_task(spool_.operators().totals())->held, 49U);
  EXPECT_EQ(scheduler_->totals().copies, 0U);
  spool_.before_read_answer({});
  spool_.mend_content(id);
  EXPECT_TRUE(support::run_task(
      spool_.operators().change({}, ports::QueueAction::Release, "", std::nullopt)));
  scheduler_->wake();
  run(15s);
  EXPECT_EQ(ended(CopyEnd::Delivered), 151U);
  EXPECT_EQ(spool_.messages(), 0U);
  std::vector<std::string> taken;
  for (const auto& one : dialer_.transactions()) {
    if (one.content != kTrace + kHeader + body) continue;  // broken off
    taken.insert(taken.end(), one.recipients.begin(), one.recipients.end());
  }
  std::ranges::sort(taken);
  EXPECT_EQ(taken.size(), 150U);
  EXPECT_EQ(std::ranges::adjacent_find(taken), taken.end()) << "nobody twice";
}

/// A header that does not end where it should is damage, and then the rest may be damaged, too.
TEST_F(Leaving, AMessageOfWhichACopyCannotBeMadeIsHeldAndNothingOfItSent) {
  auto made = message({{.new_author = true}, {}});
  made.message.header_octets -= 3;
  commit(std::move(made));
  start();
  run(1s);
  EXPECT_TRUE(dialer_.transactions().empty());
  EXPECT_EQ(support::run_task(spool_.operators().totals())->held, 2U);
  EXPECT_TRUE(logged("spool_trouble"));
  EXPECT_EQ(scheduler_->totals().copies, 0U) << "whoever releases it finds nobody in the way";
}

TEST_F(Leaving, TheRiskPoolHasADoorOfItsOwn) {
  start();
  accept(message({{}, {.risk_pool = true}, {.seal = true, .risk_pool = true}}));
  run(1s);
  ASSERT_EQ(dialer_.connections.size(), 2U);
  EXPECT_EQ(sent_from("127.0.0.8"), 1U);
  EXPECT_EQ(sent_from("127.0.0.9"), 2U);
}

/// Trouble of this host says nothing about the destination: the next message is tried, too.
TEST_F(Leaving, TroubleOfThisHostIsNoOutageOfTheDestination) {
  start();
  dialer_.fails_with = ports::IoError::NoSource;
  for (int i = 0; i < 2; ++i) {
    accept(message({{}}));
    run(1s);
  }
  EXPECT_EQ(dialer_.connections.size(), 2U);
  EXPECT_TRUE(logged(R"("event":"local_trouble")"));
  EXPECT_EQ(scheduler_->metrics().local_troubles.value(), 2U);
  dialer_.fails_with = ports::IoError::Refused;
  for (int i = 0; i < 2; ++i) {
    accept(message({{}}));
    run(1s);
  }
  EXPECT_EQ(dialer_.connections.size(), 3U) << "the fourth hears of the outage";
  dialer_.fails_with.reset();
  run(std::chrono::hours(2));
  EXPECT_EQ(ended(CopyEnd::Delivered), 4U);
}

/// Nor is it a failure of TLS: the message is not sent in the clear for that.
TEST_F(Leaving, TroubleOfThisHostInAHandshakeIsNoReasonToSendInTheClear) {
  start();
  dialer_.tls_fails_with = ports::TlsError{.error = ports::IoError::Exhausted};
  auto made = message({{}});
  const auto id = made.message.id;
  accept(std::move(made));
  run(1s);
  EXPECT_EQ(dialer_.connections.size(), 1U);
  EXPECT_TRUE(dialer_.transactions().empty());
  EXPECT_TRUE(logged(R"("event":"local_trouble")"));
  const auto waiting = support::run_task(spool_.delivery().load(id, {0}));
  ASSERT_TRUE(waiting);
  EXPECT_EQ(waiting->recipients[0].last.status, (mail::EnhancedStatus{4, 3, 0}));
  EXPECT_EQ(waiting->recipients[0].last.tls_result, mail::TlsResult::None);
  dialer_.tls_fails_with->error = ports::IoError::Closed;
  run(std::chrono::hours(1));
  EXPECT_EQ(dialer_.transactions().size(), 1U) << "theirs is forgiven, once, in the clear";
  EXPECT_EQ(ended(CopyEnd::Delivered), 1U);
}

/// The operator's order comes while this host cannot go on: it holds, and so does the retry.
TEST_F(Leaving, AnOrderDuringTroubleOfThisHostIsObeyed) {
  start();
  dialer_.fails_with = ports::IoError::Exhausted;
  auto made = message({{}, {}});
  const auto id = made.message.id;
  accept(std::move(made));
  run(1s);
  ports::QueueCondition first{.field = ports::QueueCondition::Field::Target,
                              .text = "t0@x.example"};
  EXPECT_TRUE(support::run_task(spool_.operators().change(
      {.conditions = {first}}, ports::QueueAction::Hold, "", std::nullopt)));
  scheduler_->withdraw({{id, 0}});
  dialer_.fails_with.reset();
  EXPECT_TRUE(support::run_task(
      spool_.operators().change({}, ports::QueueAction::Retry, "", std::nullopt)));
  scheduler_->wake();
  run(15s);
  ASSERT_EQ(dialer_.transactions().size(), 1U);
  EXPECT_THAT(dialer_.transactions()[0].recipients, ElementsAre("<t1@x.example>"));
  EXPECT_EQ(support::run_task(spool_.operators().totals())->held, 1U);
}

/// A copy that the server took cannot be held back, and an ended copy stays ended; the log says
/// which it was.
TEST_F(Leaving, WhatWasDecidedBetweenTheDotAndItsReplyIsLogged) {
  start();
  for (const auto& [action, words] :
       {std::pair{ports::QueueAction::Hold, "although it was held meanwhile"},
        std::pair{ports::QueueAction::Drop, "too late: it was ended meanwhile"}}) {
    auto made = message({{}, {}});
    made.routes[1].held = true;  // so that the message stays
    const ports::QueueCondition this_one{.field = ports::QueueCondition::Field::Target,
                                         .text = "t0@x.example"};
    dialer_.plan = [&, action](const ports::Endpoint&,
                               std::string_view step) -> std::optional<std::string> {
      if (step != "dot") return std::nullopt;
      EXPECT_TRUE(support::run_task(
          spool_.operators().change({.conditions = {this_one}}, action, "", std::nullopt)));
      return std::nullopt;
    };
    accept(std::move(made));
    run(10s);
    EXPECT_TRUE(logged(std::string(R"("recorded":")") + words)) << words;
  }
  EXPECT_EQ(ended(CopyEnd::Delivered), 1U);
  EXPECT_EQ(dialer_.transactions().size(), 2U);
}

/// The first copy has left, the second must not, and then there is no memory to record anything. It
/// is unknown whether the first was taken, so this process never sends it again.
TEST_F(Leaving, WhatMayHaveLeftIsNotSentAgainAfterACrashOfItsSession) {
  Policy policy(*mail::Domain::parse("mx.fwd.example"));
  policy.recipients_per_transaction = 1;
  publish(std::move(policy));
  ThrowingQueue queue(spool_.delivery());
  start(queue);
  auto made = message({{}, {}});
  const auto id = made.message.id;
  int contents = 0;
  dialer_.plan = [&](const ports::Endpoint&, std::string_view step) -> std::optional<std::string> {
    if (step == "DATA" && ++contents == 2) scheduler_->withdraw({{id, 1}});
    return std::nullopt;
  };
  accept(std::move(made));
  run(10min);
  EXPECT_FALSE(queue.throws_next);
  const auto transactions = dialer_.transactions();
  EXPECT_EQ(std::ranges::count_if(transactions,
                                  [](const HeardTransaction& one) {
                                    return one.recipients.front() == "<t0@x.example>";
                                  }),
            1);
}

/// The order comes when the copy has been loaded for an attempt: it is tried once more at once.
TEST_F(Leaving, ARetryDuringAnAttemptIsNotForgottenWithIt) {
  dialer_.rcpt_reply = "450 4.2.0 Later\r\n";
  auto made = message({{}});
  const auto id = made.message.id;
  commit(std::move(made));
  spool_.before_read_answer([this]() -> base::Task<> {
    if (!dialer_.connections.empty()) co_return;
    EXPECT_TRUE(
        co_await spool_.operators().change({}, ports::QueueAction::Retry, "", std::nullopt));
  });
  start();
  run(1s);
  EXPECT_TRUE(logged(R"("recorded":"stays due: it was released or retried meanwhile")"));
  const auto waiting = support::run_task(spool_.delivery().load(id, {0}));
  ASSERT_TRUE(waiting);
  EXPECT_EQ(waiting->recipients[0].attempts, 2U);
  EXPECT_GT(waiting->recipients[0].next_due, clock_.wall());
}

TEST_F(Leaving, WithoutSourcesTheRiskPoolUsesTheOrdinaryOnesButNoConnectionOfTheirs) {
  Policy made(*mail::Domain::parse("mx.fwd.example"));
  made.source_v4 = ip("127.0.0.8");
  publish(std::move(made));
  start();
  accept(message({{}, {.risk_pool = true}}));
  run(1s);
  EXPECT_EQ(dialer_.connections.size(), 2U);
  EXPECT_EQ(sent_from("127.0.0.8"), 2U);
}

/// Sixty a minute: ten at once, then one a second; other mail is not delayed.
TEST_F(Leaving, TheRiskPoolWaitsForItsRateAndNobodyWaitsForIt) {
  start();
  mail::MessageId last;
  for (int i = 0; i < 40; ++i) {
    auto risk = message({{.risk_pool = true}});
    last = risk.message.id;
    accept(std::move(risk));
  }
  for (int i = 0; i < 40; ++i) accept(message({{}}));
  run(900ms);
  EXPECT_EQ(sent_from("127.0.0.8"), 40U);
  EXPECT_EQ(sent_from("127.0.0.9"), 10U);
  const auto waiting = support::run_task(spool_.delivery().load(last, {0}));
  ASSERT_TRUE(waiting);
  EXPECT_EQ(waiting->recipients[0].attempts, 0U) << "waiting is no attempt";
  const auto why = scheduler_->why_waiting({last, 0}, {"x.example", true}, "info@fwd.example");
  ASSERT_TRUE(why);
  EXPECT_EQ(why->what, ports::Waiting::For::Rate);
  EXPECT_EQ(why->copies_before, 29U);
  run(10s);
  EXPECT_NEAR(static_cast<double>(sent_from("127.0.0.9")), 20.0, 2.0);
  run(25s);
  EXPECT_EQ(sent_from("127.0.0.9"), 40U);
  EXPECT_EQ(spool_.messages(), 0U);
  std::size_t doors = 0;
  for (const auto& one : dialer_.connections) doors += one->source == ip("127.0.0.9") ? 1 : 0;
  EXPECT_LE(doors, 4U) << "a connection is kept for who waits for the rate";
}

TEST_F(Leaving, AMessageWithManyCopiesPaysForEach) {
  commit(message(std::vector<Handling>(25, Handling{.risk_pool = true})));
  start();
  run(500ms);
  std::size_t copies = 0;
  for (const auto& one : dialer_.transactions()) copies += one.recipients.size();
  EXPECT_EQ(copies, 10U);
  run(30s);
  copies = 0;
  for (const auto& one : dialer_.transactions()) copies += one.recipients.size();
  EXPECT_EQ(copies, 25U);
}

/// Nothing was delivered in time: the waiting copies end, and the fallback's copy leaves.
TEST_F(Leaving, AFallbackTakesOverFromWhatWaitsForTooLong) {
  Policy policy(*mail::Domain::parse("mx.fwd.example"));
  policy.retry.schedule = {10min};
  policy.retry.warn_after = 60min;
  publish(std::move(policy));
  start();
  dialer_.rcpt_reply = "450 4.2.0 Later\r\n";
  auto made = message({{}, {}, {}});
  for (auto& route : made.routes) route.group = 1;
  made.routes[1].target = mailbox("t1@sender.example");
  made.routes[2].stands_by = true;
  made.message.sender_authenticated = true;
  accept(std::move(made));
  run(55min);
  EXPECT_FALSE(logged(R"("event":"fallback")"));
  EXPECT_FALSE(logged(R"("target":"t2@x.example")"));
  run(35min);
  EXPECT_TRUE(logged(R"("reason":"nothing delivered in time")"));
  EXPECT_TRUE(logged(R"("replaced":true)"));
  EXPECT_TRUE(logged(R"("target":"t2@x.example")"));
  dialer_.rcpt_reply = "250 2.1.5 Ok\r\n";
  run(30min);
  EXPECT_EQ(ended(CopyEnd::Delivered), 1U);
  EXPECT_EQ(heard("<t2@x.example>").recipients.size(), 1U);
  EXPECT_EQ(spool_.messages(), 0U);
  EXPECT_FALSE(logged(R"("event":"dsn")"));
}

/// A refused message with a forged sender causes no DSN to that sender.
TEST_F(Leaving, AFailureIsToldOnlyToASenderSomebodyVouchesFor) {
  start();
  dialer_.rcpt_reply = "550 5.1.1 No such user\r\n";
  accept(message({{}, {}}));
  run(1s);
  EXPECT_EQ(spool_.messages(), 0U);
  EXPECT_EQ(dialer_.connections.size(), 1U);
  EXPECT_EQ(ended(CopyEnd::Suppressed), 2U);
  EXPECT_TRUE(logged(R"("event":"suppressed")"));
  EXPECT_TRUE(logged(R"("reason":"sender not authenticated")"));
  auto vouched = message({{}});
  vouched.message.sender_authenticated = true;
  accept(std::move(vouched));
  run(15s);
  EXPECT_EQ(ended(CopyEnd::Bounced), 1U);
  // The DSN is refused as well: nothing is sent to the null sender, and the log says so.
  EXPECT_EQ(dialer_.connections.back()->remote.address, ip("192.0.2.2"));
  EXPECT_EQ(dialer_.connections.back()->transactions.at(0).mail.substr(0, 12), "MAIL FROM:<>");
  EXPECT_TRUE(logged(R"("reason":"null sender")"));
  EXPECT_EQ(ended(CopyEnd::Suppressed), 3U);
  EXPECT_EQ(spool_.messages(), 0U);
}

/// A session that ends by an exception before a reply has no outcome, so its copies are tried
/// again.
TEST_F(Leaving, ADefectInASessionKeepsNoCopyBack) {
  start();
  dialer_.throws = true;
  accept(message({{}}));
  run(15s);
  EXPECT_EQ(dialer_.connections.size(), 2U);
  EXPECT_EQ(ended(CopyEnd::Delivered), 1U);
  EXPECT_EQ(spool_.messages(), 0U);
  EXPECT_EQ(scheduler_->totals().copies, 0U);
}

/// Postfix ends a session with 421 4.7.0 behind so many errors (smtpd_hard_error_limit). That is
/// about the refused recipients: those without a reply of their own are tried again at once.
TEST_F(Leaving, WhoIsRefusedCostsTheOthersNoAttempt) {
  start();
  dialer_.unknown = {"<t1@x.example>", "<t2@x.example>", "<t4@x.example>"};
  dialer_.most_errors = 3;
  accept(message({{}, {}, {}, {}, {}, {}, {}, {}}));
  run(1s);
  EXPECT_EQ(ended(CopyEnd::Delivered), 5U);
  EXPECT_EQ(dialer_.connections.size(), 2U);
  EXPECT_EQ(spool_.messages(), 0U);
  EXPECT_FALSE(logged(R"("code":421)"));
}

/// Two hundred connections would be two hundred more reasons to keep us out.
TEST_F(Leaving, AServerThatWantsASlowerPaceOfAllMailIsLeftInPeaceForAWhile) {
  start();
  std::string banner = "421 4.7.0 Slow down\r\n";
  dialer_.plan = [&](const ports::Endpoint&, std::string_view step) -> std::optional<std::string> {
    if (step != "banner" || banner.empty()) return std::nullopt;
    return banner;
  };
  for (int i = 0; i < 20; ++i) accept(message({{}}));
  run(20s);
  EXPECT_EQ(dialer_.connections.size(), 1U);
  EXPECT_TRUE(logged("Slow down"));
  banner.clear();
  accept(message({{}}));
  run(10min);
  EXPECT_EQ(ended(CopyEnd::Delivered), 21U);
}

/// The port is closed meanwhile, and nobody wants what would be found.
TEST_F(Leaving, AStopWaitsForNoLookUp) {
  start();
  auto made = message({{}});
  made.routes[0].target = mailbox("t0@silent.example");
  accept(std::move(made));
  run(5s);
  auto done = boost::asio::co_spawn(io_, scheduler_->stop(30s), boost::asio::use_future);
  run(1s);
  ASSERT_EQ(done.wait_for(0s), std::future_status::ready);
  EXPECT_TRUE(done.get());
  scheduler_.reset();
}

/// But no more than once: a server that goes on closing wants fewer messages.
TEST_F(Leaving, AServerThatGoesOnHangingUpIsLeftAlone) {
  start();
  for (int i = 0; i < 7; ++i) dialer_.unknown.insert("<t" + std::to_string(i) + "@x.example>");
  dialer_.most_errors = 3;
  accept(message({{}, {}, {}, {}, {}, {}, {}, {}}));
  run(1s);
  EXPECT_EQ(dialer_.connections.size(), 2U);
  EXPECT_EQ(ended(CopyEnd::Delivered), 0U);
  EXPECT_TRUE(logged(R"("code":421)"));
  run(10min);
  EXPECT_EQ(dialer_.connections.size(), 3U);
  EXPECT_EQ(ended(CopyEnd::Delivered), 1U);
}

/// A held copy waits for the operator, however long (guarantee "Held mail waits for a person").
TEST_F(Leaving, AHeldCopyNeverGoesNorExpiresUntilItIsReleased) {
  auto made = message({{}, {}});
  made.routes[0].held = true;
  const auto id = made.message.id;
  commit(std::move(made));
  start();
  run(std::chrono::hours(24 * 9));
  EXPECT_EQ(dialer_.transactions().size(), 1U);
  EXPECT_THAT(dialer_.transactions()[0].recipients, ElementsAre("<t1@x.example>"));
  ports::QueueCondition this_one{.field = ports::QueueCondition::Field::Id, .text = id.to_string()};
  EXPECT_TRUE(support::run_task(spool_.operators().change(
      {.conditions = {this_one}}, ports::QueueAction::Release, "", std::nullopt)));
  scheduler_->wake();
  run(15s);
  EXPECT_EQ(heard("<t0@x.example>").content, kTrace + kHeader + kBody);
}

}  // namespace
}  // namespace relay::delivery
