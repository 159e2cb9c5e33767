// Behind a balancer the client named by its PROXY header counts as the client in every respect; and
// settings of single listeners.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/served_house.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
const std::string kLocal = kSignature + std::string("\x20\x00\x00\x00", 4);
constexpr const char* kBalancer = "10.0.0.1";

class Balanced : public ServedHouse {
 protected:
  explicit Balanced(Limits limits = {}) : ServedHouse(limits) {
    change([](Policy& policy) {
      policy.arrival.listeners = {{{.proxies = {*base::Network::parse("10.0.0.0/8")}},
                                   {{boost::asio::ip::make_address("0.0.0.0"), 25}}}};
    });
  }

  static std::string line(const std::string& client) {
    return "PROXY TCP4 " + client + " 10.0.0.9 40001 25\r\n";
  }

  std::vector<std::string> behind(const std::string& header) {
    std::vector<std::string> segments = envelope_and({kMessage, "QUIT\r\n"});
    segments.insert(segments.begin(), header);
    return segments;
  }
};

TEST_F(Balanced, TheNamedClientIsTheClient) {
  const auto wire = from(kBalancer, behind(line("203.0.113.9")));
  EXPECT_THAT(wire->sent, AllOf(StartsWith("220 "), HasSubstr("250 2.0.0 queued")));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  const mail::AcceptedMessage& message = house.queue.stored.front().message.message;
  EXPECT_EQ(message.client.address, "203.0.113.9");
  EXPECT_EQ(message.client.port, 40001);
  EXPECT_THAT(message.trace_fields, HasSubstr("([203.0.113.9])"));
  EXPECT_THAT(message.trace_fields, Not(HasSubstr("10.0.0.1")));
  EXPECT_THAT(house.log.lines,
              Contains(HasSubstr(
                  R"("peer_ip":"203.0.113.9","helo":"client.example","through":"10.0.0.1")")));
}

TEST_F(Balanced, NothingIsSaidBeforeTheHeader) {
  const auto wire = house.dial({}, kBalancer);
  wire->wait_at_end = true;
  house.poll();
  EXPECT_EQ(wire->sent, "");
  house.acceptor.drain();
  house.poll();
  EXPECT_EQ(wire->sent, "421 4.3.2 Shutting down, try again later\r\n") << "nor is it waited for";
}

TEST_F(Balanced, OctetsOfTheHeaderMayComeOneByOne) {
  std::vector<std::string> segments;
  for (const char octet : line("203.0.113.9")) segments.emplace_back(1, octet);
  for (std::string& segment : envelope_and({kMessage})) segments.push_back(std::move(segment));
  from(kBalancer, std::move(segments));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  EXPECT_EQ(house.queue.stored.front().message.message.client.address, "203.0.113.9");
}

TEST_F(Balanced, ALocalConnectionIsTheBalancersOwn) {
  from(kBalancer, behind(kLocal));
  from(kBalancer, behind("PROXY UNKNOWN\r\n"));
  ASSERT_EQ(house.queue.stored.size(), 2U);
  for (const auto& stored : house.queue.stored) {
    EXPECT_EQ(stored.message.message.client.address, kBalancer);
  }
}

TEST_F(Balanced, TheHeaderIsRequired) {
  EXPECT_EQ(from(kBalancer, envelope_and({kMessage}))->sent,
            "421 4.7.0 10.0.0.1 must begin with a PROXY header: [[listener]] proxy names it\r\n");
  EXPECT_EQ(from(kBalancer, behind("PROXY TCP4 203.0.113.999 10.0.0.9 1 25\r\n"))->sent,
            "421 4.7.0 The PROXY header is malformed\r\n");
  EXPECT_EQ(from(kBalancer, {"PROXY UNKNOWN " + std::string(200, 'x')})->sent,
            "421 4.7.0 The PROXY header is too long\r\n");
  EXPECT_THAT(house.queue.stored, IsEmpty());
  EXPECT_THAT(house.log.lines, Contains(HasSubstr("PROXY header is malformed")));
}

