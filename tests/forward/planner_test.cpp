#include "relay/forward/planner.hpp"

#include <set>

#include <gtest/gtest.h>

#include "relay/base/text.hpp"
#include "relay/base/ulid.hpp"
#include "relay/forward/loop_guard.hpp"
#include "relay/forward/next_hop.hpp"
#include "relay/forward/policy.hpp"
#include "relay/forward/trace_header.hpp"
#include "tests/support/mailbox.hpp"

namespace relay::forward {
namespace {

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

using support::mailbox;

mail::Domain domain(const std::string& text) { return *mail::Domain::parse(text); }

Alias alias(const std::string& local, const std::vector<std::string>& targets) {
  Alias made{.local_part = local, .targets = {}, .reject = {}, .keep_tag = {}};
  for (const auto& target : targets) made.targets.push_back(mailbox(target));
  return made;
}

Policy house() {
  Policy s;
  s.hostname = "mx.example.org";
  HostedDomain ours{
      .name = domain("example.org"),
      .aliases = {alias("info", {"me@mail.example"}), alias("team", {"a@x.example", "b@y.example"}),
                  alias("all", {"team@example.org", "a@x.example"}),
                  alias("loop", {"pool@example.org"}), alias("pool", {"loop@example.org"})},
      .patterns = {{"(?P<p>[a-z]+)-support", {"support+${p}@mail.example"}}},
      .map_to = {}};
  Alias old = alias("old", {});
  old.reject = Rejection{550, {5, 1, 6}, "moved"};
  ours.aliases.push_back(old);
  Alias flat = alias("flat", {"me@mail.example"});
  flat.keep_tag = false;
  ours.aliases.push_back(flat);
  s.domains.push_back(ours);
  s.domains.push_back({.name = domain("mapped.example"),
                       .aliases = {},
                       .patterns = {},
                       .map_to = domain("there.example")});
  s.domains.push_back({.name = domain("any.example"),
                       .aliases = {alias("*", {"catch@mail.example"})},
                       .patterns = {},
                       .map_to = {}});
  s.srs.domain = domain("srs.example.org");
  s.srs.secrets.push_back({.id = "k", .secret = base::Secret("q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua")});
  return s;
}

class PlannerTest : public testing::Test {
 protected:
  Resolution resolve(const std::string& path) {
    return planner_->directory().resolve(*mail::parse_forward_path(path), kNow);
  }

  /// Targets joined by spaces, or the refusal.
  std::string answer(const std::string& path) {
    const auto found = resolve(path);
    std::string text;
    if (const auto* taken = std::get_if<ResolvedRecipient>(&found)) {
      for (const auto& target : taken->targets)
        text += (text.empty() ? "" : " ") + target.to_string();
      return text;
    }
    if (const auto* refused = std::get_if<Rejection>(&found)) {
      return std::to_string(refused->code) + ' ' + refused->status.to_string();
    }
    return "token";
  }

  static std::set<std::string> senders_of(const Plan& plan) {
    std::set<std::string> senders;
    for (const auto& route : plan.routes) senders.insert(route.reverse_path.to_string());
    return senders;
  }

