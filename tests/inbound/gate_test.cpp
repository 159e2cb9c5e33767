// Places for sessions: how many a client, a network and all may have, how fast, and which session
// gives its place up.
#include "relay/inbound/gate.hpp"

#include <algorithm>
#include <list>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/support/ip.hpp"

namespace relay::inbound {
namespace {

using support::ip;

base::Origin from(const char* text) { return base::origin_of(ip(text)); }

TEST(Gate, CountsClientsNetworksAndAll) {
  Limits limits;
  limits.connections_per_client = 2;
  limits.connections_per_network = 3;
  limits.connections_total = 4;
  fakes::FakeClock clock;
  Gate gate(clock);
  auto a = gate.enter(from("192.0.2.1"), limits);
  auto b = gate.enter(from("::ffff:192.0.2.1"), limits);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(gate.enter(from("192.0.2.1"), limits).error(), GateRefusal::ClientFull);
  auto c = gate.enter(from("192.0.2.2"), limits);
  EXPECT_EQ(gate.enter(from("192.0.2.3"), limits).error(), GateRefusal::NetworkFull);
  auto d = gate.enter(from("198.51.100.1"), limits);
  EXPECT_EQ(gate.enter(from("203.0.113.1"), limits).error(), GateRefusal::Full);
  EXPECT_TRUE(gate.overloaded(limits));
  {
    const auto gone = std::move(*a);
  }
  EXPECT_TRUE(gate.enter(from("192.0.2.1"), limits).has_value());
  EXPECT_EQ(gate.inside(), 3U);
}

/// An IPv6 customer has 65,536 networks.
TEST(Gate, CountsAWiderNetworkAsTwo) {
  Limits limits;
  limits.connections_per_network = 3;
  limits.connections_total = 100;
  fakes::FakeClock clock;
  Gate gate(clock);
  std::vector<Gate::Ticket> inside;
  for (int i = 0; i < 10; ++i) {
    const std::string client = "2001:db8:1:" + std::to_string(i) + "::1";
    auto ticket = gate.enter(from(client.c_str()), limits);
    ASSERT_EQ(ticket.has_value(), i < 6) << i;
    if (!ticket) EXPECT_EQ(ticket.error(), GateRefusal::NetworkFull);
    if (ticket) inside.push_back(std::move(*ticket));
  }
  EXPECT_TRUE(gate.enter(from("2001:db8:2::1"), limits));
  // A client that was given another name uses the share of that client.
  ASSERT_TRUE(gate.move(inside.front(), from("192.0.2.1"), limits));
  EXPECT_TRUE(gate.enter(from("2001:db8:1:7::1"), limits));
  EXPECT_TRUE(gate.move(inside.back(), from("192.0.2.1"), limits));
}

TEST(Gate, LetsAClientInSoFastAndNoFaster) {
  Limits limits;
  limits.connections_per_client = 1000;
  limits.connections_per_network = 1000;
  fakes::FakeClock clock;
  Gate gate(clock);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(gate.enter(from("192.0.2.1"), limits)) << i;
  EXPECT_EQ(gate.enter(from("192.0.2.1"), limits).error(), GateRefusal::TooFast);
  EXPECT_TRUE(gate.enter(from("192.0.2.2"), limits)) << "its neighbour is not meant";
  clock.advance(std::chrono::seconds(1));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(gate.enter(from("192.0.2.1"), limits)) << i;
  EXPECT_EQ(gate.enter(from("192.0.2.1"), limits).error(), GateRefusal::TooFast);
  EXPECT_EQ(gate.inside(), 0U) << "who was let in has left";
}

/// What one rented server has of IPv6 is a /64 at least.
TEST(Gate, LetsAnIpv6NetworkInAsFastAsOneAddress) {
  Limits limits;
  limits.connections_from_client = {.count = 20, .span = std::chrono::seconds(10)};
  fakes::FakeClock clock;
  Gate gate(clock);
  const auto let_in = [&](const char* form) {
    int count = 0;
    for (int i = 1; i <= 150; ++i) {
      count += gate.enter(base::origin_of(fmt::format(fmt::runtime(form), i)), limits) ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(let_in("2001:db8:1:1::{:x}"), 20);
  EXPECT_EQ(let_in("2001:db8:1:{:x}::1"), 20) << "a /48 has twice the rate, and used half of it";
  EXPECT_EQ(let_in("192.0.2.{}"), 150) << "IPv4 addresses are clients of their own";
}

/// Places of as many networks as fill the house, each with a session that waits for its client.
struct FullHouse : testing::Test {
  FullHouse() { fill(); }

  void fill() {
    for (int network = 0; network < 20; ++network) {
      while (take("127.7." + std::to_string(network) + ".1")) continue;
    }
  }

  bool take(const std::string& address) {
    auto ticket = gate.enter(base::origin_of(address), limits);
    if (!ticket) return false;
    auto& place = places.emplace_back(address, std::move(*ticket)).second;
    place.may_yield(io.get_executor(), [this, address] { put_off.push_back(address); }, limits);
    place.begins_to_wait();
    return true;
  }

  Gate::Ticket& first() { return places.front().second; }

  static Limits small() {
    Limits limits;
    limits.connections_total = 40;
    limits.connections_per_network = 10;
    return limits;
  }

  std::string who_yields() {
    EXPECT_TRUE(gate.enter(from("192.0.2.1"), limits).has_value());
    io.restart();
    io.poll();
    return put_off.empty() ? "" : put_off.back();
  }

  const Limits limits = small();
  boost::asio::io_context io;
  fakes::FakeClock clock;
  Gate gate{clock};
  std::list<std::pair<std::string, Gate::Ticket>> places;
  std::vector<std::string> put_off;
};

TEST_F(FullHouse, APlaceYieldsToANetworkThatHoldsLess) {
  ASSERT_EQ(gate.inside(), limits.connections_total);
  EXPECT_EQ(gate.enter(from("192.0.2.1"), limits).error(), GateRefusal::Full)
      << "who has just come has a fair time";
  clock.advance(FairShare::kPatience);
  EXPECT_EQ(who_yields(), "127.7.0.1") << "of the network that holds most";
  EXPECT_EQ(put_off.size(), 1U);
}

TEST_F(FullHouse, NobodyYieldsToANetworkThatHoldsAsMuch) {
  clock.advance(FairShare::kPatience);
  for (auto& [address, place] : places) {
    if (address == "127.7.0.1" || address == "127.7.1.1") place.takes_message();
  }
  EXPECT_EQ(gate.enter(from("127.7.1.2"), limits).error(), GateRefusal::NetworkFull);
  EXPECT_EQ(who_yields(), "127.7.2.1");
}

TEST_F(FullHouse, OnlyWhatIsAcceptedIsProgress) {
  for (int second = 0; second < 12; ++second) {
    clock.advance(std::chrono::seconds(1));
    for (auto& [address, place] : places) {
      place.ends_wait();
      if (address != "127.7.1.1") place.takes_command();
      place.begins_to_wait();
    }
  }
  EXPECT_EQ(who_yields(), "127.7.1.1") << "its NOOPs are none";
}

/// One RCPT in nine seconds is progress, but not enough for a network that has its part of the
/// places.
TEST_F(FullHouse, DripsOfCommandsKeepNoPlaceForANetworkThatHasItsPart) {
  for (int round = 0; round < 3; ++round) {
    clock.advance(std::chrono::seconds(9));
    for (auto& [address, place] : places) {
      place.ends_wait();
      place.takes_command();
      place.begins_to_wait();
    }
  }
  EXPECT_EQ(who_yields(), "127.7.0.1");
}

TEST_F(FullHouse, NobodyYieldsWhileWeLetHimWait) {
  for (auto& [address, place] : places) place.ends_wait();
  clock.advance(std::chrono::minutes(1));
  EXPECT_FALSE(gate.enter(from("192.0.2.1"), limits));
  for (auto& [address, place] : places) place.begins_to_wait();
  clock.advance(std::chrono::milliseconds(200));
  EXPECT_FALSE(gate.enter(from("192.0.2.1"), limits)) << "the time that we took is not theirs";
  clock.advance(FairShare::kPatience);
  EXPECT_EQ(who_yields(), "127.7.0.1");
}

TEST_F(FullHouse, WhoIsSparedOrCountedNowhereYieldsToNobody) {
  for (auto& [address, place] : places) {
    place.ends_wait();
    if (address == "127.7.1.1") {
      ASSERT_TRUE(gate.move(place, base::Origin(), limits));
    } else {
      place.spare(true);
    }
    place.begins_to_wait();
  }
  clock.advance(FairShare::kPatience);
  EXPECT_FALSE(gate.enter(from("192.0.2.1"), limits));
  first().spare(false);
  first().begins_to_wait();
  clock.advance(FairShare::kPatience);
  EXPECT_EQ(who_yields(), "127.7.0.1");
}

/// Short timeouts are for networks that have their part.
TEST(Gate, HurriesOnlyNetworksThatHoldTheirPart) {
  Limits limits;
  limits.connections_total = 100;
  limits.connections_per_network = 40;
  fakes::FakeClock clock;
  Gate gate(clock);
  std::vector<Gate::Ticket> crowd;
  for (int i = 0; i < 80; ++i) {
    auto ticket = gate.enter(from(i % 2 == 0 ? "127.7.0.1" : "127.7.1.1"), limits);
    if (ticket) crowd.push_back(std::move(*ticket));
  }
  limits.overload_percent = 60;
  const auto honest = gate.enter(from("192.0.2.1"), limits);
  ASSERT_TRUE(honest && gate.overloaded(limits));
  EXPECT_TRUE(gate.hurries(crowd.front(), limits));
  EXPECT_FALSE(gate.hurries(*honest, limits));
}

/// Some network gets short timeouts as long as there are too many sessions, even if all networks
/// hold the same.
TEST(Gate, ACrowdOfEqualNetworksHurriesUntilThereIsRoom) {
  Limits limits;
  limits.connections_total = 300;
  fakes::FakeClock clock;
  Gate gate(clock);
  std::list<Gate::Ticket> crowd;
  for (int i = 0; i < 300; ++i) {
    auto ticket = gate.enter(base::origin_of(fmt::format("127.7.{}.1", i / 20)), limits);
    if (ticket) crowd.push_back(std::move(*ticket));
  }
  ASSERT_EQ(gate.inside(), 300U);
  while (gate.overloaded(limits)) {
    const auto leaves = std::ranges::find_if(
        crowd, [&](const Gate::Ticket& ticket) { return gate.hurries(ticket, limits); });
    ASSERT_NE(leaves, crowd.end()) << gate.inside();
    crowd.erase(leaves);
  }
  EXPECT_EQ(gate.inside(), 239U);
}

}  // namespace
}  // namespace relay::inbound
