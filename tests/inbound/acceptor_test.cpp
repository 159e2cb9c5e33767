#include "relay/inbound/acceptor.hpp"

#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using testing::HasSubstr;

TEST(Acceptor, PutsOffWhoMakesNoProgressWhenOthersNeedThePlace) {
  Limits limits;
  limits.connections_total = 4;
  limits.connections_per_network = 3;
  House house(limits);
  std::vector<std::shared_ptr<fakes::Wire>> wires;
  const auto stay = [&](const std::string& address, std::vector<std::string> said,
                        std::chrono::seconds before_last) {
    const auto wire = house.dial(std::move(said), address);
    wire->wait_at_end = true;
    wire->before_read = [&house, before_last, raw = wire.get()] {
      if (raw->incoming.size() == 1) house.clock.advance(before_last);
    };
    house.poll();
    wires.push_back(wire);
  };
  using std::chrono_literals::operator""s;
  stay("127.7.0.1", {"EHLO c.example\r\n", "NOOP\r\n"}, 9s);
  stay("127.7.0.2", {"EHLO c.example\r\n", "MAIL FROM:<a@b.example>\r\n"}, 2s);
  stay("127.7.0.3", {"EHLO c.example\r\n"}, 0s);
  stay("198.51.100.1", {"EHLO c.example\r\n"}, 0s);
  const auto newcomer = house.talk({"QUIT\r\n"});
  EXPECT_THAT(newcomer->sent, HasSubstr("221"));
  const char* const told =
      "421 4.3.2 Too many connections, and yours makes no progress, try again later\r\n";
  EXPECT_TRUE(wires[0]->sent.ends_with(told)) << wires[0]->sent;
  EXPECT_TRUE(wires[0]->closed);
  EXPECT_THAT(house.log.lines, testing::Contains(HasSubstr("makes no progress")));
  for (std::size_t i = 1; i < wires.size(); ++i) EXPECT_FALSE(wires[i]->closed) << i;
  house.acceptor.drain();
  for (const auto& wire : wires) {
    if (wire->wake) std::exchange(wire->wake, {})(true);
  }
  house.poll();
}

TEST(Acceptor, SparesWhoIsExempt) {
  Limits limits;
  limits.connections_total = 2;
  House house(limits);
  auto policy = std::make_shared<Policy>(*house.policy.get());
  policy->arrival.exempt = {*base::Network::parse("192.0.2.7")};
  house.policy.publish(std::move(policy));
  const auto monitor = house.dial({"EHLO c.example\r\n"});
  const auto other = house.dial({"EHLO c.example\r\n"}, "127.7.0.1");
  monitor->wait_at_end = other->wait_at_end = true;
  house.poll();
  house.clock.advance(FairShare::kPatience);
  for (int i = 0; i < 2; ++i) {
    const auto third = house.dial({"EHLO c.example\r\n"}, "198.51.100.1");
    third->wait_at_end = true;
    house.poll();
    EXPECT_THAT(third->sent, HasSubstr(i == 0 ? "220 " : "421 4.7.0 Too many connections"));
  }
  EXPECT_FALSE(monitor->closed);
  EXPECT_TRUE(other->closed);
  house.acceptor.drain();
  house.poll();
}

TEST(Acceptor, Says421ToWhoComesTooFast) {
  Limits limits;
  limits.connections_from_client = {.count = 2, .span = std::chrono::seconds(1)};
  House house(limits);
  for (int i = 0; i < 2; ++i) EXPECT_THAT(house.talk({"QUIT\r\n"})->sent, HasSubstr("221"));
  const auto third = house.talk({"QUIT\r\n"});
  EXPECT_EQ(third->sent,
            "421 4.7.0 Too many new connections from your address, try again later\r\n");
  EXPECT_TRUE(third->closed);
  house.clock.advance(std::chrono::seconds(1));
  EXPECT_THAT(house.talk({"QUIT\r\n"})->sent, HasSubstr("221"));
}

