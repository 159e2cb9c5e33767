// Fair shares, and the memory for content that they divide.
#include "relay/inbound/fair_share.hpp"

#include <list>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using base::origin_of;
using testing::HasSubstr;

constexpr ShareLimits kShares{.total = 100, .per_client = 10, .per_network = 25};

struct Fixture : testing::Test {
  FairShare::Holding of(const std::string& address, const ShareLimits& limits = kShares) {
    return share.open(origin_of(address), limits);
  }

  /// One that can be asked to yield, and holds so much while it waits for its client.
  FairShare::Holding& stalling(const std::string& address, std::uint64_t amount) {
    auto& made = stalled.emplace_back(of(address));
    const std::size_t number = stalled.size() - 1;
    made.may_yield({.executor = io.get_executor(),
                    .yield = [this, number] { asked.push_back(number); },
                    .progress = 100});
    EXPECT_TRUE(made.hold(amount));
    made.begins_to_wait();
    return made;
  }

  void poll() {
    io.restart();
    io.poll();
  }

  boost::asio::io_context io;
  fakes::FakeClock clock;
  FairShare share{clock};
  std::list<FairShare::Holding> stalled;
  std::vector<std::size_t> asked;
};

struct ShareTest : Fixture {};

TEST(ShareLimits, OfAWiderNetworkAreTwiceThoseOfANetworkAndHalfOfTheWholeAtMost) {
  EXPECT_EQ((ShareLimits{.total = 100, .per_network = 10}.per_wider()), 20U);
  EXPECT_EQ((ShareLimits{.total = 100, .per_network = 40}.per_wider()), 50U);
  EXPECT_EQ((ShareLimits{.total = 100, .per_network = 80}.per_wider()), 80U) << "or the network";
}

TEST_F(ShareTest, EndsForClientNetworkWiderNetworkAndAll) {
  auto client = of("2001:db8:1:1::1");
  ASSERT_TRUE(client.hold(10));
  EXPECT_EQ(client.hold(11).error(), ShareLevel::Client);
  EXPECT_EQ(client.held(), 10U) << "nothing has changed";
  auto neighbours = of("2001:db8:1:1::2", {.total = 100, .per_network = 25});
  EXPECT_EQ(neighbours.hold(16).error(), ShareLevel::Network);
  ASSERT_TRUE(neighbours.hold(15));
  auto customer = of("2001:db8:1:2::1", {.total = 100, .per_network = 25});
  ASSERT_TRUE(customer.hold(25));
  EXPECT_EQ(of("2001:db8:1:3::1").hold(1).error(), ShareLevel::WiderNetwork);
  auto others = of("192.0.2.1", {.total = 100, .per_network = 100});
  EXPECT_EQ(others.hold(51).error(), ShareLevel::Everybody);
  ASSERT_TRUE(others.hold(50));
  EXPECT_EQ(share.held(), 100U);
  ASSERT_TRUE(customer.hold(5)) << "less is always to be had";
  EXPECT_TRUE(of("2001:db8:1:3::1").hold(10));
  EXPECT_EQ(share.held(), 80U) << "what is gone is given back";
}

TEST_F(ShareTest, LeavesRoomForOthersHoweverManyTakeWhatTheyCanGet) {
  ShareLimits limits{.total = 6000, .per_network = 1500, .leaves_room = true};
  std::vector<FairShare::Holding> greedy;
  for (int network = 0; network < 5; ++network) {
    for (int i = 0; i < 5000; ++i) {
      const auto address = fmt::format("2001:db8:{}:{}::{}", network + 1, i % 7, i % 11 + 1);
      greedy.push_back(of(address, limits));
      if (!greedy.back().hold(1)) greedy.pop_back();
    }
  }
  EXPECT_GE(share.held(), 4000U);
  EXPECT_LE(share.held(), 5900U);
  EXPECT_TRUE(of("192.0.2.1", limits).hold(100)) << share.held();
}

