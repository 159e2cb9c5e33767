// Aliases that do not simply pass mail on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/forward/planner.hpp"
#include "tests/forward/house.hpp"

namespace relay::forward {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

auto is_dead(const std::string& address, const std::string& why) {
  return AllOf(Field("address", &DeadMember::address, address),
               Field("why", &DeadMember::why, why));
}

std::vector<std::string> texts(const std::vector<mail::Mailbox>& addresses) {
  std::vector<std::string> made;
  for (const auto& address : addresses) made.push_back(address.to_string());
  return made;
}

/// "target[group]" of each copy, "!" before those that stand by.
std::string groups_of(const Plan& plan) {
  std::string text;
  for (const mail::Route& route : plan.routes) {
    text += (text.empty() ? "" : " ") + std::string(route.stands_by ? "!" : "") +
            route.target.to_string();
    if (route.group > 0) text += '[' + std::to_string(route.group) + ']';
  }
  return text;
}

class AliasFates : public testing::Test {
 protected:
  Alias& add(const std::string& local_part, const std::vector<std::string>& targets) {
    auto& aliases = config_.domains.front().aliases;
    aliases.push_back({.local_part = local_part, .targets = {}, .reject = {}, .keep_tag = {}});
    for (const auto& target : targets) aliases.back().targets.push_back(house::mailbox(target));
    return aliases.back();
  }

  std::shared_ptr<const Planner> planner() const {
    return *Planner::make(std::make_shared<const Policy>(config_), house::organisation_of);
  }

  Resolution resolve(const std::string& local_part, base::WallTime now = kNow) const {
    return planner()->directory().resolve(
        mail::ForwardPath(house::mailbox(local_part + "@hosted.example")), now);
  }

  ResolvedRecipient taken(const std::string& local_part) const {
    return std::get<ResolvedRecipient>(resolve(local_part));
  }

  std::expected<Plan, PlanRefusal> plan(const std::vector<ResolvedRecipient>& recipients,
                                        const Evidence& evidence = house::evidence(),
                                        std::uint64_t size = 100) const {
    return planner()->plan(
        {mail::MessageId(), evidence.sender, std::string("192.0.2.1"), kNow, size}, recipients,
        evidence);
  }

  Policy config_ = house::policy();
};

TEST_F(AliasFates, WhatIsDiscardedIsTakenAndHasNoTarget) {
  add("noise", {}).discard = true;
  for (const char* path : {"noise", "NOISE", "noise+tag"}) {
    const auto found = taken(path);
    EXPECT_TRUE(found.targets.empty()) << path;
    ASSERT_EQ(found.discards.size(), 1U) << path;
    EXPECT_EQ(found.copies(), 1U);
    EXPECT_THAT(found.rule, HasSubstr("discarded"));
  }
  const auto made = plan({taken("noise")});
  ASSERT_TRUE(made);
  ASSERT_EQ(made->routes.size(), 1U);
  EXPECT_EQ(made->routes[0].ended, mail::End::Discarded);
  EXPECT_EQ(made->routes[0].target.to_string(), "noise@hosted.example");
  // Nothing leaves, so no address is made for it.
  EXPECT_EQ(made->routes[0].reverse_path, house::evidence().sender);
}

TEST_F(AliasFates, OneMemberThatIsDiscardedCostsNobodyElseTheMail) {
  add("noise", {}).discard = true;
  add("all", {"noise@hosted.example", "a@target.example"});
  const auto found = taken("all");
  ASSERT_EQ(found.targets.size(), 1U);
  ASSERT_EQ(found.discards.size(), 1U);
  const auto made = plan({taken("all"), taken("info"), taken("noise")});
  ASSERT_TRUE(made);
  ASSERT_EQ(made->routes.size(), 3U);  // the discarded one once
  EXPECT_EQ(made->routes[0].ended, mail::End::None);
  EXPECT_EQ(made->routes[1].ended, mail::End::Discarded);
  EXPECT_EQ(made->routes[2].target.to_string(), "me@target.example");
  EXPECT_EQ(made->chosen.size(), 3U);
}

TEST_F(AliasFates, AMessageIsRefusedForAnAliasThatDiscardsAsForAnyOther) {
  add("noise", {}).discard = true;
  const auto made =
      plan({taken("noise")}, house::spoof("author.example", mail::DmarcPolicy::Reject));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, 550);
}

