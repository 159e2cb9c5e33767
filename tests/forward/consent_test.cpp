// Copies for targets that have not confirmed wait; other copies do not.
#include <gmock/gmock.h>

#include "relay/forward/planner.hpp"
#include "tests/forward/house.hpp"

namespace relay::forward {
namespace {

using testing::HasSubstr;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

class Consent : public testing::Test {
 protected:
  Consent() {
    auto targets = std::make_shared<ConfirmedTargets>('+');
    targets->add(house::mailbox("yes@target.example"));
    targets->add(house::domain("all.example"));
    targets->seal();
    config_.consent.confirmed = std::move(targets);
    Alias team{.local_part = "team"};
    for (const char* target :
         {"yes@target.example", "No@target.example", "who@all.example", "no+x@target.example"}) {
      team.targets.push_back(house::mailbox(target));
    }
    config_.domains.front().aliases = {team};
  }

  std::expected<Plan, Rejection> plan(const std::optional<Evidence>& evidence,
                                      bool is_bounce = false) {
    const auto planner =
        *Planner::make(std::make_shared<const Policy>(config_), house::organisation_of);
    auto recipient = std::get<ResolvedRecipient>(
        planner->directory().resolve(*mail::parse_forward_path("<team@hosted.example>"), kNow));
    recipient.is_bounce = is_bounce;
    EXPECT_EQ(planner->directory().awaited(recipient).size(),
              is_bounce || !config_.consent.confirmed ? 0U : 2U);
    return planner->plan({mail::MessageId(), *mail::parse_reverse_path("<ann@sender.example>"),
                          std::string("192.0.2.7"), kNow},
                         {recipient}, evidence);
  }

  static std::vector<bool> held(const Plan& plan) {
    std::vector<bool> each;
    for (const mail::Route& route : plan.routes) each.push_back(route.held);
    return each;
  }

  static std::vector<std::string> awaits(const Plan& plan) {
    std::vector<std::string> each;
    for (const mail::Route& route : plan.routes) each.push_back(route.awaits);
    return each;
  }

  Policy config_ = house::policy();
};

const std::string kNo = "no@target.example";

TEST_F(Consent, HoldsTheCopiesOfWhoHasNotConfirmedAndNoOthers) {
  for (const auto& evidence : {std::optional<Evidence>(), std::optional(house::evidence())}) {
    const auto made = plan(evidence);
    ASSERT_TRUE(made);
    EXPECT_EQ(held(*made), (std::vector{false, true, false, true}));
    EXPECT_EQ(awaits(*made), (std::vector<std::string>{"", kNo, "", kNo}));
    EXPECT_FALSE(made->hold);
    EXPECT_THAT(made->routes[1].handling.reason,
                testing::EndsWith("held: the target has not confirmed"));
    EXPECT_THAT(made->routes[0].handling.reason, testing::Not(HasSubstr("confirmed")));
  }
}

TEST_F(Consent, IsAskedOfNobodyWhereItIsNotRequired) {
  config_.consent.confirmed = nullptr;
  const auto made = plan(house::evidence());
  ASSERT_TRUE(made);
  EXPECT_EQ(held(*made), std::vector<bool>(4, false));
  EXPECT_EQ(awaits(*made), std::vector<std::string>(4));
}

TEST_F(Consent, IsNotAskedOfWhomABounceGoesTo) {
  const auto made = plan(std::nullopt, true);
  ASSERT_TRUE(made);
  EXPECT_EQ(held(*made), std::vector<bool>(4, false));
}

TEST_F(Consent, DoesNotReleaseWhatTheOperatorIsToDecide) {
  config_.defaults.dmarc.on_dmarc_fail = OnDmarcFail::Hold;
  const auto made = plan(house::spoof("author.example", mail::DmarcPolicy::Reject));
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->hold);
  EXPECT_EQ(held(*made), std::vector<bool>(4, true));
  EXPECT_EQ(awaits(*made), std::vector<std::string>(4));
  EXPECT_THAT(made->routes[1].handling.reason, HasSubstr("not proven"));
  EXPECT_THAT(made->routes[1].handling.reason, HasSubstr("the target has not confirmed"));
}

}  // namespace
}  // namespace relay::forward
