// The planner with evidence: what the strategy chose arrives in routes, tokens and replies.
#include <gmock/gmock.h>

#include "relay/forward/planner.hpp"
#include "relay/mail/header.hpp"
#include "tests/forward/house.hpp"

namespace relay::forward {
namespace {

using mail::DmarcPolicy;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

Alias alias(const std::string& local, const std::vector<std::string>& targets) {
  Alias made{.local_part = local};
  for (const auto& target : targets) made.targets.push_back(house::mailbox(target));
  return made;
}

Policy two_domains() {
  auto config = house::policy();
  config.defaults.dmarc.quarantine = Quarantine::Tag;
  config.risk.tag = "X-Doubt: yes";
  auto& hosted = config.domains.front();
  hosted.aliases = {alias("info", {"me@target.example"}),
                    alias("many", {"a@target.example", "b@a.believes.example", "c@target.example",
                                   "d@plain.example"}),
                    alias("chain", {"held@second.example"}), alias("open", {"me@target.example"})};
  hosted.aliases.back().dmarc.on_dmarc_fail = OnDmarcFail::Forward;
  hosted.patterns = {{"p-.*", {"me@target.example"}}};
  HostedDomain second{.name = house::domain("second.example"),
                      .aliases = {alias("held", {"me@target.example"})},
                      .patterns = {{"p-.*", {"me@target.example"}}},
                      .map_to = house::domain("target.example")};
  second.dmarc.on_dmarc_fail = OnDmarcFail::Hold;
  config.domains.push_back(second);
  return config;
}

class StrategyPlan : public testing::Test {
 protected:
  ResolvedRecipient recipient(const std::string& address) {
    return std::get<ResolvedRecipient>(
        planner_->directory().resolve(*mail::parse_forward_path('<' + address + '>'), kNow));
  }

  std::expected<Plan, Rejection> plan(const std::string& address, const Evidence& evidence) {
    return planner_->plan({mail::MessageId(), evidence.sender, std::string("192.0.2.7"), kNow},
                          {recipient(address)}, evidence);
  }