/// Held mail waits for a decision; for an alias that discards there is none.
TEST_F(AliasFates, WhatIsDiscardedIsNotHeld) {
  auto& noise = add("noise", {});
  noise.discard = true;
  noise.dmarc.on_dmarc_fail = OnDmarcFail::Hold;
  const auto made =
      plan({taken("noise")}, house::spoof("author.example", mail::DmarcPolicy::Reject));
  ASSERT_TRUE(made);
  EXPECT_FALSE(made->routes[0].held);
}

/// A bounce to an address of ours that throws its mail away.
TEST_F(AliasFates, ABounceMayBeDiscarded) {
  add("noise", {}).discard = true;
  const auto owner = planner();
  const auto made = owner->directory().senders().rewrite(
      house::mailbox("noise@hosted.example"),
      {mail::MessageId(), std::string("192.0.2.1"), false, false, kNow});
  const auto found = std::get<ResolvedRecipient>(
      owner->directory().resolve(mail::ForwardPath(made.reverse_path.mailbox()), kNow));
  EXPECT_TRUE(found.is_bounce);
  EXPECT_EQ(found.first_target().to_string(), "noise@hosted.example");
  const auto back = plan({found});
  ASSERT_TRUE(back);
  EXPECT_EQ(back->routes.at(0).ended, mail::End::Discarded);
}

/// kNow is 24 November 2026, 06:00 UTC.
TEST_F(AliasFates, AnAliasIsThereThroughItsLastDay) {
  using namespace std::chrono_literals;
  const std::chrono::sys_seconds midnight =
      std::chrono::sys_days(std::chrono::year(2026) / 11 / 25);
  add("fair", {"a@target.example"}).expires = midnight.time_since_epoch().count() - 1;
  add("all", {"fair@hosted.example", "b@target.example"});
  const base::WallTime last = base::WallTime(midnight.time_since_epoch()) - 1ms;
  EXPECT_TRUE(std::holds_alternative<ResolvedRecipient>(resolve("fair", kNow)));
  EXPECT_TRUE(std::holds_alternative<ResolvedRecipient>(resolve("fair+x", last)));
  const auto refused = std::get<Rejection>(resolve("Fair", last + 1ms));
  EXPECT_EQ(refused.code, 550);
  EXPECT_EQ(refused.status, (mail::EnhancedStatus{5, 2, 1}));
  // A member that has expired costs nobody else the mail.
  EXPECT_EQ(std::get<ResolvedRecipient>(resolve("all", last)).targets.size(), 2U);
  const auto others = std::get<ResolvedRecipient>(resolve("all", last + 1ms));
  ASSERT_EQ(others.targets.size(), 1U);
  EXPECT_THAT(others.dead, ElementsAre(is_dead("fair@hosted.example", "This address has expired")));
}

TEST_F(AliasFates, OnlyTheCopiesOfAnAliasThatTakesNoneSoLargeFail) {
  add("small", {"s@target.example", "t@target.example"}).max_size = 1000;
  add("tiny", {"t@target.example", "small@hosted.example"}).max_size = 10;
  add("all", {"small@hosted.example", "b@target.example"});
  EXPECT_TRUE(taken("small").takes(1000));
  EXPECT_FALSE(taken("small").takes(1001));
  EXPECT_FALSE(taken("tiny").takes(11));  // the tightest on the way counts
  EXPECT_TRUE(taken("all").takes(5000));
  EXPECT_TRUE(taken("info").takes(5000));

  const auto fits = plan({taken("small")}, house::evidence(), 1000);
  ASSERT_TRUE(fits);
  EXPECT_EQ(fits->routes.at(0).ended, mail::End::None);

  const auto made = plan({taken("all"), taken("info")}, house::evidence(), 1001);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->routes.size(), 4U);
  EXPECT_EQ(made->routes[0].ended, mail::End::Refused);
  EXPECT_EQ(made->routes[1].ended, mail::End::Refused);
  EXPECT_EQ(made->routes[2].ended, mail::End::None);
  EXPECT_EQ(made->routes[3].target.to_string(), "me@target.example");
  EXPECT_EQ(made->chosen.size(), 4U);
}

