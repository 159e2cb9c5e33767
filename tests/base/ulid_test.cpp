#include "relay/base/ulid.hpp"

#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace relay::base {
namespace {

const WallTime kNow{std::chrono::milliseconds(1'795'500'000'123)};

TEST(Ulid, PrintsAndReadsTheSame) {
  const Ulid id = Ulid::make(kNow, {1, 2, 3, 4, 5, 6, 7, 8, 9, 255});
  const std::string text = id.to_string();
  ASSERT_EQ(text.size(), 26U);
  EXPECT_EQ(text, "01M8627GVV041061050R3GG2FZ");
  EXPECT_EQ(Ulid::parse(text), id);
  EXPECT_EQ(Ulid::parse("01m8627gvv041061050r3gg2fz"), id);
  EXPECT_EQ(id.time(), kNow);
}

TEST(Ulid, RefusesWhatIsNone) {
  for (const char* text : {"", "01M8627GVV041061050R3GG2F", "01M8627GVV041061050R3GG2FZZ",
                           "01M8627GVV041061050R3GG2FU", "01M8627GVV041061050R3GG2F ",
                           "81M86ZNC3V041061050R3GG4ZZ", "ZZZZZZZZZZZZZZZZZZZZZZZZZZ"}) {
    EXPECT_FALSE(Ulid::parse(text)) << text;
  }
}

TEST(Ulid, SortsByTimeAsTextAndAsValue) {
  const Ulid early = Ulid::make(kNow, {255, 255, 255, 255, 255, 255, 255, 255, 255, 255});
  const Ulid late = Ulid::make(kNow + std::chrono::milliseconds(1), {});
  EXPECT_LT(early, late);
  EXPECT_LT(early.to_string(), late.to_string());
}

TEST(Ulid, IsNeverMadeTwice) {
  std::vector<std::vector<Ulid>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : made) {
      threads.emplace_back([&ids] {
        for (int i = 0; i < 5'000; ++i) ids.push_back(Ulid::generate(kNow));
      });
    }
  }
  std::set<Ulid> all;
  for (const auto& ids : made) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), 20'000U);
}

}  // namespace
}  // namespace relay::base
