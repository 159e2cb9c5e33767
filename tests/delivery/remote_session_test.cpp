#include "relay/delivery/remote_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/delivery/sink_server.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/memory_spool.hpp"
#include "tests/support/run_task.hpp"

namespace relay::delivery {
namespace {

using testing::ElementsAre;

/// What was written at once, and whether the session was past its dot then.
struct Written {
  std::string octets;
  bool is_past_dot = false;
};

/// A server that takes everything, and records how it was written to.
class NotedStream final : public ports::Stream {
 public:
  NotedStream(std::unique_ptr<ports::Stream> below, const Place& place, std::vector<Written>& into)
      : below_(std::move(below)), place_(place), into_(into) {}

  base::Task<std::expected<std::size_t, ports::IoError>> read_some(std::span<char> into,
                                                                   base::Deadline by) override {
    return below_->read_some(into, by);
  }

  base::Task<std::expected<void, ports::IoError>> write(std::string_view octets,
                                                        base::Deadline by) override {
    into_.push_back({std::string(octets), place_.is_past_dot.load()});
    return below_->write(octets, by);
  }

  void close() noexcept override { below_->close(); }

  const ports::Endpoint& peer() const override { return below_->peer(); }

  const ports::Endpoint& local() const override { return below_->local(); }

  std::optional<ports::TlsInfo> tls() const override { return std::nullopt; }

 private:
  std::unique_ptr<ports::Stream> below_;
  const Place& place_;
  std::vector<Written>& into_;
};

class NotedDialer final : public ports::Dialer {
 public:
  explicit NotedDialer(const Place& place) : place_(place) {}

  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::IoError>> connect(
      ports::Endpoint remote, std::optional<boost::asio::ip::address> source,
      base::Deadline by) override {
    auto below = co_await sink.connect(std::move(remote), std::move(source), by);
    co_return std::make_unique<NotedStream>(std::move(*below), place_, written);
  }

  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::TlsError>> start_tls(
      std::unique_ptr<ports::Stream>, std::string, mail::TlsDemand, base::Deadline) override {
    co_return std::unexpected(ports::TlsError{});
  }

  SinkDialer sink;
  std::vector<Written> written;

 private:
  const Place& place_;
};

class RemoteSessionTest : public testing::Test {
 protected:
  /// The writes behind DATA.
  std::vector<Written> writes_of(const std::string& content) {
    RemoteSession session(dialer_, clock_, policy_, place_);
    const auto spool = std::make_unique<fakes::MemorySpool>(clock_);
    ContentSource source(spool->delivery(), {}, content.size(),
                         std::make_shared<const std::string>(content));
    EXPECT_FALSE(
        support::run_task(session.open({.host = "mx.x.example", .endpoint = {}, .demand = {}})));
    smtp::ClientTransaction one;
    one.recipients.push_back(*mail::Mailbox::parse("b@x.example"));
    EXPECT_TRUE(
        support::run_task(session.send(std::move(one), CopyHead{}, source, spool->delivery(), {})));
    EXPECT_TRUE(session.verdicts().at(0).kind == mail::OutcomeKind::Delivered);
    EXPECT_EQ(dialer_.sink.transactions().back().content, content);
    auto written = std::exchange(dialer_.written, {});
    const auto data = std::ranges::find_if(
        written, [](const Written& one) { return one.octets.contains("DATA\r\n"); });
    EXPECT_NE(data, written.end());
    written.erase(written.begin(), data + 1);
    return written;
  }

  /// How a session begins with 127.0.0.1, port 25, while we listen there; nullopt: well.
  std::optional<smtp::Verdict> opened_while_we_listen(const char* address, std::uint16_t port) {
    Policy policy(*mail::Domain::parse("mx.fwd.example"));
    policy.own_endpoints = {{boost::asio::ip::make_address(address), port}};
    RemoteSession session(dialer_, clock_, std::make_shared<const Policy>(policy), place_);
    const ports::Endpoint beside{boost::asio::ip::make_address("127.0.0.1"), 25};
    return support::run_task(session.open({.host = "127.0.0.1", .endpoint = beside, .demand = {}}));
  }

  boost::asio::io_context io_;
  fakes::FakeClock clock_;
  std::shared_ptr<const Policy> policy_ =
      std::make_shared<const Policy>(*mail::Domain::parse("mx.fwd.example"));
  Place place_{io_.get_executor(), nullptr, Share::Proven};
  NotedDialer dialer_{place_};
};

TEST_F(RemoteSessionTest, ASmallMessageAndItsDotAreOneWrite) {
  const auto written = writes_of("Subject: s\r\n\r\ntext\r\n");
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(written[0].octets, "Subject: s\r\n\r\ntext\r\n.\r\n");
  EXPECT_TRUE(written[0].is_past_dot);
}

/// A server that stops reading can be cut off as long as it cannot have seen the dot.
TEST_F(RemoteSessionTest, ALargeMessageIsWrittenBeforeItsDot) {
  std::string content = "Subject: s\r\n\r\n";
  while (content.size() < 100'000) content += ".a line of no importance\r\n";
  const auto written = writes_of(content);
  ASSERT_EQ(written.size(), 2U);
  EXPECT_FALSE(written[0].is_past_dot);
  EXPECT_EQ(written[1].octets, ".\r\n");
  EXPECT_TRUE(written[1].is_past_dot);
}

/// The connection begins and ends at one address, as all within a host do.
TEST_F(RemoteSessionTest, AnotherServerOfThisHostIsNotUs) {
  EXPECT_FALSE(opened_while_we_listen("192.0.2.1", 25));
  EXPECT_FALSE(opened_while_we_listen("127.0.0.1", 587));
  EXPECT_FALSE(opened_while_we_listen("::", 25));
  for (const char* address : {"0.0.0.0", "127.0.0.1"}) {
    const auto refused = opened_while_we_listen(address, 25);
    ASSERT_TRUE(refused) << address;
    EXPECT_EQ(refused->kind, mail::OutcomeKind::Failed);
    EXPECT_EQ(refused->status, (mail::EnhancedStatus{5, 4, 6}));
  }
}

}  // namespace
}  // namespace relay::delivery