/// In whatever order the aliases name each other.
TEST_F(AliasFates, AnAliasThatIsReachedByAWiderPathTakesWhatThatOneTakes) {
  add("small", {"me@hosted.example"}).max_size = 1000;
  add("me", {"inner@hosted.example"});
  add("inner", {"me@target.example"});
  add("narrow", {"small@hosted.example", "me@hosted.example"});
  add("wide", {"me@hosted.example", "small@hosted.example"});
  for (const char* alias : {"narrow", "wide"}) {
    EXPECT_EQ(taken(alias).terms_of(0).max_size, 0U) << alias;
    const auto made = plan({taken(alias)}, house::evidence(), 5000);
    ASSERT_EQ(made->routes.size(), 1U) << alias;
    EXPECT_EQ(made->routes[0].ended, mail::End::None) << alias;
  }
  EXPECT_EQ(taken("narrow").rule,
            "exact narrow@hosted.example > exact small@hosted.example > exact me@hosted.example > "
            "exact inner@hosted.example")
      << "each alias is named once";
}

/// A target too deep on one path may be near on another.
TEST_F(AliasFates, ATargetThatIsTooDeepOnOnePathIsReachedOnAShorterOne) {
  for (int i = 0; i < 12; ++i) {
    add("step" + std::to_string(i), {"step" + std::to_string(i + 1) + "@hosted.example"});
  }
  add("step12", {"end@target.example"});
  add("all", {"step0@hosted.example", "step6@hosted.example", "a@target.example"});
  EXPECT_THAT(texts(taken("all").targets), ElementsAre("end@target.example", "a@target.example"));
  EXPECT_THAT(taken("all").dead, IsEmpty());
}

TEST_F(AliasFates, AFallbackStepsInForAnAliasThatHasNobodyLeft) {
  add("help", {"ghost@hosted.example"}).fallback = house::mailbox("c@else.example");
  const auto found = taken("help");
  EXPECT_THAT(texts(found.targets), ElementsAre("c@else.example"));
  EXPECT_THAT(found.dead, ElementsAre(is_dead("ghost@hosted.example", "No such user here")));
  EXPECT_EQ(groups_of(*plan({found})), "c@else.example")
      << "an ordinary copy, which stands by for none";
  config_.domains.front().aliases.back().fallback = house::mailbox("gone@hosted.example");
  EXPECT_EQ(std::get<Rejection>(resolve("help")).status, (mail::EnhancedStatus{5, 1, 1}));
}

/// A target reached by another path, too, gets the mail.
TEST_F(AliasFates, ATargetOfSeveralAliasesGetsWhatOneOfThemTakes) {
  add("small", {"me@target.example"}).max_size = 1000;
  add("both", {"small@hosted.example", "me@target.example"});
  EXPECT_TRUE(taken("both").takes(5000));
  const auto made = plan({taken("small"), taken("info")}, house::evidence(), 1001);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->routes.size(), 2U);
  EXPECT_EQ(made->routes[0].ended, mail::End::Refused);  // small@ fails, and says so
  EXPECT_EQ(made->routes[1].ended, mail::End::None);
  const auto reverse = plan({taken("info"), taken("small")}, house::evidence(), 1001);
  ASSERT_EQ(reverse->routes.size(), 1U);
}