TEST_F(Balanced, TheHeaderMayTakeTenSeconds) {
  const auto wire = house.dial({}, kBalancer);
  wire->at_end = ports::IoError::Timeout;
  wire->before_read = [&] { house.clock.advance(10s); };
  house.poll();
  EXPECT_THAT(wire->sent, StartsWith("421 4.4.2 Timeout"));
  EXPECT_EQ(house.acceptor.sessions(), 0U);
}

TEST_F(Balanced, OthersHearThatItIsNotForThem) {
  // The header is there before the banner, as HAProxy sends it,
  auto early = house.dial({line("203.0.113.9")}, "192.0.2.7");
  early->unread = true;
  // … or it comes behind it,
  auto late = house.dial({line("203.0.113.9"), "EHLO x\r\n"}, "192.0.2.7");
  // … in version 2.
  auto octets = house.dial({kLocal}, "192.0.2.7");
  house.poll();
  const std::string text =
      "421 4.7.0 No PROXY protocol for 192.0.2.7: no [[listener]] proxy of this address names "
      "it\r\n";
  EXPECT_EQ(early->sent, text);
  EXPECT_THAT(late->sent, AllOf(StartsWith("220 "), EndsWith("\r\n" + text)));
  EXPECT_THAT(octets->sent, EndsWith("\r\n" + text));
  EXPECT_THAT(house.log.lines, Contains(HasSubstr("No PROXY protocol for 192.0.2.7")));
}

TEST_F(Balanced, AClientCannotSendAHeaderThroughTheBalancer) {
  const auto wire = from(kBalancer, {line("203.0.113.9"), line("192.0.2.1") + "EHLO x\r\n"});
  EXPECT_THAT(wire->sent, HasSubstr("421 4.7.0 No PROXY protocol for 203.0.113.9"));
}

TEST_F(Balanced, AClientBehindItThatDoesNotWaitHearsSo) {
  const auto wire = from(kBalancer, {line("203.0.113.9") + "EHLO x\r\n"});
  EXPECT_EQ(wire->sent, "421 4.7.0 Wait for the banner\r\n");
}

TEST_F(Balanced, ClientsWithoutABalancerAreServed) {
  EXPECT_THAT(from("192.0.2.7", envelope_and({kMessage}))->sent, HasSubstr("250 2.0.0 queued"));
}

TEST_F(Balanced, OtherListenersKnowNoBalancer) {
  change([](Policy& policy) { policy.arrival.listeners.front().at.front().port = 2525; });
  EXPECT_THAT(from(kBalancer, behind(line("203.0.113.9")))->sent,
              HasSubstr("421 4.7.0 No PROXY protocol for 10.0.0.1"));
}

TEST_F(Balanced, StartTlsForgetsNobody) {
  for (auto& segment : envelope_and({kMessage})) house.tls.wire->incoming.push_back(segment);
  from(kBalancer, {line("203.0.113.9"), "EHLO x\r\n", "STARTTLS\r\n"});
  ASSERT_EQ(house.queue.stored.size(), 1U);
  EXPECT_EQ(house.queue.stored.front().message.message.client.address, "203.0.113.9");
}

class BalancedAndFull : public Balanced {
 protected:
  static Limits small() {
    Limits limits;
    limits.connections_per_client = 1;
    limits.connections_per_network = 2;
    limits.connections_total = 4;
    return limits;
  }

  BalancedAndFull() : Balanced(small()) {}

  std::shared_ptr<fakes::Wire> stay(const std::string& peer, std::vector<std::string> segments) {
    auto wire = house.dial(std::move(segments), peer);
    wire->wait_at_end = true;
    house.poll();
    return wire;
  }
};