/// In a crowd the share of a network is what is left; only a network that holds nothing finds the
/// whole used up.
TEST_F(ShareTest, TellsAShareOfACrowdedWholeFromTheWhole) {
  const ShareLimits limits{.total = 100, .per_network = 50, .leaves_room = true};
  auto much = of("192.0.2.1", limits);
  auto more = of("2001:db8:1:1::1", limits);
  ASSERT_TRUE(much.hold(50));
  ASSERT_TRUE(more.hold(25));
  EXPECT_EQ(of("192.0.2.2", limits).hold(1).error(), ShareLevel::Network);
  EXPECT_EQ(of("2001:db8:1:2::1", limits).hold(1).error(), ShareLevel::WiderNetwork);
  EXPECT_EQ(of("203.0.113.1", limits).hold(26).error(), ShareLevel::Everybody);
  EXPECT_EQ(more.hold(26).error(), ShareLevel::Everybody) << "it is the only one of its network";
}

TEST_F(ShareTest, MovesWithAClientThatIsSomebodyElse) {
  auto moving = of("192.0.2.1");
  ASSERT_TRUE(moving.hold(10));
  auto there = of("198.51.100.1");
  ASSERT_TRUE(there.hold(5));
  EXPECT_EQ(moving.move_to(origin_of("198.51.100.1")).error(), ShareLevel::Client);
  EXPECT_EQ(of("192.0.2.1").hold(1).error(), ShareLevel::Client) << "it is still counted here";
  ASSERT_TRUE(there.hold(0));
  ASSERT_TRUE(moving.move_to(origin_of("198.51.100.1")));
  EXPECT_TRUE(of("192.0.2.1").hold(10));
  EXPECT_EQ(of("198.51.100.1").hold(1).error(), ShareLevel::Client);
  EXPECT_EQ(share.held(), 10U);
}

TEST_F(ShareTest, TakesFromWhoHoldsMuchAndSendsNothing) {
  stalling("192.0.2.1", 10);
  stalling("198.51.100.1", 10);
  auto& active = stalling("198.51.100.2", 10);
  const ShareLimits all{.total = 30, .per_network = 30};
  auto newcomer = of("203.0.113.1", all);
  EXPECT_FALSE(newcomer.hold(1)) << "nobody has been silent for long enough";
  clock.advance(FairShare::kPatience);
  active.has_come(100);
  active.begins_to_wait();
  EXPECT_TRUE(newcomer.hold(1));
  poll();
  EXPECT_THAT(asked, testing::ElementsAre(1U)) << "of the network that holds most";
  EXPECT_TRUE(newcomer.hold(11));
  EXPECT_FALSE(newcomer.hold(21)) << "the third has sent something";
  poll();
  EXPECT_THAT(asked, testing::ElementsAre(1U, 0U));
  EXPECT_EQ(share.held(), 21U);
  EXPECT_TRUE(stalled.front().has_yielded());
  EXPECT_EQ(stalled.front().hold(1).error(), ShareLevel::Client)
      << "what was taken away is not had again";
  EXPECT_TRUE(stalled.front().hold(0));
}

TEST_F(ShareTest, DripsAreNoProgress) {
  auto& dripping = stalling("192.0.2.1", 10);
  for (int second = 0; second < 10; ++second) {
    clock.advance(1s);
    dripping.has_come(9);
    dripping.begins_to_wait();
  }
  EXPECT_TRUE(of("203.0.113.1", {.total = 10, .per_network = 10}).hold(1));
  poll();
  EXPECT_THAT(asked, testing::ElementsAre(0U));
}

/// A network with its part or more must send as many octets as it holds.
TEST_F(ShareTest, TakesFromTheSlowWhoseNetworkHasItsPart) {
  const ShareLimits all{.total = 1000, .per_network = 500};
  auto& slow = stalled.emplace_back(of("192.0.2.1", all));
  auto& fast = stalled.emplace_back(of("192.0.2.2", all));
  auto& small = stalled.emplace_back(of("198.51.100.1", all));
  std::size_t number = 0;
  for (auto& holding : stalled) {
    holding.may_yield({.executor = io.get_executor(),
                       .yield = [this, number] { asked.push_back(number); },
                       .progress = 10,
                       .progress_of_unit = 1});
    ++number;
  }
  ASSERT_TRUE(slow.hold(250) && fast.hold(250) && small.hold(100));
  auto others = share.open(base::Origin(), {.total = 1000, .per_network = 1000});
  ASSERT_TRUE(others.hold(400));
  for (int second = 0; second < 10; ++second) {
    for (auto& holding : stalled) holding.begins_to_wait();
    clock.advance(1s);
    slow.has_come(20);
    fast.has_come(26);
    small.has_come(2);
  }
  for (auto& holding : stalled) holding.begins_to_wait();
  auto newcomer = of("203.0.113.1", all);
  EXPECT_TRUE(newcomer.hold(250));
  poll();
  EXPECT_THAT(asked, testing::ElementsAre(0U));
  EXPECT_FALSE(of("203.0.113.2", all).hold(1)) << "the others do what they have to";
}