TEST(Acceptor, Says421ToTheConnectionTooMany) {
  Limits limits;
  limits.connections_per_client = 1;
  House house(limits);
  const auto first = house.dial({});
  first->wait_at_end = true;
  const auto second = house.talk({"EHLO c.example\r\n"});
  EXPECT_EQ(second->sent, "421 4.7.0 Too many connections from your address\r\n");
  EXPECT_TRUE(second->closed);
  EXPECT_THAT(house.log.lines.back(), HasSubstr(R"("stage":"connect")"));
  const auto other = house.dial({"QUIT\r\n"}, "198.51.100.1");
  house.poll();
  EXPECT_THAT(other->sent, HasSubstr("221"));
  house.acceptor.drain();
  house.poll();
}

TEST(Acceptor, DrainsAnIdleSessionAtOnce) {
  House house;
  const auto wire = house.dial({"EHLO c.example\r\n"});
  wire->wait_at_end = true;
  house.poll();
  EXPECT_EQ(house.acceptor.sessions(), 1U);
  house.acceptor.drain();
  house.poll();
  EXPECT_TRUE(wire->sent.ends_with("421 4.3.2 Shutting down, try again later\r\n")) << wire->sent;
  EXPECT_TRUE(wire->closed);
  EXPECT_EQ(house.acceptor.sessions(), 0U);
}

TEST(Acceptor, LetsAnOpenTransactionFinishBeforeTheDrain) {
  House house;
  const auto wire = house.dial(envelope_and({"x: y\r\n", "\r\nbody\r\n.\r\n", "MAIL FROM:<>\r\n"}));
  int reads = 0;
  wire->before_read = [&] {
    if (++reads == 3) house.acceptor.drain();
  };
  house.poll();
  EXPECT_EQ(house.queue.stored.size(), 1U);
  EXPECT_THAT(wire->sent, HasSubstr("queued as"));
  EXPECT_TRUE(wire->sent.ends_with("421 4.3.2 Shutting down, try again later\r\n")) << wire->sent;
  const auto late = house.talk({"EHLO c.example\r\n"});
  EXPECT_THAT(late->sent, HasSubstr("421 4.7.0 Shutting down"));
}

TEST(Acceptor, TellsWhenAllHaveLeft) {
  House house;
  const auto wire = house.dial({"EHLO c.example\r\n", "MAIL FROM:<a@b.example>\r\n"});
  wire->wait_at_end = true;  // a transaction that stays open
  house.poll();
  house.acceptor.drain();
  std::optional<bool> result;
  base::spawn_supervised(
      house.io.get_executor(), "wait", [](House& h, std::optional<bool>& out) -> base::Task<> {
        const base::Deadline deadline{h.clock.steady() + std::chrono::seconds(30)};
        out = co_await h.acceptor.drained(deadline);
      }(house, result));
  house.clock.run_for(house.io, std::chrono::seconds(29));
  EXPECT_FALSE(result.has_value());
  house.clock.run_for(house.io, std::chrono::seconds(2));
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(*result);
  // Sessions that remain at the end of the grace time hear 421 and are not just cut off.
  EXPECT_TRUE(wire->sent.ends_with("421 4.3.2 Shutting down, try again later\r\n")) << wire->sent;
  EXPECT_TRUE(wire->closed);
  EXPECT_EQ(house.acceptor.sessions(), 0U);
}

TEST(Acceptor, WaitsNoLongerForHalfALineOrASilentTransactionWhileItDrains) {
  const std::vector<std::vector<std::string>> scripts{
      {"NOO"},
      {"EHLO c.example\r\n", "MAIL FROM:<a@b.example>\r\n"},
      {"EHLO c.example\r\n", "MAIL FROM:<a@b.example>\r\n", "RCPT TO:<info@example.org>\r\n",
       "DATA\r\n", "Subject: half"}};
  for (const auto& script : scripts) {
    House house;
    const auto wire = house.dial(script);
    wire->at_end = ports::IoError::Timeout;
    int silences = 0;
    wire->before_read = [&] {
      if (!wire->incoming.empty()) return;
      house.clock.advance(Limits().command_overloaded);  // a read that ends at its deadline
      if (++silences == 3) house.acceptor.drain();
    };
    house.poll();
    EXPECT_EQ(silences, 3) << script.back();
    EXPECT_TRUE(wire->sent.ends_with("421 4.3.2 Shutting down, try again later\r\n")) << wire->sent;
    EXPECT_EQ(house.acceptor.sessions(), 0U);
  }
}

