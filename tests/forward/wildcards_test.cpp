// "*.example.org": every domain below one is hosted, at any depth.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/forward/planner.hpp"
#include "tests/forward/house.hpp"

namespace relay::forward {
namespace {

using testing::HasSubstr;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

class Wildcards : public testing::Test {
 protected:
  Wildcards() {
    config_.hostname = "mx.wild.example";
    config_.srs.domain = house::domain("srs.wild.example");
    config_.domains.clear();
    add("wild.example", true, {{"info", "wild@target.example"}, {"up", "info@a.b.wild.example"}});
    add("deep.wild.example", true, {{"info", "deep@target.example"}});
    add("exact.wild.example", false, {{"info", "exact@target.example"}});
  }

  void add(const std::string& name, bool is_wildcard,
           const std::vector<std::pair<std::string, std::string>>& aliases) {
    HostedDomain domain{.name = house::domain(name),
                        .aliases = {},
                        .patterns = {},
                        .map_to = {},
                        .dmarc = {},
                        .is_wildcard = is_wildcard};
    for (const auto& [local_part, target] : aliases) {
      domain.aliases.push_back({.local_part = local_part,
                                .targets = {house::mailbox(target)},
                                .reject = {},
                                .keep_tag = {}});
    }
    config_.domains.push_back(std::move(domain));
  }

  std::shared_ptr<const Planner> planner() const {
    return *Planner::make(std::make_shared<const Policy>(config_), house::organisation_of);
  }

  Resolution resolve(const std::string& path) const {
    return planner()->directory().resolve(*mail::parse_forward_path('<' + path + '>'), kNow);
  }

  /// The first target, or the refusal.
  std::string answer(const std::string& path) const {
    const auto found = resolve(path);
    if (const auto* taken = std::get_if<ResolvedRecipient>(&found)) {
      return taken->targets.front().to_string();
    }
    const auto* refused = std::get_if<Rejection>(&found);
    return refused == nullptr ? "token"
                              : std::to_string(refused->code) + ' ' + refused->status.to_string();
  }

  Policy config_ = house::policy();
};

TEST_F(Wildcards, CoverEveryDepthButNotTheDomainAbove) {
  EXPECT_EQ(answer("info@a.wild.example"), "wild@target.example");
  EXPECT_EQ(answer("INFO+x@A.b.c.Wild.example"), "wild+x@target.example");
  EXPECT_EQ(answer("info@wild.example"), "550 5.7.1");
  EXPECT_EQ(answer("info@notwild.example"), "550 5.7.1");
  EXPECT_EQ(answer("info@xwild.example"), "550 5.7.1");
  EXPECT_EQ(answer("nobody@a.wild.example"), "550 5.1.1");
  EXPECT_TRUE(planner()->directory().is_ours(house::domain("a.wild.example")));
  EXPECT_FALSE(planner()->directory().is_ours(house::domain("wild.example")));
}

TEST_F(Wildcards, GiveWayToExactNamesAndLongerWildcards) {
  EXPECT_EQ(answer("info@exact.wild.example"), "exact@target.example");
  EXPECT_EQ(answer("up@exact.wild.example"), "550 5.1.1");
  EXPECT_EQ(answer("info@x.exact.wild.example"), "wild@target.example");
  EXPECT_EQ(answer("info@x.deep.wild.example"), "deep@target.example");
  EXPECT_EQ(answer("info@deep.wild.example"), "wild@target.example");
}

TEST_F(Wildcards, AreFollowedFromAliasToAlias) {
  EXPECT_EQ(answer("up@x.wild.example"), "wild@target.example");
  const auto found = std::get<ResolvedRecipient>(resolve("up@x.wild.example"));
  EXPECT_THAT(found.rule, HasSubstr("exact up@x.wild.example of *.wild.example > "
                                    "exact info@a.b.wild.example of *.wild.example"));
}

/// A wildcard does not change SRS addresses below it into aliases.
TEST_F(Wildcards, LeaveTheSrsDomainAlone) {
  config_.domains.front().aliases.push_back({.local_part = "*",
                                             .targets = {house::mailbox("all@target.example")},
                                             .reject = {},
                                             .keep_tag = {}});
  EXPECT_EQ(answer("whoever@a.wild.example"), "all@target.example");
  EXPECT_EQ(answer("whoever@srs.wild.example"), "550 5.1.8");
  EXPECT_EQ(answer("whoever@x.srs.wild.example"), "all@target.example");
  const auto owner = planner();
  const auto made = owner->directory().senders().rewrite(
      house::mailbox("ann@sender.example"),
      {mail::MessageId(), std::string("192.0.2.1"), false, false, kNow});
  const auto back =
      owner->directory().resolve(mail::ForwardPath(made.reverse_path.mailbox()), kNow);
  ASSERT_TRUE(std::holds_alternative<ResolvedRecipient>(back));
  EXPECT_TRUE(std::get<ResolvedRecipient>(back).is_bounce);
  // Hosted by its own name, it has aliases beside.
  add("srs.wild.example", false, {{"info", "srs@target.example"}});
  EXPECT_EQ(answer("info@srs.wild.example"), "srs@target.example");
}

/// The host name below a wildcard has the wildcard's aliases, and the roles of a host name.
TEST_F(Wildcards, HaveTheRolesOfTheHostName) {
  config_.defaults.postmaster = house::mailbox("me@target.example");
  EXPECT_EQ(answer("info@mx.wild.example"), "wild@target.example");
  EXPECT_EQ(answer("MAILER-DAEMON@mx.wild.example"), "me@target.example");
  EXPECT_EQ(answer("postmaster@a.wild.example"), "me@target.example");
  EXPECT_EQ(answer("mailer-daemon@a.wild.example"), "550 5.1.1");
  EXPECT_EQ(answer("abuse@srs.wild.example"), "me@target.example");
}

TEST_F(Wildcards, AreNoDomainOfThePostmaster) {
  EXPECT_EQ(answer("postmaster"), "550 5.1.1");  // of the first that is a name
  config_.domains.pop_back();
  EXPECT_EQ(answer("postmaster"), "550 5.7.1");
}

/// Every guard that asks whether an author is one of ours agrees with what is forwarded.
TEST_F(Wildcards, AreHostedForTheGuards) {
  const auto strategy = house::strategy(config_);
  EXPECT_TRUE(strategy.identities().is_ours("a.b.wild.example"));
  EXPECT_FALSE(strategy.identities().is_ours("wild.example"));
  EXPECT_TRUE(strategy.identities().is_helo_near_hosted());
  const auto refusal = [&](const std::string& author) {
    return strategy
        .choose(house::spoof(author, mail::DmarcPolicy::Quarantine), {}, "target.example")
        .refusal.has_value();
  };
  EXPECT_TRUE(refusal("a.wild.example"));
  EXPECT_FALSE(refusal("elsewhere.example"));
  config_.rewrite_domain = house::domain("rewrite.wild.example");
  EXPECT_FALSE(Strategy::make(config_, house::organisation_of));
}

}  // namespace
}  // namespace relay::forward
