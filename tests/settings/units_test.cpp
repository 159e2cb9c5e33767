#include "relay/settings/units.hpp"

#include <gtest/gtest.h>

namespace relay::settings {
namespace {

struct RateRow {
  const char* text;
  std::uint32_t count;
  std::int64_t span;
};

class RateText : public testing::TestWithParam<RateRow> {};

TEST_P(RateText, IsACountAndASpan) {
  const auto rate = parse_rate(GetParam().text);
  ASSERT_TRUE(rate) << rate.error();
  EXPECT_EQ(rate->count, GetParam().count);
  EXPECT_EQ(rate->span.count(), GetParam().span);
}

INSTANTIATE_TEST_SUITE_P(All, RateText,
                         testing::Values(RateRow{"5/s", 5, 1}, RateRow{"200/10s", 200, 10},
                                         RateRow{"7/1000d", 7, 86'400'000},
                                         RateRow{"60/min", 60, 60}, RateRow{"600/h", 600, 3600},
                                         RateRow{"1000/d", 1000, 86'400}, RateRow{"0/h", 0, 3600},
                                         RateRow{"4294967295/d", 4'294'967'295U, 86'400}));

class NoRateText : public testing::TestWithParam<const char*> {};

TEST_P(NoRateText, IsRefusedWithASentence) {
  const auto rate = parse_rate(GetParam());
  ASSERT_FALSE(rate);
  EXPECT_FALSE(rate.error().empty());
}

INSTANTIATE_TEST_SUITE_P(All, NoRateText,
                         testing::Values("", "60", "/h", "60/", "60/m", "60 /h", "60/ h", "60/0s",
                                         "60/10", "60/1001s", "60/-1s", "60/9999999999s", "60/10 s",
                                         "-1/h", "+1/h", "1.5/h", "60/hour", "60/h ", " 60/h",
                                         "60h", "4294967296/h", "99999999999999999999999/h"));

}  // namespace
}  // namespace relay::settings
