#include "relay/app/egress.hpp"

#include <initializer_list>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/settings/file_stamp.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::make_address;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<address> egress(std::vector<std::string> source,
                            std::initializer_list<const char*> local) {
  settings::Settings from;
  from.outbound.source = std::move(source);
  std::vector<address> addresses;
  for (const char* one : local) addresses.push_back(make_address(one));
  return egress_addresses(from.outbound.source, from.risk.source, addresses);
}

TEST(Egress, IsKnownWhereEveryFamilyOfTheHostIsNamed) {
  EXPECT_THAT(egress({"192.0.2.1", "2001:db8::1"}, {"192.0.2.1", "2001:db8::1", "2001:db8::2"}),
              UnorderedElementsAre(make_address("192.0.2.1"), make_address("2001:db8::1")));
}

/// A verdict about the named address would be applied to mail that leaves from another one.
TEST(Egress, IsNotKnownWhereTheHostHasAFamilyThatIsNotNamed) {
  EXPECT_THAT(egress({"192.0.2.1"}, {"127.0.0.1", "192.0.2.1", "2001:db8::1"}), IsEmpty());
  EXPECT_THAT(egress({"2001:db8::1"}, {"::1", "2001:db8::1", "10.0.0.1"}), IsEmpty());
}

TEST(Egress, IsKnownWhereTheOtherFamilyReachesNobody) {
  EXPECT_THAT(egress({"192.0.2.1"}, {"127.0.0.1", "::1", "fe80::1", "fd00::1", "192.0.2.1"}),
              UnorderedElementsAre(make_address("192.0.2.1")));
  EXPECT_THAT(egress({"2001:db8::1"}, {"127.0.0.1", "::1", "2001:db8::1"}),
              UnorderedElementsAre(make_address("2001:db8::1")));
}

TEST(Egress, IsNotKnownWhereTheSystemChooses) { EXPECT_THAT(egress({}, {"192.0.2.1"}), IsEmpty()); }

}  // namespace
}  // namespace relay::app