TEST_F(ShareTest, GivesALatecomerHisPartWhereOthersOnlyDrip) {
  const ShareLimits limits{.total = 6000, .per_network = 1500, .leaves_room = true};
  for (int network = 0; network < 8; ++network) {
    for (int i = 0; i < 200; ++i) {
      auto greedy = of(fmt::format("127.7.{}.{}", network, i % 7), limits);
      if (!greedy.hold(10)) break;
      greedy.may_yield({.executor = io.get_executor(),
                        .yield = [this] { asked.push_back(1); },
                        .progress = 1,
                        .progress_of_unit = 1});
      stalled.push_back(std::move(greedy));
    }
  }
  auto latecomer = of("192.0.2.1", limits);
  EXPECT_FALSE(latecomer.hold(600)) << "so much is not free";
  for (int second = 0; second < 10; ++second) {
    for (auto& holding : stalled) holding.begins_to_wait();
    clock.advance(1s);
    for (auto& holding : stalled) holding.has_come(second % 2 == 0 ? 1 : 0);
  }
  for (auto& holding : stalled) holding.begins_to_wait();
  EXPECT_TRUE(latecomer.hold(6000 / 9));
  poll();
  EXPECT_LE(share.held(), 6000U);
  EXPECT_THAT(asked, testing::SizeIs(testing::Lt(100U))) << "and takes no more than he needs";
}

TEST_F(ShareTest, TakesNothingFromWhomWeLetWait) {
  auto& stored = stalling("192.0.2.1", 10);
  stored.has_come(1);  // and then our disk takes its time
  clock.advance(1min);
  const ShareLimits all{.total = 10, .per_network = 10};
  EXPECT_FALSE(of("203.0.113.1", all).hold(1));
  stored.makes_progress();
  stored.begins_to_wait();
  clock.advance(FairShare::kPatience - 1s);
  EXPECT_FALSE(of("203.0.113.1", all).hold(1));
}

/// If the share of a network is used up, only its own clients make room.
TEST_F(ShareTest, AFullNetworkMakesRoomByItself) {
  stalling("198.51.100.1", 10);
  stalling("192.0.2.1", 10);
  clock.advance(FairShare::kPatience);
  auto neighbour = of("192.0.2.2", {.total = 100, .per_network = 15});
  EXPECT_TRUE(neighbour.hold(10));
  poll();
  EXPECT_THAT(asked, testing::ElementsAre(1U));
}

TEST_F(ShareTest, AsksNobodyWhoHasLeftMeanwhile) {
  stalling("192.0.2.1", 10);
  clock.advance(FairShare::kPatience);
  EXPECT_TRUE(of("203.0.113.1", {.total = 10, .per_network = 10}).hold(1));
  stalled.clear();
  poll();
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(share.held(), 0U);
}

TEST_F(ShareTest, KeepsItsCountsUnderManyThreads) {  // run under TSan
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 2000; ++i) {
        auto some = of(fmt::format("192.0.{}.{}", i % 3, t));
        if (some.hold(1)) EXPECT_LE(share.held(), 100U);
        static_cast<void>(some.move_to(origin_of("198.51.100.1")));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(share.held(), 0U);
  EXPECT_TRUE(of("198.51.100.1").hold(10));
}

TEST(FairRate, HoldsANetworkAndTheWiderOneAroundIt) {
  const base::Rate rate{.count = 3, .span = 1h};
  const base::SteadyTime now{1h};
  FairRate rates;
  int taken = 0;
  for (int i = 1; i <= 100; ++i) {
    taken += rates.take(origin_of(fmt::format("2001:db8:1:{:x}::1", i)), rate, now) ? 1 : 0;
  }
  EXPECT_EQ(taken, 6);
  EXPECT_TRUE(rates.allows(origin_of("2001:db8:2::1"), rate, now));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(rates.take(origin_of("192.0.2.1"), rate, now));
  EXPECT_FALSE(rates.take(origin_of("192.0.2.2"), rate, now));
  EXPECT_TRUE(rates.take(origin_of("192.0.3.1"), rate, now));
}