  std::shared_ptr<const Planner> planner_ =
      *Planner::make(std::make_shared<const Policy>(two_domains()), house::organisation_of);
};

TEST_F(StrategyPlan, EveryCopyGoesTheWayItsTargetWants) {
  Evidence known = house::evidence();
  known.verdicts.dkim.clear();
  known.verdicts.dmarc.dkim_aligned = false;
  const auto made = plan("many@hosted.example", known);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->routes.size(), 4U);
  std::vector<bool> sealed;
  for (const mail::Route& route : made->routes) {
    sealed.push_back(route.handling.seal);
    EXPECT_EQ(route.reverse_path, made->routes.front().reverse_path)
        << "one sender, one SRS address";
    EXPECT_FALSE(route.handling.risk_pool);
    EXPECT_THAT(route.handling.reason, testing::HasSubstr("proven by SPF only"));
  }
  EXPECT_EQ(sealed, (std::vector{true, true, true, false}));
  EXPECT_EQ(made->choices.size(), 3U) << "as many as there are different wishes";
  EXPECT_EQ(made->signed_by, "relay.example");
  EXPECT_TRUE(made->routes.front().reverse_path.to_string().starts_with("SRS0="));
}

/// Unproven mail may have SRS addresses in a domain of its own, whose bounces come back as well.
TEST_F(StrategyPlan, DoubtfulMailHasItsOwnSrsDomain) {
  auto config = two_domains();
  config.risk.srs_domain = house::domain("doubt.example");
  const auto planner =
      *Planner::make(std::make_shared<const Policy>(config), house::organisation_of);
  const auto sender_of = [&](const Evidence& evidence) {
    const auto made =
        planner->plan({mail::MessageId(), evidence.sender, std::string("192.0.2.7"), kNow},
                      {recipient("info@hosted.example")}, evidence);
    EXPECT_TRUE(made);
    const mail::ReversePath& left = made->routes.front().reverse_path;
    const auto back = planner->directory().resolve(mail::ForwardPath(left.mailbox()), kNow);
    EXPECT_TRUE(std::get<ResolvedRecipient>(back).is_bounce);
    EXPECT_TRUE(planner->directory().is_srs_sender(left));
    return left.mailbox().domain().folded();
  };
  Evidence proven = house::evidence();
  proven.egress_spf.reset();
  EXPECT_EQ(sender_of(proven), config.srs.domain->folded());
  const Evidence doubtful = house::spoof("author.example", DmarcPolicy::None);
  EXPECT_EQ(sender_of(doubtful), "doubt.example");
  const Choice choice = planner->strategy().choose(doubtful, {}, "target.example");
  EXPECT_EQ(choice.prediction().spf_domain, "doubt.example") << "as it is predicted";
}

/// A gateway took it from a client that we would have refused, verified or not.
TEST_F(StrategyPlan, MailOfAnUnwelcomeClientIsDoubtfulEvenIfItsAuthorIsProven) {
  auto config = two_domains();
  config.risk.srs_domain = house::domain("doubt.example");
  config.domains.front().aliases.front().dmarc.rewrite_from = RewriteFrom::WhenNeeded;
  const auto planner =
      *Planner::make(std::make_shared<const Policy>(config), house::organisation_of);
  const auto plan_of = [&](const Evidence& known, bool is_verified) {
    Incoming message{mail::MessageId(), known.sender, std::string("192.0.2.7"), kNow};
    message.late = LateRefusal::Risk;
    if (known.unwelcome) message.unwelcome = "listed";
    const auto to =
        planner->directory().resolve(*mail::parse_forward_path("<info@hosted.example>"), kNow);
    return *planner->plan(message, {std::get<ResolvedRecipient>(to)},
                          is_verified ? std::optional(known) : std::nullopt);
  };
  const auto leaves_from = [](const Plan& plan) {
    return plan.routes.front().reverse_path.mailbox().domain().folded();
  };
  Evidence known = house::evidence();
  known.verdicts.dkim.clear();  // SPF alone, p=reject: From would be rewritten
  known.verdicts.dmarc.dkim_aligned = false;
  const Plan welcome = plan_of(known, true);
  EXPECT_EQ(welcome.signed_by, "relay.example");
  EXPECT_EQ(leaves_from(welcome), "srs.relay.example");
  EXPECT_TRUE(welcome.new_author);
  known.unwelcome = true;
  const Plan plan = plan_of(known, true);
  EXPECT_EQ(plan.signed_by, "");
  EXPECT_EQ(leaves_from(plan), "doubt.example");
  EXPECT_TRUE(plan.routes.front().handling.risk_pool);
  EXPECT_FALSE(plan.new_author) << "our own name as its author would vouch for it";
  EXPECT_EQ(plan.choices.front().prediction().spf_domain, "doubt.example") << "as it is predicted";
  EXPECT_EQ(plan.choices.front().prediction().signed_by, "");
  EXPECT_EQ(leaves_from(plan_of(known, false)), "doubt.example");
  // When the sender may not be stored, its replacement is of the same domain.
  Incoming message{mail::MessageId(), known.sender, std::string("192.0.2.7"), kNow};
  message.unwelcome = "listed";
  for (const bool is_verified : {true, false}) {
    Plan given_up = plan_of(known, is_verified);
    planner->give_up_sender(given_up, message, is_verified ? std::optional(known) : std::nullopt);
    EXPECT_EQ(leaves_from(given_up), "doubt.example");
  }
}

TEST_F(StrategyPlan, RefusesTagsAndHoldsAsAWhole) {
  const Evidence reject = house::spoof("author.example", DmarcPolicy::Reject);
  const auto refused = plan("info@hosted.example", reject);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, 550);
  const auto tagged =
      plan("info@hosted.example", house::spoof("author.example", DmarcPolicy::Quarantine));
  ASSERT_TRUE(tagged);
  EXPECT_EQ(tagged->tag_field, "X-Doubt: yes\r\n");
  EXPECT_FALSE(tagged->routes.front().handling.risk_pool);
  const auto held = plan("held@second.example", reject);
  ASSERT_TRUE(held);
  EXPECT_TRUE(held->hold);
  EXPECT_TRUE(held->routes.front().handling.risk_pool);
  EXPECT_EQ(held->tag_field, "");
  const auto forwarded = plan("open@hosted.example", reject);
  ASSERT_TRUE(forwarded);
  EXPECT_FALSE(forwarded->hold);
}

