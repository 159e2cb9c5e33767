#include "relay/delivery/lookups.hpp"

#include <gtest/gtest.h>

namespace relay::delivery {
namespace {

using namespace std::chrono_literals;

const base::SteadyTime kStart{std::chrono::hours(100)};

class LookupsTest : public testing::Test {
 protected:
  LookupsTest() {
    limits_.lookups = 4;
    limits_.lanes = 2;
    lookups_.set_limits(limits_);
  }

  LanePtr want(const std::string& domain) {
    const auto lane = std::make_shared<Lane>(ports::LaneKey{domain, false});
    lookups_.want(lane);
    return lane;
  }

  /// Those that begin now, in their order.
  std::string begin(base::SteadyTime now = kStart) {
    std::string domains;
    while (const LanePtr lane = lookups_.next(now)) domains += lane->key.domain + ' ';
    return domains;
  }

  /// The domain is looked up and found.
  void know(const std::string& domain) {
    const auto lane = want(domain);
    EXPECT_EQ(begin(), domain + ' ');
    lookups_.found(*lane);
  }

  Limits limits_ = limits_of(Policy(*mail::Domain::parse("mx.fwd.example")));
  Lookups lookups_;
};

TEST_F(LookupsTest, HalfOfThePlacesIsKeptForDomainsThatWereFound) {
  know("k1");
  know("k2");
  const std::vector<LanePtr> strangers{want("s1"), want("s2"), want("s3")};
  EXPECT_EQ(begin(), "s1 s2 ");
  const std::vector<LanePtr> known{want("k1"), want("k2")};
  EXPECT_EQ(begin(), "k1 k2 ");
  lookups_.found(*known[0]);
  EXPECT_EQ(begin(), "") << "s3 waits for a stranger's place";
  lookups_.found(*strangers[0]);
  EXPECT_EQ(begin(), "s3 ");
}

TEST_F(LookupsTest, KnownDomainsMayUseAllPlacesWhileNobodyElseWaits) {
  know("k1");
  std::vector<LanePtr> lanes{want("k1"), want("k1"), want("k1")};
  EXPECT_EQ(begin(), "k1 k1 k1 ");
  lanes.push_back(want("s1"));
  lanes.push_back(want("k1"));
  lanes.push_back(want("k1"));
  EXPECT_EQ(begin(), "s1 ") << "though it came before those known";
  lookups_.found(*lanes[0]);
  EXPECT_EQ(begin(), "k1 ");
}

/// The doubtful mail of a domain has a lane of its own.
TEST_F(LookupsTest, WhoIsInLineWhenItsDomainIsFoundWaitsForNoStranger) {
  const std::vector<LanePtr> strangers{want("s1"), want("x"), want("s2"), want("s3")};
  const auto twin = want("x");
  EXPECT_EQ(begin(), "s1 x ");
  lookups_.found(*strangers[1]);
  lookups_.is_known_now(twin);
  EXPECT_EQ(begin(), "x s2 ");
  lookups_.found(*twin);
  EXPECT_EQ(begin(), "") << "s3 waits for a stranger's place";
  lookups_.found(*strangers[0]);
  EXPECT_EQ(begin(), "s3 ") << "the place that x had in line is nobody's";
  lookups_.found(*strangers[2]);
  lookups_.found(*strangers[3]);
  EXPECT_EQ(begin(), "");
}

TEST_F(LookupsTest, WhoWasSilentIsAskedAmongTheKnownOnesWhenItsDomainIsFound) {
  const auto twin = want("x");
  begin();
  EXPECT_FALSE(lookups_.failed_for_now(*twin, kStart + 3s));
  lookups_.want(twin);
  EXPECT_EQ(twin->lookup_share, Share::Slow);
  lookups_.is_known_now(twin);
  EXPECT_EQ(begin(), "x ");
  EXPECT_EQ(twin->lookup_share, Share::Proven);
  EXPECT_EQ(lookups_.time_for(*twin), limits_.quick_lookup);
}

TEST_F(LookupsTest, WhoWasSilentIsAskedAgainAmongItsLikeAndTakesNoPlaceFromOthers) {
  std::vector<LanePtr> silent;
  for (const char* domain : {"s1", "s2", "s3", "s4", "s5", "s6"}) silent.push_back(want(domain));
  EXPECT_EQ(begin(), "s1 s2 ");
  auto now = kStart;
  for (std::size_t i = 0; i < 6; i += 2) {
    now += 3s;
    for (std::size_t one : {i, i + 1}) {
      EXPECT_EQ(lookups_.time_for(*silent[one]), limits_.quick_lookup);
      EXPECT_FALSE(lookups_.failed_for_now(*silent[one], now));
      lookups_.want(silent[one]);
    }
    begin(now);
  }
  const auto other = want("other");
  EXPECT_EQ(begin(now), "other ");
  EXPECT_EQ(lookups_.time_for(*silent[0]), limits_.whole_lookup);
  EXPECT_TRUE(lookups_.failed_for_now(*silent[0], kStart + 33s));
  EXPECT_EQ(silent[0]->lookup_failures, 1U);
  EXPECT_EQ(begin(now), "s5 ") << "it waited for a place among the slow ones";
  lookups_.want(silent[0]);
  EXPECT_EQ(silent[0]->lookup_share, Share::Slow) << "until it answers";
}

/// A list without the preferred host is the last resort.
TEST_F(LookupsTest, WhoWasFoundInPartIsAskedAgainWithItsWholeTime) {
  const auto lane = want("x");
  begin();
  EXPECT_FALSE(lookups_.found_in_part(*lane));
  lookups_.want(lane);
  EXPECT_EQ(begin(), "x ");
  EXPECT_EQ(lookups_.time_for(*lane), limits_.whole_lookup);
  EXPECT_TRUE(lookups_.found_in_part(*lane));
  lookups_.want(lane);
  EXPECT_EQ(lane->lookup_share, Share::Slow) << "until all of its hosts are found";
}

TEST_F(LookupsTest, ARefusalIsAnAnswer) {
  const auto lane = want("x");
  begin();
  EXPECT_TRUE(lookups_.failed_for_now(*lane, kStart + 100ms));
  lookups_.want(lane);
  EXPECT_EQ(lane->lookup_share, Share::Unknown);
}

TEST_F(LookupsTest, OfTheKnownDomainsTheOldestIsForgotten) {
  for (const char* domain : {"a", "b", "a", "c"}) know(domain);
  EXPECT_EQ(want("a")->lookup_share, Share::Proven);
  EXPECT_EQ(want("b")->lookup_share, Share::Unknown);
  EXPECT_EQ(want("c")->lookup_share, Share::Proven);
}

TEST_F(LookupsTest, ADomainThatIsNotThereIsAnsweredForAllTheSame) {
  const auto lane = want("a");
  begin();
  lookups_.failed_for_good(*lane);
  EXPECT_EQ(want("a")->lookup_share, Share::Proven);
}

TEST_F(LookupsTest, ADomainThatFailsIsKnownNoMore) {
  know("a");
  const auto lane = want("a");
  begin();
  lookups_.failed_for_now(*lane, kStart);
  EXPECT_EQ(want("a")->lookup_share, Share::Unknown);
}

TEST_F(LookupsTest, ALaneThatIsGoneKeepsNobodyWaiting) {
  want("gone");
  const auto lane = want("x");
  EXPECT_EQ(begin(), "x ");
}

}  // namespace
}  // namespace relay::delivery
