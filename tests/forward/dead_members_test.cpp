// A member of an alias that leads nowhere is named, and the other members get the mail.
#include <cctype>
#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/forward/planner.hpp"
#include "tests/forward/house.hpp"

namespace relay::forward {
namespace {

using testing::AllOf;
using testing::Field;
using testing::UnorderedElementsAre;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

struct Dead {
  const char* kind;
  const char* member;
  const char* address;  ///< the one that is named
  const char* why;
  mail::EnhancedStatus alone;  ///< of the refusal where nobody else is in the alias
};

std::ostream& operator<<(std::ostream& out, const Dead& one) { return out << one.kind; }

class Office : public testing::Test {
 protected:
  Office() {
    add("leaver", {}).reject = Rejection{550, {5, 1, 6}, "Moved away"};
    add("later", {}).reject = Rejection{450, {4, 2, 1}, "Not now"};
    add("past", {"x@else.example"}).expires = 1;
    add("round", {"about@hosted.example"});
    add("about", {"round@hosted.example"});
    for (int i = 0; i < 12; ++i) {
      add("step" + std::to_string(i), {"step" + std::to_string(i + 1) + "@hosted.example"});
    }
    add("step12", {"x@else.example"});
    config_.domains.push_back({.name = house::domain("mapped.example"),
                               .aliases = {},
                               .patterns = {},
                               .map_to = house::domain("hosted.example")});
  }

  Alias& add(const std::string& local_part, const std::vector<std::string>& targets) {
    auto& aliases = config_.domains.front().aliases;
    aliases.push_back({.local_part = local_part, .targets = {}, .reject = {}, .keep_tag = {}});
    for (const auto& target : targets) aliases.back().targets.push_back(house::mailbox(target));
    return aliases.back();
  }

  Resolution resolve(const std::string& local_part) const {
    const auto planner =
        *Planner::make(std::make_shared<const Policy>(config_), house::organisation_of);
    return planner->directory().resolve(
        mail::ForwardPath(house::mailbox(local_part + "@hosted.example")), kNow);
  }

  Policy config_ = house::policy();
};

class DeadMembers : public Office, public testing::WithParamInterface<Dead> {};

TEST_P(DeadMembers, CostNobodyElseTheMail) {
  const Dead& dead = GetParam();
  add("office", {"a@dest.example", dead.member, "b@dest.example"});
  const auto found = resolve("office");
  const auto& taken = std::get<ResolvedRecipient>(found);
  ASSERT_EQ(taken.targets.size(), 2U);
  EXPECT_EQ(taken.targets[1].to_string(), "b@dest.example");
  EXPECT_THAT(taken.dead,
              UnorderedElementsAre(AllOf(Field("address", &DeadMember::address, dead.address),
                                         Field("why", &DeadMember::why, dead.why))));
}

TEST_P(DeadMembers, RefuseTheMailWhereNobodyElseIsLeft) {
  add("office", {GetParam().member});
  EXPECT_EQ(std::get<Rejection>(resolve("office")).status, GetParam().alone);
}

INSTANTIATE_TEST_SUITE_P(
    Each, DeadMembers,
    testing::Values(
        Dead{"missing",
             "ghost@hosted.example",
             "ghost@hosted.example",
             "No such user here",
             {5, 1, 1}},
        Dead{"refused", "leaver@hosted.example", "leaver@hosted.example", "Moved away", {5, 1, 6}},
        Dead{"refused for now",
             "later@hosted.example",
             "later@hosted.example",
             "Not now",
             {4, 2, 1}},
        Dead{"expired",
             "past@hosted.example",
             "past@hosted.example",
             "This address has expired",
             {5, 2, 1}},
        Dead{"a loop",
             "round@hosted.example",
             "round@hosted.example",
             "Alias leads back to itself",
             {5, 4, 6}},
        Dead{"itself",
             "office@hosted.example",
             "office@hosted.example",
             "Alias leads back to itself",
             {5, 4, 6}},
        Dead{"itself, by a mapped domain",
             "office@mapped.example",
             "office@hosted.example",
             "Alias leads back to itself",
             {5, 4, 6}},
        Dead{"too deep",
             "step0@hosted.example",
             "step9@hosted.example",
             "Alias chain too long",
             {5, 4, 6}}),
    [](const auto& info) {
      std::string name;
      for (const char c : std::string(info.param.kind)) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
      }
      return name;
    });

/// Whatever name is caught, the catch-all's own target is caught as well.
TEST_F(Office, NamesATargetOfTheCatchAllThatIsCaughtAgain) {
  add("*", {"me@else.example", "all@hosted.example"});
  const auto found = resolve("whoever");
  const auto& taken = std::get<ResolvedRecipient>(found);
  ASSERT_EQ(taken.targets.size(), 1U);
  ASSERT_EQ(taken.dead.size(), 1U);
  EXPECT_EQ(taken.dead[0].address, "all@hosted.example");
}

TEST_F(Office, NamesWhatAPatternMadeThatIsNoAddress) {
  config_.domains.front().patterns.push_back(
      {.match = "reply-(.*)", .targets = {"${1}@app.example", "archive@app.example"}});
  const auto found = resolve("reply-");
  const auto& taken = std::get<ResolvedRecipient>(found);
  ASSERT_EQ(taken.targets.size(), 1U);
  EXPECT_EQ(taken.targets[0].to_string(), "archive@app.example");
  ASSERT_EQ(taken.dead.size(), 1U);
  EXPECT_EQ(taken.dead[0].address, "@app.example");
  config_.domains.front().patterns.back().targets.pop_back();
  EXPECT_EQ(std::get<Rejection>(resolve("reply-")).code, 550);
}

}  // namespace
}  // namespace relay::forward
