#include "relay/auth/dkim/canonical.hpp"

#include <gtest/gtest.h>

namespace relay::auth::dkim {
namespace {

/// RFC 6376 §3.4.2 and the example of §3.4.5.
TEST(RelaxedField, FollowsTheRfc) {
  EXPECT_EQ(relaxed_field("A", " X\r\n"), "a:X");
  EXPECT_EQ(relaxed_field("B ", " Y\t\r\n\tZ  \r\n"), "b:Y Z");
  EXPECT_EQ(relaxed_field("SUBJECT", "  two  spaces\t \r\n and folded \r\n"),
            "subject:two spaces and folded");
  EXPECT_EQ(relaxed_field("X", "\r\n"), "x:");
  EXPECT_EQ(relaxed_field("X", " \r\n \r\n"), "x:");
  EXPECT_EQ(relaxed_field("X", "Caf\xC3\xA9: \"A  b\"\r\n"), "x:Caf\xC3\xA9: \"A b\"");
  EXPECT_EQ(relaxed_field("X", "no line end"), "x:no line end");
}

}  // namespace
}  // namespace relay::auth::dkim
