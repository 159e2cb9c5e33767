#include "relay/base/origin.hpp"

#include <gtest/gtest.h>

namespace relay::base {
namespace {

TEST(Origin, NamesClientNetworkAndWiderNetwork) {
  const Origin of_v4{"192.0.2.77", "192.0.2.0/24", ""};
  EXPECT_EQ(origin_of("192.0.2.77"), of_v4);
  EXPECT_EQ(origin_of("::ffff:192.0.2.77"), of_v4) << "one host, however it came";
  const Origin of_v6{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"};
  EXPECT_EQ(origin_of("2001:db8:1:2:3:4:5:6"), of_v6);
  EXPECT_EQ(origin_of("fe80::1%1").client, "fe80::1") << "without scope";
}

TEST(Origin, TellsNeighboursApartWhereTheyAreApart) {
  EXPECT_NE(origin_of("192.0.2.7").network, origin_of("192.0.3.7").network);
  EXPECT_NE(origin_of("2001:db8:1:2::7").network, origin_of("2001:db8:1:3::7").network);
  EXPECT_EQ(origin_of("2001:db8:1:2::7").wider, origin_of("2001:db8:1:3::7").wider);
  EXPECT_NE(origin_of("2001:db8:1::7").wider, origin_of("2001:db8:2::7").wider);
  // Networks of different size are never the same key.
  EXPECT_NE(origin_of("2001:db8:1::7").network, origin_of("2001:db8:1::7").wider);
}

TEST(Origin, OfWhatIsNoAddressIsItself) {
  EXPECT_EQ(origin_of("pipe"), (Origin{"pipe", "pipe", ""}));
}

}  // namespace
}  // namespace relay::base
