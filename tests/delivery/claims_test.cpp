#include "relay/delivery/claims.hpp"

#include <gtest/gtest.h>

namespace relay::delivery {
namespace {

mail::MessageId id(unsigned char number) {
  return mail::MessageId::make(base::WallTime{std::chrono::milliseconds(1)}, {number});
}

TEST(Claims, ACopyIsInOneHandUntilItIsReleased) {
  Claims claims;
  EXPECT_TRUE(claims.take({id(1), 0}));
  EXPECT_FALSE(claims.take({id(1), 0}));
  EXPECT_TRUE(claims.take({id(1), 1}));
  EXPECT_FALSE(claims.release({id(1), 0}));
  EXPECT_TRUE(claims.take({id(1), 0}));
  EXPECT_EQ(claims.size(), 2U);
}

TEST(Claims, NobodyBeginsWithAMessageThatIsExpected) {
  Claims claims;
  claims.expect(id(1));
  EXPECT_FALSE(claims.take({id(1), 0})) << "found by a look between commit and offer";
  EXPECT_FALSE(claims.take({id(1), 0})) << "… and by the next one";
  EXPECT_TRUE(claims.take({id(2), 0}));
  const auto meanwhile = claims.expect_no_more(id(1));
  EXPECT_EQ(meanwhile.passed_over, std::vector<bool>{true});
  EXPECT_TRUE(meanwhile.withdrawn.empty());
  EXPECT_TRUE(meanwhile.is_left());
  EXPECT_TRUE(claims.take({id(1), 0}));
}

TEST(Claims, TellsWhatWasWithdrawnWhileItWasExpected) {
  Claims claims;
  claims.expect(id(1));
  EXPECT_FALSE(claims.withdraw({id(1), 2})) << "nothing of it is under way";
  EXPECT_EQ(claims.expect_no_more(id(1)).withdrawn, std::vector<std::uint16_t>{2});
}

TEST(Claims, AWithdrawnCopyDoesNotPassTheDot) {
  Claims claims;
  ASSERT_TRUE(claims.take({id(1), 0}));
  ASSERT_TRUE(claims.take({id(1), 1}));
  EXPECT_FALSE(claims.withdraw({id(1), 1}));
  EXPECT_TRUE(claims.is_withdrawn({id(1), 1}));
  EXPECT_FALSE(claims.enter_dot(id(1), {0, 1})) << "all of a transaction, or none";
  EXPECT_TRUE(claims.enter_dot(id(1), {0}));
  EXPECT_TRUE(claims.withdraw({id(1), 0})) << "too late: it may leave all the same";
  EXPECT_FALSE(claims.withdraw({id(9), 0})) << "not in memory";
  EXPECT_TRUE(claims.release({id(1), 1})) << "its row may say anything";
  EXPECT_FALSE(claims.is_withdrawn({id(1), 1})) << "a new claim begins anew";
}

}  // namespace
}  // namespace relay::delivery