TEST_F(AliasFates, AFallbackStandsByForTheCopiesOfItsAlias) {
  add("help", {"a@target.example", "b@target.example"}).fallback = house::mailbox("c@else.example");
  add("desk", {"d@target.example"}).fallback = house::mailbox("all@hosted.example");
  add("all", {"e@else.example", "help@hosted.example"});
  EXPECT_EQ(groups_of(*plan({taken("help")})),
            "a@target.example[1] b@target.example[1] !c@else.example[1]");
  EXPECT_THAT(taken("help").rule, HasSubstr("fallback c@else.example"));
  // Each alias its own; a fallback of ours is followed, but not to its own fallback.
  const auto both = plan({taken("info"), taken("help"), taken("desk")});
  EXPECT_EQ(groups_of(*both),
            "me@target.example a@target.example[1] b@target.example[1] !c@else.example[1] "
            "d@target.example[2] !e@else.example[2] !a@target.example[2] !b@target.example[2]");
  EXPECT_EQ(both->chosen.size(), both->routes.size());
  for (const mail::Route& route : both->routes) EXPECT_FALSE(route.reverse_path.is_null());
}

/// The nearest alias decides, and failures outside of groups are reported as usual.
TEST_F(AliasFates, AFallbackIsOfTheNearestAlias) {
  add("team", {"a@target.example"}).fallback = house::mailbox("inner@else.example");
  add("all", {"team@hosted.example", "b@target.example"}).fallback =
      house::mailbox("outer@else.example");
  EXPECT_EQ(
      groups_of(*plan({taken("all")})),
      "a@target.example[1] b@target.example[2] !outer@else.example[2] !inner@else.example[1]");
}

/// In whatever order the members stand.
TEST_F(AliasFates, ATargetOnSeveralWaysHasTheFallbackOfOneOfThem) {
  add("help", {"inner@hosted.example"}).fallback = house::mailbox("c@else.example");
  add("inner", {"me@target.example"});
  for (const auto& members :
       {std::vector<std::string>{"help@hosted.example", "me@target.example"},
        std::vector<std::string>{"me@target.example", "help@hosted.example"},
        std::vector<std::string>{"inner@hosted.example", "help@hosted.example"}}) {
    add("all", members);
    EXPECT_EQ(groups_of(*plan({taken("all")})), "me@target.example[1] !c@else.example[1]");
    config_.domains.front().aliases.pop_back();
  }
}

TEST_F(AliasFates, AFallbackStepsInForAMemberThatHasNobodyLeft) {
  add("inner", {"ghost@hosted.example"}).fallback = house::mailbox("c@else.example");
  add("outer", {"inner@hosted.example", "a@target.example"});
  EXPECT_EQ(groups_of(*plan({taken("outer")})), "a@target.example c@else.example");
  // Then it is one of the targets of the alias around, and has the fallback of that one.
  add("around", {"inner@hosted.example"}).fallback = house::mailbox("d@else.example");
  EXPECT_EQ(groups_of(*plan({taken("around")})), "c@else.example[1] !d@else.example[1]");
  // A target that is reached by another path counts.
  add("other", {"a@target.example"});
  add("twice", {"other@hosted.example", "named@hosted.example"});
  add("named", {"other@hosted.example"}).fallback = house::mailbox("e@else.example");
  EXPECT_EQ(groups_of(*plan({taken("twice")})), "a@target.example[1] !e@else.example[1]");
  // It takes no more than its alias does.
  add("small", {"ghost@hosted.example"}).fallback = house::mailbox("c@else.example");
  config_.domains.front().aliases.back().max_size = 1000;
  EXPECT_TRUE(taken("small").takes(1000));
  EXPECT_FALSE(taken("small").takes(1001));
}

TEST_F(AliasFates, AFallbackIsListedOnlyWhereItStandsBy) {
  const auto listed = [&](const std::string& alias) {
    std::vector<std::string> all;
    for (const Fallback& one : taken(alias).fallbacks) {
      for (const auto& target : texts(one.targets)) all.push_back(target);
    }
    return all;
  };
  add("inner", {"a@target.example"}).fallback = house::mailbox("c@else.example");
  add("outer", {"inner@hosted.example"}).fallback = house::mailbox("d@else.example");
  EXPECT_THAT(listed("outer"), ElementsAre("c@else.example")) << "the nearer one counts";
  add("own", {"a@target.example", "b@target.example"}).fallback =
      house::mailbox("all@hosted.example");
  add("all", {"b@target.example", "e@else.example"});
  EXPECT_THAT(listed("own"), ElementsAre("e@else.example"));
}