TEST_F(BalancedAndFull, LimitsCountTheNamedClient) {
  const auto first = stay(kBalancer, {line("203.0.113.9")});
  EXPECT_THAT(first->sent, StartsWith("220 "));
  EXPECT_EQ(from(kBalancer, {line("203.0.113.9")})->sent,
            "421 4.7.0 Too many connections from your address\r\n");
  const auto second = stay(kBalancer, {line("203.0.113.10")});
  EXPECT_THAT(second->sent, StartsWith("220 "));
  EXPECT_EQ(from(kBalancer, {line("203.0.113.11")})->sent,
            "421 4.7.0 Too many connections from your network\r\n");
  EXPECT_EQ(house.acceptor.sessions(), 2U) << "each has one place, not two";
  // All places can be used: a client that gets another name needs no second place.
  const auto third = stay(kBalancer, {line("198.51.100.1")});
  const auto fourth = stay(kBalancer, {line("198.51.100.2")});
  EXPECT_THAT(fourth->sent, StartsWith("220 "));
  EXPECT_THAT(from(kBalancer, {})->sent, StartsWith("421 4.7.0 Too many connections"));
}

TEST_F(BalancedAndFull, WhoIsExemptIsNotCounted) {
  change([](Policy& policy) { policy.arrival.exempt = {*base::Network::parse("192.0.2.7")}; });
  std::vector<std::shared_ptr<fakes::Wire>> wires;
  for (int i = 0; i < 4; ++i) wires.push_back(stay("192.0.2.7", {}));
  EXPECT_THAT(wires.back()->sent, StartsWith("220 "));
  EXPECT_THAT(from("192.0.2.7", {})->sent, StartsWith("421 4.7.0 Too many connections, try"))
      << "the house is full for all";
}

TEST_F(Balanced, WhoIsExemptMayAskForStrangers) {
  change([](Policy& policy) {
    policy.abuse.rates.unknown = {1, 1h};
    policy.abuse.greylist.enabled = true;
    policy.arrival.exempt = {*base::Network::parse("192.0.2.0/24")};
  });
  const std::vector<std::string> asking{
      "EHLO x\r\n", "MAIL FROM:<ann@sender.example>\r\n", "RCPT TO:<a@example.org>\r\n",
      "RCPT TO:<b@example.org>\r\n", "RCPT TO:<info@example.org>\r\n"};
  EXPECT_THAT(
      from("192.0.2.7", asking)->sent,
      AllOf(Not(HasSubstr("450")), Not(HasSubstr("Greylisted")), EndsWith("Recipient ok\r\n")));
  EXPECT_THAT(from("198.51.100.7", asking)->sent, HasSubstr("450 4.7.1 Too many unknown"));
}

TEST_F(Balanced, AListenerMayWantTls) {
  change([](Policy& policy) { policy.arrival.listeners.front().require_tls = true; });
  const auto wire =
      from("192.0.2.7", {"EHLO x\r\n", "NOOP\r\n", "MAIL FROM:<>\r\n", "STARTTLS\r\n"});
  EXPECT_THAT(wire->sent, HasSubstr("530 5.7.0 Say STARTTLS first\r\n220 2.0.0 Ready"));
  for (auto& segment : envelope_and({kMessage})) house.tls.wire->incoming.push_back(segment);
  house.tls.wire->closed = false;
  from("192.0.2.7", {"EHLO x\r\n", "STARTTLS\r\n"});
  EXPECT_EQ(house.queue.stored.size(), 1U);
}

TEST_F(Balanced, AListenerMayHaveItsSize) {
  change([](Policy& policy) { policy.arrival.listeners.front().max_size = 1000; });
  const auto wire = from("192.0.2.7", {"EHLO x\r\n", "MAIL FROM:<> SIZE=1001\r\n"});
  EXPECT_THAT(wire->sent, AllOf(HasSubstr("SIZE 1000\r\n"), HasSubstr("552 5.3.4")));
}

TEST_F(Balanced, AListenerMayVerifyNothing) {
  house.verify(
      "sender.example TXT \"v=spf1 -all\"\n_dmarc.sender.example TXT \"v=DMARC1; p=reject\"\n");
  EXPECT_THAT(from("192.0.2.7", envelope_and({kMessage}))->sent, HasSubstr("550 5.7.1"));
  change([](Policy& policy) { policy.arrival.listeners.front().verify = false; });
  EXPECT_THAT(from("192.0.2.7", envelope_and({kMessage}))->sent, HasSubstr("250 2.0.0 queued"));
}

}  // namespace
}  // namespace relay::inbound