/// Alias over domain over defaults; in a chain, the first alias decides.
TEST_F(StrategyPlan, SettingsComeFromTheFirstAliasOnTheWay) {
  const std::vector<std::pair<std::string, OnDmarcFail>> table{
      {"info@hosted.example", OnDmarcFail::Policy},  {"open@hosted.example", OnDmarcFail::Forward},
      {"chain@hosted.example", OnDmarcFail::Policy}, {"held@second.example", OnDmarcFail::Hold},
      {"p-1@hosted.example", OnDmarcFail::Policy},   {"p-1@second.example", OnDmarcFail::Hold},
      {"any@second.example", OnDmarcFail::Hold}};
  for (const auto& [address, on_fail] : table) {
    const DmarcSettings dmarc = recipient(address).dmarc;
    EXPECT_EQ(dmarc.on_dmarc_fail, on_fail) << address;
    EXPECT_EQ(dmarc.quarantine, Quarantine::Tag) << address;
  }
  EXPECT_FALSE(recipient("info@hosted.example").dmarc == recipient("open@hosted.example").dmarc);
}

TEST_F(StrategyPlan, NullSendersStayNullAndMakeNoToken) {
  Evidence known = house::evidence();
  known.sender = mail::ReversePath::null();
  const auto made = plan("info@hosted.example", known);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->routes.front().reverse_path.is_null());
  EXPECT_TRUE(made->tokens.empty());
}

TEST_F(StrategyPlan, TokensAreMadeOnceAndOnlyWhereTheSenderIsRewritten) {
  Evidence known = house::evidence();
  known.sender = mail::ReversePath(house::mailbox(std::string(60, 'a') + "@author.example"));
  EXPECT_EQ(plan("many@hosted.example", known)->tokens.size(), 1U);
  known.egress_spf = mail::SpfResult::Pass;
  const auto kept = plan("many@hosted.example", known);
  EXPECT_TRUE(kept->tokens.empty());
  EXPECT_EQ(kept->routes.front().reverse_path, known.sender);
}

TEST_F(StrategyPlan, TheSameAuthorHasTheSameNewAddress) {
  const std::string header = "From: Ann <ann@author.example>\r\n";
  const auto rewritten = [&](const std::string& block) {
    return planner_->rewritten_header(mail::Header(block), house::domain("hosted.example"));
  };
  const auto first = rewritten(header);
  const auto second = rewritten("Subject: x\r\n" + header);
  const auto other = rewritten("From: Bob <bob@author.example>\r\n");
  ASSERT_TRUE(first && second && other);
  const auto address = [](const std::string& text) {
    const std::size_t start = text.find("<fwd-");
    return text.substr(start, text.find('>', start) - start);
  };
  EXPECT_EQ(address(*first), address(*second));
  EXPECT_NE(address(*first), address(*other));
  EXPECT_TRUE(address(*first).ends_with("@rewritten.example")) << *first;
}

TEST_F(StrategyPlan, WithoutVerificationEverythingIsAsEver) {
  const auto made =
      planner_->plan({mail::MessageId(), *mail::parse_reverse_path("<ann@author.example>"),
                      std::string("192.0.2.7"), kNow},
                     {recipient("many@hosted.example")}, std::nullopt);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->choices.empty());
  for (const mail::Route& route : made->routes) {
    EXPECT_TRUE(route.reverse_path.to_string().starts_with("SRS0="));
    EXPECT_FALSE(route.handling.seal || route.handling.risk_pool);
  }
}

}  // namespace
}  // namespace relay::forward
