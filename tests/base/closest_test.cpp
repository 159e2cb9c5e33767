#include "relay/base/closest.hpp"

#include <gtest/gtest.h>

namespace relay::base {
namespace {

TEST(Closest, FindsTheWordThatWasMeant) {
  const std::vector<std::string> words{"status", "reload", "resolve", "queue", "srs"};
  EXPECT_EQ(closest("stauts", words), "status");  // neighbours swapped
  EXPECT_EQ(closest("statu", words), "status");
  EXPECT_EQ(closest("queues", words), "queue");
  EXPECT_EQ(closest("relaod", words), "reload");
}

TEST(Closest, FindsNothingForAnotherWord) {
  const std::vector<std::string> words{"status", "srs", "ls"};
  EXPECT_EQ(closest("help", words), "");
  EXPECT_EQ(closest("", words), "");
  EXPECT_EQ(closest("abc", words), "");
  EXPECT_EQ(closest(std::string(100'000, 's'), words), "");
}

}  // namespace
}  // namespace relay::base