TEST_F(AliasFates, AFallbackThatCannotHelpIsNone) {
  auto& help = add("help", {"a@target.example"});
  help.fallback = house::mailbox("a@target.example");  // has failed by then
  EXPECT_EQ(groups_of(*plan({taken("help")})), "a@target.example");
  EXPECT_THAT(taken("help").dead,
              ElementsAre(is_dead("a@target.example", "leads to the same addresses")));
  config_.domains.front().aliases.back().fallback = house::mailbox("gone@hosted.example");
  EXPECT_EQ(groups_of(*plan({taken("help")})), "a@target.example");
  EXPECT_THAT(taken("help").dead, ElementsAre(is_dead("gone@hosted.example", "No such user here")));
  EXPECT_TRUE(taken("help").dead.front().is_fallback);
  config_.domains.front().aliases.back().fallback = house::mailbox("help@hosted.example");
  EXPECT_EQ(groups_of(*plan({taken("help")})), "a@target.example");
  // Nor does it get what its alias does not take.
  auto& same = config_.domains.front().aliases.back();
  same.fallback = house::mailbox("c@else.example");
  same.max_size = 1000;
  EXPECT_EQ(groups_of(*plan({taken("help")}, house::evidence(), 1001)), "a@target.example");
}

/// A target that has not confirmed gets no mail as a fallback either.
TEST_F(AliasFates, AFallbackHasToConfirm) {
  add("help", {"a@target.example"}).fallback = house::mailbox("c@else.example");
  auto confirmed = std::make_shared<ConfirmedTargets>('+');
  confirmed->add(house::domain("target.example"));
  confirmed->seal();
  config_.consent.confirmed = std::move(confirmed);
  EXPECT_EQ(groups_of(*plan({taken("help")})), "a@target.example");
  EXPECT_THAT(taken("help").dead, ElementsAre(is_dead("c@else.example", "has not confirmed")));
}

/// One copy for each target; but a copy that a fallback may replace does not stand for one that
/// needs a DSN.
TEST_F(AliasFates, ACopyThatMayBeReplacedIsOfItsAliasAlone) {
  add("help", {"me@target.example"}).fallback = house::mailbox("c@else.example");
  EXPECT_EQ(groups_of(*plan({taken("info"), taken("help")})), "me@target.example");
  EXPECT_EQ(groups_of(*plan({taken("help"), taken("info")})),
            "me@target.example[1] !c@else.example[1] me@target.example");
}

TEST_F(AliasFates, CopiesNameTheirAliasWhereThatIsWanted) {
  const auto mark_of = [&](const ResolvedRecipient& recipient) {
    return plan({recipient})->routes.at(0).mark;
  };
  EXPECT_EQ(mark_of(taken("info")), mail::AliasMark::None);
  config_.defaults.mark_alias = mail::AliasMark::DeliveredTo;
  EXPECT_EQ(mark_of(taken("info")), mail::AliasMark::DeliveredTo);
  add("j\u00fcrgen", {"a@target.example"});
  EXPECT_EQ(mark_of(taken("j\u00fcrgen")), mail::AliasMark::None);
  auto bare = taken("info");
  bare.original = mail::ForwardPath::bare_postmaster();
  EXPECT_EQ(mark_of(bare), mail::AliasMark::None);
  const auto owner = planner();
  const auto made = owner->directory().senders().rewrite(
      house::mailbox("ann@sender.example"),
      {mail::MessageId(), std::string("192.0.2.1"), false, false, kNow});
  EXPECT_EQ(mark_of(std::get<ResolvedRecipient>(
                owner->directory().resolve(mail::ForwardPath(made.reverse_path.mailbox()), kNow))),
            mail::AliasMark::None);
}

}  // namespace
}  // namespace relay::forward