TEST(Acceptor, ServesSeveralShardsWhileItDrains) {  // run under TSan
  Limits limits;
  limits.connections_per_client = 1000;
  limits.connections_per_network = 1000;
  House house(limits);
  boost::asio::io_context shards[2];
  std::vector<std::shared_ptr<fakes::Wire>> wires;
  for (int i = 0; i < 200; ++i) {
    auto wire = std::make_shared<fakes::Wire>();
    wire->incoming = {"EHLO c.example\r\n", "MAIL FROM:<a@b.example>\r\n", "RSET\r\n"};
    wire->wait_at_end = true;
    wires.push_back(wire);
  }
  const auto serve = [&](int shard) {
    for (std::size_t i = static_cast<std::size_t>(shard); i < wires.size(); i += 2) {
      house.acceptor.admit(std::make_unique<fakes::ScriptedStream>(wires[i]),
                           shards[shard].get_executor());
      shards[shard].restart();
      shards[shard].poll();
      if (i == 100) house.acceptor.drain();
    }
    // The drain may come while a session is between reads: it leaves at its next one.
    while (house.acceptor.sessions() != 0) {
      shards[shard].restart();
      shards[shard].poll();
    }
  };
  std::thread other(serve, 1);
  serve(0);
  other.join();
  for (auto& shard : shards) {
    shard.restart();
    shard.poll();
  }
  for (const auto& wire : wires) {
    EXPECT_THAT(wire->sent, HasSubstr("421 4."));
    EXPECT_TRUE(wire->closed);
  }
}

TEST(Session, RefusesNewMailWhenTheSpoolIsPoisoned) {
  House house;
  house.queue.poison = true;
  const auto wire = house.talk({"EHLO c.example\r\n"});
  EXPECT_THAT(wire->sent, HasSubstr("421 4.3.0 Storage failure"));
  EXPECT_TRUE(wire->closed);
}

// ---- STARTTLS

TEST(Session, ForgetsEverythingAtStartTls) {
  House house({}, true);
  house.tls.wire->incoming = {"MAIL FROM:<a@b.example>\r\n",
                              "EHLO c.example\r\n",
                              "MAIL FROM:<a@b.example>\r\n",
                              "RCPT TO:<info@example.org>\r\n",
                              "DATA\r\n",
                              "x: y\r\n\r\n.\r\n",
                              "QUIT\r\n"};
  const auto wire = house.talk({"EHLO c.example\r\n", "MAIL FROM:<evil@b.example>\r\n",
                                "RCPT TO:<info@example.org>\r\n", "STARTTLS\r\n"});
  EXPECT_TRUE(wire->sent.ends_with("220 2.0.0 Ready to start TLS\r\n"));
  EXPECT_TRUE(house.tls.wire->sent.starts_with("503 5.5.1")) << house.tls.wire->sent;
  EXPECT_THAT(house.tls.wire->sent, testing::Not(HasSubstr("STARTTLS")));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  const auto& message = house.queue.stored[0].message.message;
  EXPECT_EQ(message.reverse_path.to_string(), "a@b.example");
  EXPECT_EQ(message.client.tls_version, "TLSv1.3");
}

TEST(Session, DropsTheConnectionOnOctetsBehindStartTls) {
  House house({}, true);
  const auto wire =
      house.talk({"EHLO c.example\r\n", "STARTTLS\r\nMAIL FROM:<evil@b.example>\r\n", "more\r\n"});
  EXPECT_EQ(house.tls.handshakes, 0);
  EXPECT_THAT(wire->sent, HasSubstr("421 4.7.0 Improper use of pipelining\r\n"));
  EXPECT_TRUE(wire->closed);
}

TEST(Session, EndsWithAFailedHandshake) {  // never back to plain
  House house({}, true);
  house.tls.fails = true;
  const auto wire = house.talk({"EHLO c.example\r\n", "STARTTLS\r\n", "EHLO c.example\r\n"});
  EXPECT_TRUE(wire->sent.ends_with("220 2.0.0 Ready to start TLS\r\n"));
  EXPECT_EQ(house.acceptor.sessions(), 0U);
  EXPECT_EQ(wire->incoming.size(), 1U);
}

}  // namespace
}  // namespace relay::inbound