  std::shared_ptr<const Planner> planner_ = *Planner::make(std::make_shared<const Policy>(house()));
};

TEST_F(PlannerTest, FollowsAliasesInTheirOrder) {
  EXPECT_EQ(answer("<info@example.org>"), "me@mail.example");
  EXPECT_EQ(answer("<INFO@Example.ORG>"), "me@mail.example");
  EXPECT_EQ(answer("<team@example.org>"), "a@x.example b@y.example");
  EXPECT_EQ(answer("<all@example.org>"), "a@x.example b@y.example");
  EXPECT_EQ(answer("<info+News@example.org>"), "me+News@mail.example");
  EXPECT_EQ(answer("<flat+news@example.org>"), "me@mail.example");
  EXPECT_EQ(answer("<shop-support@example.org>"), "support+shop@mail.example");
  EXPECT_EQ(answer("<Any.One@mapped.example>"), "Any.One@there.example");
  EXPECT_EQ(answer("<whoever@any.example>"), "catch@mail.example");
}

TEST_F(PlannerTest, RefusesWhatIsNotOurs) {
  EXPECT_EQ(answer("<nobody@example.org>"), "550 5.1.1");
  EXPECT_EQ(answer("<old@example.org>"), "550 5.1.6");
  EXPECT_EQ(answer("<loop@example.org>"), "550 5.4.6");
  EXPECT_EQ(answer("<x@elsewhere.example>"), "550 5.7.1");
}

/// Address forms that made other programs open relays.
TEST_F(PlannerTest, RelaysForNoForm) {
  for (const char* path :
       {"<victim%elsewhere.example@example.org>", "<elsewhere.example!victim@example.org>",
        "<\"victim@elsewhere.example\"@example.org>", "<victim@[127.0.0.1]>",
        "<victim@sub.example.org>", "<victim@xn--exmple-cua.org>", "<victim@localhost>",
        "<\"info@example.org\"@elsewhere.example>", "<info@example.org.elsewhere.example>",
        "<srs0=aaaaaaaa=74=elsewhere.example=victim@srs.example.org>",
        "<postmaster@srs.example.org>"}) {
    EXPECT_TRUE(answer(path).starts_with("550")) << path << ": " << answer(path);
    EXPECT_TRUE(answer(path).starts_with("550")) << path << ": " << answer(path);
  }
}

TEST_F(PlannerTest, RewritesForeignSendersAndTakesTheirBouncesBack) {
  const auto taken = std::get<ResolvedRecipient>(resolve("<team@example.org>"));
  const auto plan =
      planner_->plan({mail::MessageId(), *mail::parse_reverse_path("<Ann.B@Sender.example>"),
                      std::string("192.0.2.7"), kNow},
                     {taken}, std::nullopt);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->routes.size(), 2U);
  const std::string srs = plan->routes[0].reverse_path.to_string();
  EXPECT_TRUE(srs.starts_with("SRS0=")) << srs;
  EXPECT_TRUE(srs.ends_with("@srs.example.org")) << srs;
  EXPECT_EQ(answer('<' + srs + '>'), "Ann.B@Sender.example");
}

/// Rewriting is per copy, after the aliases are known.
TEST_F(PlannerTest, RewritesEveryCopyThatLeaves) {
  const auto sender = *mail::parse_reverse_path("<ann@sender.example>");
  const auto taken = std::get<ResolvedRecipient>(resolve("<all@example.org>"));
  EXPECT_EQ(taken.original.to_string(), "all@example.org");
  const auto plan = planner_->plan({mail::MessageId(), sender, std::string("192.0.2.7"), kNow},
                                   {taken}, std::nullopt);
  ASSERT_EQ(plan->routes.size(), 2U);
  for (const auto& route : plan->routes) {
    EXPECT_EQ(route.original.to_string(), "all@example.org");
    EXPECT_TRUE(senders_of(*plan).contains(route.reverse_path.to_string()));
  }
  EXPECT_EQ(senders_of(*plan).size(), 1U) << "one sender, one SRS address: one transaction";
}

/// Quoted local parts come back as they were; UTF-8 is stored, so that the address is ASCII
/// whatever the next hop offers.
TEST_F(PlannerTest, BringsQuotedAndUtf8SendersBack) {
  const auto taken = std::get<ResolvedRecipient>(resolve("<info@example.org>"));
  for (const char* sender : {"<\"a b\"@sender.example>", "<\"a@b=c\"@sender.example>",
                             "<\"q\\\"q\"@sender.example>", "<a=b+c@sender.example>"}) {
    const auto plan = planner_->plan(
        {mail::MessageId(), *mail::parse_reverse_path(sender), std::string("192.0.2.7"), kNow},
        {taken}, std::nullopt);
    const std::string address = plan->routes[0].reverse_path.to_string();
    EXPECT_TRUE(plan->tokens.empty()) << address;
    EXPECT_EQ('<' + answer('<' + address + '>') + '>', sender);
  }
  const auto plan =
      planner_->plan({mail::MessageId(), mail::ReversePath(mailbox("jürgen@sender.example")),
                      std::string("192.0.2.7"), kNow},
                     {taken}, std::nullopt);
  EXPECT_FALSE(plan->routes[0].reverse_path.mailbox().is_utf8());
  EXPECT_EQ(plan->tokens.at(0).reverse_path.to_string(), "jürgen@sender.example");
}

/// A client learns nothing from how it is refused.
TEST_F(PlannerTest, RefusesAllFailedSrsAddressesInTheSameWords) {
  const auto taken = std::get<ResolvedRecipient>(resolve("<info@example.org>"));
  const auto plan =
      planner_->plan({mail::MessageId(), mail::ReversePath(mailbox("ann@sender.example")),
                      std::string("192.0.2.7"), kNow},
                     {taken}, std::nullopt);
  const std::string good = plan->routes[0].reverse_path.to_string();
  std::string forged = good;
  forged.replace(forged.find("ann@"), 3, "bob");
  const auto expired = planner_->directory().resolve(*mail::parse_forward_path('<' + good + '>'),
                                                     kNow + std::chrono::days(60));
  const auto future = planner_->directory().resolve(*mail::parse_forward_path('<' + good + '>'),
                                                    kNow - std::chrono::days(60));
  const auto first = std::get<Rejection>(resolve('<' + forged + '>'));
  EXPECT_EQ(first.code, 550);
  EXPECT_TRUE(first.bad_bounce_address);
  std::vector<Resolution> others{expired, future};
  for (const char* address :
       {"SRS0=short@srs.example.org", "srst=x@srs.example.org", "nobody@srs.example.org"}) {
    others.push_back(resolve('<' + std::string(address) + '>'));
  }
  others.push_back(planner_->directory().resolve_token(
      *mail::parse_forward_path("<srst=x@srs.example.org>"), {}, kNow));
  for (const auto& other : others) {
    const auto& refused = std::get<Rejection>(other);
    EXPECT_EQ(refused.code, first.code);
    EXPECT_EQ(refused.status, first.status);
    EXPECT_EQ(refused.text, first.text);
    EXPECT_FALSE(refused.bad_bounce_address) << "who asks so does not guess at tags";
  }
}

TEST(Postmaster, OfTheSrsDomainIsReadWhereSomebodyReads) {
  auto with_postmaster = house();
  with_postmaster.defaults.postmaster = mailbox("ops@elsewhere.example");
  const auto planner = *Planner::make(std::make_shared<const Policy>(with_postmaster));
  const auto found =
      planner->directory().resolve(*mail::parse_forward_path("<PostMaster@srs.example.org>"), kNow);
  const auto* taken = std::get_if<ResolvedRecipient>(&found);
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(taken->targets.front().to_string(), "ops@elsewhere.example");
  EXPECT_FALSE(taken->is_bounce);
}

/// A domain that is forwarded publishes an SPF record of its mail provider, which is not us.
TEST_F(PlannerTest, LeavesTheNullSenderAloneAndNobodyElse) {
  const auto taken = std::get<ResolvedRecipient>(resolve("<info@example.org>"));
  const auto leaves = [&](const char* sender) {
    return planner_
        ->plan(
            {mail::MessageId(), *mail::parse_reverse_path(sender), std::string("192.0.2.7"), kNow},
            {taken}, std::nullopt)
        ->routes[0]
        .reverse_path.to_string();
  };
  EXPECT_EQ(leaves("<>"), "");
  for (const char* sender : {"<ann@example.org>", "<root@mx.example.org>"}) {
    const std::string address = leaves(sender);
    EXPECT_TRUE(address.ends_with("@srs.example.org")) << address;
  }
}

/// A message is sent under an address that was made for a copy.
TEST_F(PlannerTest, KnowsWhomASenderInItsSrsDomainStandsFor) {
  const auto taken = std::get<ResolvedRecipient>(resolve("<info@example.org>"));
  const auto plan =
      planner_->plan({mail::MessageId(), mail::ReversePath(mailbox("ann@sender.example")),
                      std::string("192.0.2.7"), kNow},
                     {taken}, std::nullopt);
  const mail::ReversePath& made = plan->routes[0].reverse_path;
  const auto behind = [&](const mail::ReversePath& sender, std::chrono::days later = {}) {
    const auto found = planner_->directory().sender_behind(sender, kNow + later);
    if (!found) return std::to_string(found.error().code) + ' ' + found.error().text;
    return std::get<mail::ReversePath>(found->sender).to_string();
  };
  EXPECT_EQ(behind(made), "ann@sender.example");
  const std::string refused = "550 The sender is an address of this host";
  EXPECT_EQ(behind(made, std::chrono::days(60)), refused);
  EXPECT_EQ(behind(mail::ReversePath(mailbox("anything@srs.example.org"))), refused);
  // Every other sender stands for itself.
  EXPECT_EQ(behind(mail::ReversePath(mailbox("ann@sender.example"))), "ann@sender.example");
  EXPECT_EQ(behind(mail::ReversePath::null()), "");
}

/// A host with a single domain forwards it and makes its SRS addresses in it.
TEST(OneDomain, ForSrsAndAliasesKeepsTheirSendersApart) {
  auto settings = house();
  settings.srs.domain = domain("example.org");
  const auto planner = *Planner::make(std::make_shared<const Policy>(settings));
  const mail::ReversePath colleague(mailbox("info@example.org"));
  EXPECT_FALSE(planner->directory().is_srs_sender(colleague))
      << "a colleague, not an address made for a copy";
  const auto taken = std::get<ResolvedRecipient>(
      planner->directory().resolve(*mail::parse_forward_path("<info@example.org>"), kNow));
  const auto plan = planner->plan({mail::MessageId(), colleague, std::string("192.0.2.7"), kNow},
                                  {taken}, std::nullopt);
  ASSERT_EQ(plan->tokens.size(), 1U);
  const mail::ReversePath& made = plan->routes[0].reverse_path;
  EXPECT_TRUE(planner->directory().is_srs_sender(made));
  const auto back =
      planner->directory().resolve_token(mail::ForwardPath(made.mailbox()), colleague, kNow);
  const auto* found = std::get_if<ResolvedRecipient>(&back);
  ASSERT_NE(found, nullptr) << "his bounce finds him";
  EXPECT_TRUE(found->is_bounce);
  const auto round =
      planner->directory().resolve_token(mail::ForwardPath(made.mailbox()), made, kNow);
  EXPECT_TRUE(std::holds_alternative<Rejection>(round)) << "never in a circle";
}

/// "root@localhost" and the like: the mail is wanted, and the sender cannot be answered.
TEST_F(PlannerTest, AMessageWhoseSenderNobodyCanAnswerLeavesUnderItsOwnAddress) {
  const auto taken = std::get<ResolvedRecipient>(resolve("<info@example.org>"));
  const auto id = base::Ulid::generate(kNow);
  const auto leaves = [&](const mail::ReversePath& sender) {
    auto plan = planner_->plan({id, sender, std::string("192.0.2.7"), kNow}, {taken}, std::nullopt);
    EXPECT_TRUE(plan->tokens.empty()) << "nothing is stored";
    return plan->routes[0].reverse_path;
  };
  for (const char* sender : {"<root@localhost>", "<cron@[192.0.2.1]>", "<x@[IPv6:2001:db8::1]>"}) {
    const mail::ReversePath made = leaves(*mail::parse_reverse_path(sender));
    EXPECT_TRUE(made.to_string().starts_with("srsm=")) << sender;
    const auto back = planner_->directory().resolve(mail::ForwardPath(made.mailbox()), kNow);
    const auto* ends = std::get_if<ResolvedRecipient>(&back);
    ASSERT_NE(ends, nullptr);
    EXPECT_TRUE(ends->is_bounce);
    EXPECT_TRUE(ends->targets.empty());
    EXPECT_EQ(ends->copies(), 1U) << "taken, and thrown away";
    EXPECT_EQ(ends->rule, "srs, sender of message " + id.to_string());
    // It comes back to us as a sender: it is wrapped anew, in that form.
    const auto other = base::Ulid::generate(kNow + std::chrono::seconds(1));
    EXPECT_EQ(std::get<mail::ReversePath>(planner_->directory().sender_behind(made, kNow)->sender),
              made);
    const auto again =
        planner_->plan({other, made, std::string("192.0.2.7"), kNow}, {taken}, std::nullopt);
    const auto address = again->routes[0].reverse_path.to_string();
    EXPECT_TRUE(address.starts_with("srsm=")) << address;
    EXPECT_NE(address, made.to_string());
  }
  EXPECT_TRUE(
      leaves(*mail::parse_reverse_path("<ann@sender.example>")).to_string().starts_with("SRS0="));
}

TEST_F(PlannerTest, ASenderThatMayNotBeStoredIsGivenUp) {
  const auto taken = std::get<ResolvedRecipient>(resolve("<all@example.org>"));
  const auto id = base::Ulid::generate(kNow);
  const mail::ReversePath sender(mailbox(std::string(60, 'a') + "@long.sender.example"));
  auto plan = planner_->plan({id, sender, std::string("192.0.2.7"), kNow}, {taken}, std::nullopt);
  ASSERT_EQ(plan->tokens.size(), 1U);
  EXPECT_EQ(plan->tokens[0].counted_under, "192.0.2.0/24") << "nobody has proven it";
  EXPECT_EQ(plan->tokens[0].most, 1000);
  planner_->give_up_sender(*plan, {id, sender, std::string("192.0.2.7"), kNow}, std::nullopt);
  EXPECT_TRUE(plan->tokens.empty());
  ASSERT_EQ(plan->routes.size(), 2U);
  for (const mail::Route& route : plan->routes)
    EXPECT_TRUE(route.reverse_path.to_string().starts_with("srsm=")) << "and alike";
}

/// A customer with an IPv6 /48 has 65,536 networks.
TEST_F(PlannerTest, AStoredSenderIsCountedForTheWiderNetworkToo) {
  const auto taken = std::get<ResolvedRecipient>(resolve("<all@example.org>"));
  const mail::ReversePath sender(mailbox(std::string(60, 'a') + "@long.sender.example"));
  const auto plan = planner_->plan(
      {mail::MessageId(), sender, std::string("2001:db8:1:2::7"), kNow}, {taken}, std::nullopt);
  ASSERT_EQ(plan->tokens.size(), 1U);
  EXPECT_EQ(plan->tokens[0].counted_under, "2001:db8:1:2::/64");
  EXPECT_EQ(plan->tokens[0].counted_wider, "2001:db8:1::/48");
}

TEST_F(PlannerTest, StoresSendersThatDoNotFit) {
  const auto taken = std::get<ResolvedRecipient>(resolve("<info@example.org>"));
  for (const std::string& sender :
       {std::string(60, 'a') + "@long.sender.example", std::string("jürgen@sender.example")}) {
    const auto plan = planner_->plan(
        {mail::MessageId(), mail::ReversePath(mailbox(sender)), std::string("192.0.2.77"), kNow},
        {taken}, std::nullopt);
    ASSERT_EQ(plan->tokens.size(), 1U);
    EXPECT_EQ(plan->tokens[0].counted_under, "192.0.2.0/24");
    EXPECT_EQ(plan->tokens[0].lives_for, std::chrono::days(12));
    const std::string path = '<' + plan->routes[0].reverse_path.to_string() + '>';
    const auto found = resolve(path);
    ASSERT_TRUE(std::holds_alternative<TokenLookup>(found));
    EXPECT_EQ(std::get<TokenLookup>(found).token, plan->tokens[0].token);
  }
}

/// A proven sender has the quota of its domain, not that of its network.
TEST_F(PlannerTest, CountsStoredSendersOfAProvenDomainUnderThatDomain) {
  const auto taken = std::get<ResolvedRecipient>(resolve("<info@example.org>"));
  Evidence known;
  known.sender = mail::ReversePath(mailbox(std::string(60, 'a') + "@Long.Sender.example"));
  known.verdicts.mail_from = {.result = mail::SpfResult::Pass, .domain = "long.sender.example"};
  known.verdicts.dmarc = {
      .result = mail::DmarcResult::Pass, .from_domain = "long.sender.example", .spf_aligned = true};
  const auto token_of = [&](const Evidence& evidence) {
    const auto plan = planner_->plan(
        {mail::MessageId(), evidence.sender, std::string("192.0.2.77"), kNow}, {taken}, evidence);
    return plan->tokens.at(0);
  };
  const mail::SenderToken proven = token_of(known);
  EXPECT_EQ(proven.counted_under, "domain long.sender.example");
  EXPECT_EQ(proven.most, 100'000);
  EXPECT_EQ(proven.counted_wider, "");
  known.verdicts.mail_from.result = mail::SpfResult::SoftFail;
  known.verdicts.dmarc = {.result = mail::DmarcResult::None, .from_domain = "long.sender.example"};
  const mail::SenderToken unproven = token_of(known);
  EXPECT_EQ(unproven.counted_under, "192.0.2.0/24");
  EXPECT_EQ(unproven.most, 1'000);
}

TEST(NextHopTable, PrefersTheMoreExactRoute) {
  const NextHopTable table(
      {{"*.corp.example", {{.host = "below.example", .tls = {mail::TlsLevel::Verify, {}}}}},
       {"a.corp.example", {{.host = "exact.example", .port = 26, .tls = {}}}},
       {"*", {{.host = "192.0.2.1", .port = 2526, .tls = {mail::TlsLevel::Never, {}}}}}});
  EXPECT_EQ(table.match("a.corp.example")->front().host, "exact.example");
  EXPECT_EQ(table.match("x.b.corp.example")->front().host, "below.example");
  EXPECT_EQ(table.match("corp.example")->front().host, "192.0.2.1");
  EXPECT_FALSE(NextHopTable({}).match("example.org"));
}

TEST(LoopGuard, CountsHopsAndKnowsItself) {
  const LoopGuard guard("mx.example.org");
  std::string block;
  // RFC 5321 §6.3: at least 100.
  for (int i = 0; i < 100; ++i) block += "Received: from a by b; date\r\n";
  EXPECT_FALSE(guard.check(mail::Header(block)));
  EXPECT_TRUE(guard.check(mail::Header(block + "received: one more\r\n")));
  EXPECT_TRUE(LoopGuard("mx.example.org", 99).check(mail::Header(block)));
  EXPECT_FALSE(
      LoopGuard("mx.example.org", 101).check(mail::Header(block + "received: one more\r\n")));
  const std::string own = received_field(mail::Client{"192.0.2.1", 1, "x", false, "", ""},
                                         "mx.example.org", mail::MessageId(), false, nullptr, kNow);
  EXPECT_FALSE(guard.check(mail::Header(own + "Subject: by mx.example.org (srs-relay)\r\n")));
  EXPECT_TRUE(guard.check(mail::Header(own + own)));
  EXPECT_FALSE(LoopGuard("mx.example.orgx").check(mail::Header(own + own)));
}

TEST(TraceHeader, SaysWhoCameHowAndWhen) {
  mail::Client client{.address = "2001:db8::1",
                      .port = 1,
                      .helo = "ev(il;\x01",
                      .esmtp = true,
                      .tls_version = "TLSv1.3",
                      .tls_cipher = "TLS_AES_256_GCM_SHA384"};
  EXPECT_EQ(received_field(client, "mx.example.org", mail::MessageId(), false, nullptr, kNow),
            "Received: from ev?il?? ([IPv6:2001:db8::1])\r\n"
            "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\r\n"
            "\tby mx.example.org (srs-relay) with ESMTPS id 00000000000000000000000000;\r\n"
            "\tTue, 24 Nov 2026 06:00:00 +0000\r\n");
}

TEST(TraceHeader, NamesTheOneRecipient) {
  const auto field_for = [](const char* path) {
    const auto only = *mail::parse_forward_path(path);
    return received_field(mail::Client{"192.0.2.1", 1, "x", true, "", ""}, "mx.example.org",
                          mail::MessageId(), false, &only, kNow);
  };
  const std::string id = "id 00000000000000000000000000";
  const std::string date = ";\r\n\tTue, 24 Nov 2026 06:00:00 +0000\r\n";
  EXPECT_TRUE(
      field_for("<Info+x@Example.org>").ends_with(id + "\r\n\tfor <Info+x@Example.org>" + date));
  EXPECT_TRUE(field_for("<\"a b\"@x.example>").ends_with("for <\"a b\"@x.example>" + date));
  // An address without domain is no path, and UTF-8 would need SMTPUTF8 at the next hop.
  EXPECT_TRUE(field_for("<postmaster>").ends_with(id + date));
  EXPECT_TRUE(field_for("<j\u00fcrgen@x.example>").ends_with(id + date));
}

/// Any name is taken; none may look like a part of the field, above all like the client's address.
TEST(TraceHeader, HasTheNameAsAnAtomOrADomain) {
  const auto from = [](const std::string& helo) {
    const std::string field =
        received_field(mail::Client{"192.0.2.1", 1, helo, true, "", ""}, "mx.example.org",
                       mail::MessageId(), false, nullptr, kNow);
    EXPECT_EQ(field.find(" ([192.0.2.1])\r\n"), field.find("\r\n") - 14) << field;
    return field.substr(15, field.find(" ([") - 15);
  };
  EXPECT_EQ(from("mx.sender.example"), "mx.sender.example");
  EXPECT_EQ(from("[IPv6:2001:db8::1]"), "[IPv6:2001:db8::1]");
  EXPECT_EQ(from("my pc"), "my?pc");
  EXPECT_EQ(from("(none)"), "?none?");
  EXPECT_EQ(from("[::1]"), "?::1?");
  EXPECT_EQ(from("a\"b<c>@d,e"), "a?b?c??d?e");
  EXPECT_EQ(from("x ([203.0.113.9])"), "x???203.0.113.9??");
  EXPECT_EQ(from("x by mx.example.org (srs-relay)"), "x?by?mx.example.org??srs-relay?");
  EXPECT_EQ(from("ann's-pc"), "ann's-pc");
}

}  // namespace
}  // namespace relay::forward
