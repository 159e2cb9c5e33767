#include "relay/mail/message.hpp"

#include <gtest/gtest.h>

namespace relay::mail {
namespace {

TEST(HandlingName, SaysAllThatSetsACopyApart) {
  EXPECT_EQ(name(Handling{.reason = "nothing to do"}), "plain");
  EXPECT_EQ(name(Handling{.seal = true}), "sealed");
  EXPECT_EQ(name(Handling{.risk_pool = true}), "risk");
  EXPECT_EQ(name(Handling{.seal = true, .risk_pool = true, .new_author = true}),
            "sealed+new-author+risk");
}

}  // namespace
}  // namespace relay::mail
