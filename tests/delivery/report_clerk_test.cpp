#include "relay/delivery/report_clerk.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "relay/delivery/scheduler.hpp"
#include "tests/delivery/sink_server.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/memory_spool.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/mailbox.hpp"
#include "tests/support/run_task.hpp"

namespace relay::delivery {
namespace {

using namespace std::chrono_literals;

constexpr const char* kZone =
    "sender.example MX 10 mx.sender.example\nmx.sender.example A 192.0.2.2\n";

using support::mailbox;

class ReportClerkTest : public testing::Test {
 protected:
  void TearDown() override {
    auto done = boost::asio::co_spawn(io_, scheduler_.stop(), boost::asio::use_future);
    clock_.run_for(io_, 60s);
    EXPECT_TRUE(done.get());
  }

  static mail::Route route(std::uint16_t index, const std::string& alias) {
    return {.index = index,
            .original = mail::ForwardPath(mailbox(alias)),
            .target = mailbox("t" + std::to_string(index) + "@x.example"),
            .reverse_path = mail::ReversePath(mailbox("srs@fwd.example"))};
  }

  ports::NewMessage message(std::vector<mail::Route> routes) {
    ports::NewMessage made;
    made.message.id = mail::MessageId::generate(clock_.wall());
    made.message.reverse_path = mail::ReversePath(mailbox("ann@sender.example"));
    made.message.sender_authenticated = true;
    made.content = "Subject: s\r\n\r\ntext\r\n";
    made.message.size = made.content.size();
    made.routes = std::move(routes);
    return made;
  }

  /// A message whose copies have all failed, with the notices still owed.
  mail::MessageId owe_a_report() {
    auto made = message({route(0, "info@fwd.example")});
    const auto id = made.message.id;
    ports::Update failed{.id = made.message.id, .copies = {}};
    failed.copies.push_back({.state = mail::RecipientState::Failed,
                             .end = mail::End::Refused,
                             .attempts = {mail::DeliveryAttempt{.at = clock_.wall(), .code = 550}},
                             .notify = ports::Notify::OfFailure});
    EXPECT_TRUE(support::run_task(spool_.intake().commit(std::move(made))));
    EXPECT_TRUE(support::run_task(spool_.delivery().record(std::move(failed))));
    return id;
  }

  /// The copy waits for hours more.
  void owe_a_delay(const mail::MessageId& id, std::uint16_t index,
                   std::uint32_t attempts_before = 0) {
    ports::Update delayed{.id = id, .copies = {}};
    delayed.copies.push_back({.index = index,
                              .attempts_before = attempts_before,
                              .retry_after = 2h,
                              .warned = true,
                              .attempts = {mail::DeliveryAttempt{.at = clock_.wall(), .code = 450}},
                              .notify = ports::Notify::OfDelay});
    EXPECT_TRUE(support::run_task(spool_.delivery().record(std::move(delayed))));
  }

  boost::asio::io_context io_;
  fakes::FakeClock clock_;
  fakes::FakeResolver resolver_{clock_, kZone};
  SinkDialer dialer_;
  fakes::MemorySpool spool_{clock_};
  support::SilentLog log_;
  base::Watchdog watchdog_;
  base::Published<Policy> policy_{
      std::make_shared<const Policy>(*mail::Domain::parse("mx.fwd.example"))};
  Scheduler scheduler_{
      {io_.get_executor()},
      {clock_, resolver_, dialer_, spool_.delivery(), nullptr, log_, policy_, watchdog_, 1}};
};

/// A destination that dies takes thousands of messages with it. Their senders hear of it within a
/// minute, although each DSN waits for its commit.
TEST_F(ReportClerkTest, ManyDebtsArePaidSideBySide) {
  constexpr std::size_t kMessages = 300;
  for (std::size_t i = 0; i < kMessages; ++i) owe_a_report();
  spool_.before_answer(
      [this]() -> base::Task<> { co_await clock_.sleep_until(clock_.steady() + 100ms); });
  scheduler_.start();
  clock_.run_for(io_, 5s);
  EXPECT_EQ(dialer_.transactions().size(), kMessages);
}

/// A report that cannot be written ends the round; the others follow in a later round.
TEST_F(ReportClerkTest, ATroubleOfTheQueueLosesNoDebt) {
  for (int i = 0; i < 100; ++i) owe_a_report();
  spool_.fail_write(10, ports::SpoolError::Unavailable);
  scheduler_.start();
  clock_.run_for(io_, 15s);
  EXPECT_EQ(dialer_.transactions().size(), 100U) << "each once";
  EXPECT_EQ(spool_.messages(), 0U);
}

/// The policy reports no partial failures; another alias whose targets all failed is still
/// reported.
TEST_F(ReportClerkTest, ADelayThatNobodyWasToldOfTakesNoNoticeFromTheNext) {
  Policy silent(*mail::Domain::parse("mx.fwd.example"));
  silent.notices.partial = mail::PartialFailures::Nobody;
  policy_.publish(std::make_shared<const Policy>(std::move(silent)));
  auto made = message(
      {route(0, "team@fwd.example"), route(1, "team@fwd.example"), route(2, "info@fwd.example")});
  const auto id = made.message.id;
  EXPECT_TRUE(support::run_task(spool_.intake().commit(std::move(made))));
  ports::Update taken{.id = id, .copies = {}};
  taken.copies.push_back({.state = mail::RecipientState::Delivered, .end = mail::End::Delivered});
  EXPECT_TRUE(support::run_task(spool_.delivery().record(std::move(taken))));
  owe_a_delay(id, 1);
  ports::Update later{.id = id, .copies = {}};
  later.copies.push_back({.index = 2, .retry_after = 2h});
  EXPECT_TRUE(support::run_task(spool_.delivery().record(std::move(later))));
  scheduler_.start();
  clock_.run_for(io_, 90s);
  EXPECT_TRUE(dialer_.transactions().empty());
  owe_a_delay(id, 2, 1);
  clock_.run_for(io_, 130s);
  EXPECT_EQ(dialer_.transactions().size(), 1U);
}

/// It cannot be reported, and is not read again and again.
TEST_F(ReportClerkTest, ADebtThatCannotBeReadIsLeftToTheOperator) {
  owe_a_report();
  spool_.damage(owe_a_report());
  scheduler_.start();
  clock_.run_for(io_, 5s);
  EXPECT_EQ(dialer_.transactions().size(), 1U);
  const auto totals = support::run_task(spool_.operators().totals());
  EXPECT_EQ(totals->held, 1U);
  EXPECT_EQ(totals->owed_reports, 0U);
}

}  // namespace
}  // namespace relay::delivery
