#include "relay/delivery/report_clerk.hpp"

#include <gtest/gtest.h>

#include "relay/delivery/scheduler.hpp"
#include "tests/delivery/run_task.hpp"
#include "tests/delivery/sink_server.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/memory_spool.hpp"

namespace relay::delivery {
namespace {

using namespace std::chrono_literals;

constexpr const char* kZone =
    "sender.example MX 10 mx.sender.example\nmx.sender.example A 192.0.2.2\n";

struct NoLog final : base::Log {
  void write(base::Event) override {}
};

mail::Mailbox mailbox(const std::string& text) { return *mail::Mailbox::parse(text); }

class ReportClerkTest : public testing::Test {
 protected:
  void TearDown() override {
    auto done = boost::asio::co_spawn(io_, scheduler_.stop(), boost::asio::use_future);
    clock_.run_for(io_, 60s);
    EXPECT_TRUE(done.get());
  }

  /// A message of which every copy has failed, and nobody has told its sender.
  void owe_a_report() {
    ports::NewMessage made;
    made.message.id = mail::MessageId::generate(clock_.wall());
    made.message.reverse_path = mail::ReversePath(mailbox("ann@sender.example"));
    made.message.sender_authenticated = true;
    made.content = "Subject: s\r\n\r\ntext\r\n";
    made.message.size = made.content.size();
    made.routes.push_back({.index = 0,
                           .original = mail::ForwardPath(mailbox("info@fwd.example")),
                           .target = mailbox("t@x.example"),
                           .reverse_path = mail::ReversePath(mailbox("srs@fwd.example"))});
    ports::Update failed{.id = made.message.id, .copies = {}};
    failed.copies.push_back({.state = mail::RecipientState::Failed,
                             .end = mail::End::Refused,
                             .attempts = {mail::DeliveryAttempt{.at = clock_.wall(), .code = 550}},
                             .notify = ports::Notify::OfFailure});
    EXPECT_TRUE(run_task(spool_.intake().commit(std::move(made))));
    EXPECT_TRUE(run_task(spool_.delivery().record(std::move(failed))));
  }

  boost::asio::io_context io_;
  fakes::FakeClock clock_;
  fakes::FakeResolver resolver_{clock_, kZone};
  SinkDialer dialer_;
  fakes::MemorySpool spool_{clock_};
  NoLog log_;
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

/// Who cannot tell of one ends the round; all that are left are told of in a later one.
TEST_F(ReportClerkTest, ATroubleOfTheQueueLosesNoDebt) {
  for (int i = 0; i < 100; ++i) owe_a_report();
  spool_.fail_write(10, ports::SpoolError::Unavailable);
  scheduler_.start();
  clock_.run_for(io_, 15s);
  EXPECT_EQ(dialer_.transactions().size(), 100U) << "each once";
  EXPECT_EQ(spool_.messages(), 0U);
}

}  // namespace
}  // namespace relay::delivery
