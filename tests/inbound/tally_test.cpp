// What is held is counted at every level that a client belongs to.
#include "relay/inbound/tally.hpp"

#include <gtest/gtest.h>

namespace relay::inbound {
namespace {

constexpr ShareLimits kLimits{.total = 12, .per_client = 2, .per_network = 4};

base::Origin origin(const char* address) { return base::origin_of(std::string(address)); }

class TallyTest : public testing::Test {
 protected:
  Tally::Chain holding(const char* address, std::uint64_t amount) {
    const Tally::Chain chain = tally_.pin(origin(address), kLimits);
    tally_.add(chain, amount, 0);
    return chain;
  }

  /// The share that one more unit would exceed; nullopt: there is room.
  std::optional<ShareLevel> used_up(const char* address, const ShareLimits& limits = kLimits) {
    const Tally::Chain chain = tally_.pin(origin(address), limits);
    const auto room = tally_.room_for(chain, limits, 0, 1);
    tally_.unpin(chain);
    return room ? std::nullopt : std::optional(room.error().used_up);
  }

  Tally tally_;
};

TEST_F(TallyTest, FindsTheNarrowestShareThatIsUsedUp) {
  holding("2001:db8:1:1::1", 2);
  EXPECT_EQ(used_up("2001:db8:1:1::1"), ShareLevel::Client);
  EXPECT_EQ(used_up("2001:db8:1:1::2"), std::nullopt);
  holding("2001:db8:1:1::2", 2);
  EXPECT_EQ(used_up("2001:db8:1:1::3"), ShareLevel::Network);
  holding("2001:db8:1:2::1", 2);
  EXPECT_EQ(used_up("2001:db8:1:3::1"), ShareLevel::WiderNetwork);
  EXPECT_EQ(used_up("192.0.2.1"), std::nullopt);
  holding("192.0.2.1", 6);
  EXPECT_EQ(used_up("198.51.100.1"), ShareLevel::Everybody);
  EXPECT_EQ(tally_.held(), 12U);
}

TEST_F(TallyTest, CountsWhoComesFromNowhereInTheTotalOnly) {
  const Tally::Chain nobody = tally_.pin({}, kLimits);
  tally_.add(nobody, 11, 0);
  EXPECT_TRUE(tally_.room_for(nobody, kLimits, 11, 1));
  EXPECT_FALSE(tally_.room_for(nobody, kLimits, 11, 2));
  EXPECT_FALSE(tally_.has_its_part(nobody));
}

TEST_F(TallyTest, KnowsANetworkThatHoldsItsPart) {
  const Tally::Chain big = holding("192.0.2.1", 6);
  const Tally::Chain small = holding("198.51.100.1", 1);
  EXPECT_TRUE(tally_.has_its_part(big));  // 6 of 7; two networks, so a third is its part
  EXPECT_FALSE(tally_.has_its_part(small));
  tally_.add(big, 1, 6);
  EXPECT_TRUE(tally_.has_its_part(small));
  tally_.add(big, 0, 1);
  tally_.add(small, 0, 1);
  EXPECT_FALSE(tally_.has_its_part(big)) << "who holds nothing";
}

TEST_F(TallyTest, LeavesRoomForOthersWhereThatIsAsked) {
  ShareLimits roomy = kLimits;
  roomy.per_client = 0;
  roomy.per_network = 12;
  roomy.leaves_room = true;
  holding("192.0.2.1", 6);
  EXPECT_EQ(used_up("192.0.2.2", roomy), ShareLevel::Network) << "6 are left for all others";
  EXPECT_EQ(used_up("198.51.100.1", roomy), std::nullopt);
}

TEST_F(TallyTest, ForgetsNamesThatNobodyHoldsAnymore) {
  const Tally::Chain one = tally_.pin(origin("192.0.2.1"), kLimits);
  const Tally::Chain same = tally_.pin(origin("192.0.2.1"), kLimits);
  EXPECT_EQ(one, same);
  tally_.add(one, 2, 0);
  tally_.unpin(same);
  EXPECT_EQ(used_up("192.0.2.1"), ShareLevel::Client);
  tally_.add(one, 0, 2);
  tally_.unpin(one);
  EXPECT_EQ(used_up("192.0.2.1"), std::nullopt);
  EXPECT_EQ(tally_.held(), 0U);
}

}  // namespace
}  // namespace relay::inbound
