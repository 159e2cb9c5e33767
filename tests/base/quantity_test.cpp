#include "relay/base/quantity.hpp"

#include <gtest/gtest.h>

namespace relay::base {
namespace {

using namespace std::chrono_literals;

TEST(Duration, IsANumberWithItsUnit) {
  EXPECT_EQ(parse_duration("0s"), 0s);
  EXPECT_EQ(parse_duration("90s"), 90s);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("4h"), 4h);
  EXPECT_EQ(parse_duration("21d"), 24h * 21);
  EXPECT_EQ(parse_duration("2w"), 24h * 14);
}

TEST(Duration, IsRefusedWithASentenceWhenItIsSomethingElse) {
  for (const char* text : {"", "5", "h", "5 m", "-5m", "+5m", "1.5h", "5min", "5m5s",
                           "99999999999999999999s", "9223372036854775807w"}) {
    const auto span = parse_duration(text);
    ASSERT_FALSE(span) << text;
    EXPECT_FALSE(span.error().empty());
  }
}

}  // namespace
}  // namespace relay::base