// --- content

/// A message of so many octets whose end does not come.
std::vector<std::string> unfinished(std::size_t octets) {
  std::vector<std::string> pieces{"Subject: x\r\n\r\n"};
  for (std::size_t sent = 0; sent < octets; sent += 10'000) {
    std::string piece;
    while (piece.size() < 10'000) piece += std::string(98, 'x') + "\r\n";
    pieces.push_back(std::move(piece));
  }
  return envelope_and(std::move(pieces));
}

std::vector<std::string> finished(std::size_t octets) {
  auto pieces = unfinished(octets);
  pieces.insert(pieces.end(), {".\r\n", "QUIT\r\n"});
  return pieces;
}

const std::vector<std::string> kSmall =
    envelope_and({"From: ann@sender.example\r\nSubject: small\r\n\r\nx\r\n.\r\n", "QUIT\r\n"});

struct Crowd {
  explicit Crowd(House& of) : house(of) {}

  void join(const std::string& address, std::size_t octets) {
    wires.push_back(house.dial(unfinished(octets), address));
    wires.back()->wait_at_end = true;
    house.poll();
  }

  int told(const std::string& text) const {
    return static_cast<int>(std::ranges::count_if(
        wires, [&](const auto& wire) { return wire->sent.find(text) != std::string::npos; }));
  }

  ~Crowd() {
    house.acceptor.drain();
    for (const auto& wire : wires) {
      if (wire->wake) std::exchange(wire->wake, {})(true);
    }
    house.poll();
  }

  House& house;
  std::vector<std::shared_ptr<fakes::Wire>> wires;
};

std::string answer_to(House& house, const std::string& address) {
  const auto wire = house.dial(kSmall, address);
  house.poll();
  return wire->sent;
}

TEST(ContentMemory, SilentClientsOfOneNetworkLeaveOthersServed) {
  House house;
  Crowd crowd(house);
  for (int i = 0; i < 147; ++i) crowd.join(fmt::format("127.7.7.{}", 1 + i / 40), 335'000);
  EXPECT_LE(house.memory.held(), Limits().memory_per_network);
  EXPECT_THAT(answer_to(house, "192.0.2.7"), HasSubstr("queued as"));
}

TEST(ContentMemory, SilentClientsOfFiveCustomersLeaveOthersServed) {
  Limits limits;
  limits.memory = 16ULL << 20;
  limits.memory_per_network = 4ULL << 20;
  House house(limits);
  Crowd crowd(house);
  for (int i = 0; i < 150; ++i) {
    crowd.join(fmt::format("2001:db8:{}:{:x}::1", i % 5, i), 200'000);
  }
  EXPECT_GE(house.memory.held(), limits.memory / 2);
  EXPECT_THAT(answer_to(house, "192.0.2.7"), HasSubstr("queued as"));
}

TEST(ContentMemory, WhoSendsNothingIsPutOffWhenThereIsNoRoom) {
  Limits limits;
  limits.memory_per_network = 2ULL << 20;
  House house(limits);
  Crowd crowd(house);
  for (int i = 0; i < 8; ++i) crowd.join("192.0.2.1", 200'000);
  EXPECT_GE(crowd.told("354"), 8);
  const auto neighbour = house.dial(unfinished(200'000), "192.0.2.2");
  neighbour->wait_at_end = true;
  house.poll();
  EXPECT_EQ(crowd.told("421"), 0) << "they have only begun to be silent";
  house.clock.advance(FairShare::kPatience);
  const auto served = house.dial(finished(200'000), "192.0.2.2");
  house.poll();
  EXPECT_THAT(served->sent, HasSubstr("queued as"));
  EXPECT_EQ(crowd.told("421 4.3.1 Too much mail at once, and yours does not come on"), 1);
  EXPECT_THAT(house.log.lines, testing::Contains(HasSubstr("does not come on")));
  crowd.wires.push_back(neighbour);
}

}  // namespace
}  // namespace relay::inbound
