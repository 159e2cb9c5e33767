#include "relay/delivery/pause_rules.hpp"

#include <gtest/gtest.h>

#include "tests/delivery/a_host_list.hpp"

namespace relay::delivery {
namespace {

using Kind = ports::PauseRule::Kind;

PauseRules rule(Kind kind, const std::string& value) {
  return PauseRules({{.kind = kind, .value = value, .reason = "r", .since = {}, .until = {}}});
}

TEST(PauseRules, AHostIsMeantByItsNameOrByTheEndOfIt) {
  HostList list = a_host_list("a1 b2");
  list.hosts[0].host = "mx1.big.example";
  EXPECT_TRUE(rule(Kind::Host, "mx1.big.example").about(list));
  EXPECT_TRUE(rule(Kind::Host, "big.example").about(list));
  EXPECT_FALSE(rule(Kind::Host, "g.example").about(list)) << "whole labels only";
  EXPECT_FALSE(rule(Kind::Host, "other.example").about(list));
  EXPECT_FALSE(rule(Kind::Domain, "big.example").about(list));
  list.provider = "big";
  EXPECT_TRUE(rule(Kind::Host, "big").about(list));
}

TEST(PauseRules, AnAliasIsMeantByItsAddressOrItsDomain) {
  EXPECT_TRUE(rule(Kind::Alias, "info@fwd.example").about_alias("Info@FWD.example"));
  EXPECT_FALSE(rule(Kind::Alias, "info@fwd.example").about_alias("xinfo@fwd.example"));
  EXPECT_TRUE(rule(Kind::Domain, "fwd.example").about_alias("any@fwd.example"));
  EXPECT_FALSE(rule(Kind::Domain, "fwd.example").about_alias("any@sub.fwd.example"));
  EXPECT_FALSE(rule(Kind::Host, "fwd.example").about_alias("any@fwd.example"));
  EXPECT_FALSE(PauseRules().about_alias("any@fwd.example"));
}

}  // namespace
}  // namespace relay::delivery
