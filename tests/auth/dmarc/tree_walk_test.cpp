// Where a walk goes and what it says.
#include "relay/auth/dmarc/tree_walk.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::auth::dmarc {
namespace {

using testing::ElementsAre;

TEST(WalkNames, GoUpLabelByLabel) {
  EXPECT_THAT(walk_names("example"), ElementsAre("example"));
  EXPECT_THAT(walk_names("a.mail.example.com"),
              ElementsAre("a.mail.example.com", "mail.example.com", "example.com", "com"));
  EXPECT_THAT(walk_names("1.2.3.4.5.6.7"), ElementsAre("1.2.3.4.5.6.7", "2.3.4.5.6.7", "3.4.5.6.7",
                                                       "4.5.6.7", "5.6.7", "6.7", "7"));
}

/// RFC 9989 §4.10, its own illustration.
TEST(WalkNames, PassOverTheLeftOfLongNames) {
  EXPECT_THAT(walk_names("a.b.c.d.e.f.g.h.i.j.mail.example.com"),
              ElementsAre("a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com",
                          "h.i.j.mail.example.com", "i.j.mail.example.com", "j.mail.example.com",
                          "mail.example.com", "example.com", "com"));
  EXPECT_THAT(walk_names("1.2.3.4.5.6.7.8"),
              ElementsAre("1.2.3.4.5.6.7.8", "2.3.4.5.6.7.8", "3.4.5.6.7.8", "4.5.6.7.8", "5.6.7.8",
                          "6.7.8", "7.8", "8"));
  EXPECT_THAT(walk_names("1.2.3.4.5.6.7.8.9"),
              ElementsAre("1.2.3.4.5.6.7.8.9", "3.4.5.6.7.8.9", "4.5.6.7.8.9", "5.6.7.8.9",
                          "6.7.8.9", "7.8.9", "8.9", "9"));
}

TEST(WalkNames, AreNeverMoreThanEight) {
  std::string domain = "example";
  for (std::size_t labels = 1; labels < 127; ++labels) {
    EXPECT_EQ(walk_names(domain).size(), std::min(kMaxWalkQueries, labels)) << domain;
    domain.insert(0, "a.");
  }
}

TEST(IsWithin, GoesByLabels) {
  EXPECT_TRUE(is_within("example.com", "example.com"));
  EXPECT_TRUE(is_within("a.b.example.com", "example.com"));
  EXPECT_FALSE(is_within("badexample.com", "example.com"));
  EXPECT_FALSE(is_within("com", "example.com"));
  EXPECT_FALSE(is_within("example.com.evil.org", "example.com"));
}

/// Domain -> psd tag of the record there: "u", "y" or "n".
using Zone = std::map<std::string, std::string>;

std::vector<WalkStep> walked(const std::string& domain, const Zone& zone) {
  std::vector<WalkStep> steps;
  for (const std::string& name : walk_names(domain)) {
    const auto at = zone.find(name);
    steps.push_back({name, std::nullopt});
    if (at != zone.end()) {
      steps.back().record = parse_record("v=DMARC1; p=reject; psd=" + at->second);
    }
    if (ends_walk(steps.back())) break;
  }
  return steps;
}

struct WalkCase {
  const char* name;
  std::string domain;
  Zone zone;
  std::string organisation;
  std::string policy_domain;  ///< "" when DMARC does not apply
};

void PrintTo(const WalkCase& one, std::ostream* out) { *out << one.name; }

class Walk : public testing::TestWithParam<WalkCase> {};

TEST_P(Walk, FindsOrganisationAndPolicy) {
  const auto steps = walked(GetParam().domain, GetParam().zone);
  EXPECT_EQ(organisational_domain(steps), GetParam().organisation);
  const WalkStep* applicable = applicable_step(steps);
  EXPECT_EQ(applicable ? applicable->domain : "", GetParam().policy_domain);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Walk,
    testing::Values(
        WalkCase{"Nothing", "a.example.com", {}, "a.example.com", ""},
        WalkCase{
            "Own", "a.example.com", {{"a.example.com", "u"}}, "a.example.com", "a.example.com"},
        WalkCase{"Parent", "a.example.com", {{"example.com", "u"}}, "example.com", "example.com"},
        WalkCase{"OwnAndParent",
                 "a.example.com",
                 {{"a.example.com", "u"}, {"example.com", "u"}},
                 "example.com",
                 "a.example.com"},
        // The one between is neither the author's nor the organisation's.
        WalkCase{"HighestOfTwo",
                 "a.mail.example.com",
                 {{"mail.example.com", "u"}, {"example.com", "u"}},
                 "example.com",
                 "example.com"},
        WalkCase{"Top", "a.example.com", {{"com", "u"}}, "com", "com"},
        WalkCase{"NotASuffix",
                 "a.mail.example.com",
                 {{"mail.example.com", "n"}, {"example.com", "u"}},
                 "mail.example.com",
                 "mail.example.com"},
        WalkCase{"NotASuffixItself",
                 "mail.example.com",
                 {{"mail.example.com", "n"}, {"example.com", "u"}},
                 "mail.example.com",
                 "mail.example.com"},
        WalkCase{"NotASuffixAbove",
                 "a.example.com",
                 {{"a.example.com", "u"}, {"example.com", "n"}},
                 "example.com",
                 "a.example.com"},
        WalkCase{"SuffixAbove", "a.mail.example.com", {{"com", "y"}}, "example.com", "com"},
        WalkCase{"SuffixAndOrganisation",
                 "a.example.com",
                 {{"example.com", "u"}, {"com", "y"}},
                 "example.com",
                 "example.com"},
        // The organisation has none of its own, so the suffix speaks, and the one between does not.
        WalkCase{"SuffixAndBetween",
                 "x.a.example.com",
                 {{"a.example.com", "u"}, {"com", "y"}},
                 "example.com",
                 "com"},
        WalkCase{"SuffixItself", "com", {{"com", "y"}}, "com", "com"},
        WalkCase{"SuffixItselfDeep",
                 "bank.example",
                 {{"bank.example", "y"}, {"example", "u"}},
                 "bank.example",
                 "bank.example"},
        WalkCase{"SuffixHidesAbove",
                 "giant.bank.example",
                 {{"bank.example", "y"}, {"example", "u"}},
                 "giant.bank.example",
                 "bank.example"},
        WalkCase{"LongName", "1.2.3.4.5.6.7.8.9.10.ex.com", {{"ex.com", "u"}}, "ex.com", "ex.com"},
        WalkCase{"LongNameSuffixAtTheGap",
                 "1.2.3.4.5.6.7.8.9",
                 {{"3.4.5.6.7.8.9", "y"}},
                 "2.3.4.5.6.7.8.9",
                 "3.4.5.6.7.8.9"},
        WalkCase{"PassedOver",
                 "1.2.3.4.5.6.7.8.9",
                 {{"2.3.4.5.6.7.8.9", "u"}},
                 "1.2.3.4.5.6.7.8.9",
                 ""}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace relay::auth::dmarc
