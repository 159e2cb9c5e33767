#include "relay/delivery/mx_selection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

namespace relay::delivery {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class MxSelectionTest : public testing::Test {
 protected:
  std::expected<HostList, Unroutable> ask(const std::string& zone, Destination destination) {
    fakes::FakeResolver resolver(clock_, zone);
    MxSelection selection(resolver, clock_);
    std::optional<std::expected<HostList, Unroutable>> answer;
    boost::asio::io_context io;
    auto done = boost::asio::co_spawn(
        io,
        support::keep_result(selection.hosts(std::move(destination),
                                             std::make_shared<const Policy>(policy_), kWithin),
                             answer),
        boost::asio::use_future);
    io.poll();
    if (!answer) clock_.run_for(io, kWithin);  // some of the DNS is silent
    done.get();
    return *answer;
  }

  static constexpr std::chrono::seconds kWithin{30};

  std::expected<HostList, Unroutable> ask(const std::string& zone,
                                          const std::string& domain = "d.example",
                                          bool risk_pool = false) {
    return ask(zone, Destination{.lane = {domain, risk_pool}, .hops = {}});
  }

  static std::vector<std::string> hosts(const std::expected<HostList, Unroutable>& answer) {
    std::vector<std::string> all;
    if (!answer) return {"error " + answer.error().attempt.status.to_string()};
    for (const auto& one : answer->hosts) {
      all.push_back(one.host + ' ' + one.endpoint.address.to_string());
    }
    return all;
  }

  fakes::FakeClock clock_;
  Policy policy_ = Policy(*mail::Domain::parse("mx.fwd.example"));
};

TEST_F(MxSelectionTest, GoesByPreference) {
  EXPECT_THAT(hosts(ask("d.example MX 20 b.example\nd.example MX 10 a.example\n"
                        "a.example A 192.0.2.1\nb.example A 192.0.2.2\n")),
              ElementsAre("a.example 192.0.2.1", "b.example 192.0.2.2"));
}

/// Doubtful mail never borrows an ordinary address, not even where the pool has none of the family.
TEST_F(MxSelectionTest, TheRiskPoolUsesItsOwnSourcesOnly) {
  const std::string zone =
      "d.example MX 10 a.example\na.example A 192.0.2.1\na.example AAAA 2001:db8::1\n"
      "six.example MX 10 b.example\nb.example AAAA 2001:db8::2\n";
  const auto own = boost::asio::ip::make_address("203.0.113.1");
  const auto doubtful = boost::asio::ip::make_address("203.0.113.9");
  policy_.source_v4 = own;
  ASSERT_TRUE(ask(zone, "d.example", true));
  EXPECT_EQ(ask(zone, "d.example", true)->hosts.size(), 2U)
      << "without addresses of its own: as all mail";
  policy_.risk.source_v4 = doubtful;
  const auto chosen = ask(zone, "d.example", true);
  EXPECT_THAT(hosts(chosen), ElementsAre("a.example 192.0.2.1"));
  EXPECT_EQ(chosen->hosts.front().source, doubtful);
  const auto none = ask(zone, "six.example", true);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, mail::OutcomeKind::Deferred) << "a setting can mend it";
  EXPECT_THAT(none.error().attempt.text, HasSubstr("risk pool has no address"));
  const auto ordinary = ask(zone);
  ASSERT_EQ(ordinary->hosts.size(), 2U);
  for (const auto& one : ordinary->hosts) {
    if (one.endpoint.address.is_v4()) EXPECT_EQ(one.source, own);
    if (one.endpoint.address.is_v6()) EXPECT_FALSE(one.source);
  }
}

/// Every lookup gives the same list, and so the same group; the order of trying is decided later.
TEST_F(MxSelectionTest, TheSameRecordsMakeTheSameKeysInWhateverOrderTheyCome) {
  const std::string addresses = "a.example A 192.0.2.1\nb.example A 192.0.2.2\n";
  const auto one = ask("d.example MX 10 a.example\nd.example MX 10 b.example\n" + addresses);
  const auto other = ask("d.example MX 10 b.example\nd.example MX 10 a.example\n" + addresses);
  EXPECT_EQ(one->key, other->key);
  EXPECT_EQ(one->group, other->group);
  EXPECT_EQ(one->hosts[0].preference, one->hosts[1].preference);
  const auto reversed = ask("d.example MX 20 a.example\nd.example MX 10 b.example\n" + addresses);
  EXPECT_NE(one->group, reversed->group) << "the order of preference is part of it";
}

TEST_F(MxSelectionTest, WhatLeavesInAnotherWayIsAnotherGroup) {
  const std::string zone = "d.example MX 10 a.example\na.example A 192.0.2.1\n";
  const auto plain = ask(zone)->group;
  EXPECT_NE(ask(zone, "d.example", true)->group, plain) << "the pool";
  policy_.source_v4 = boost::asio::ip::make_address("203.0.113.1");
  EXPECT_NE(ask(zone)->group, plain) << "the source address";
  const Destination checked{.lane = {"d.example", false},
                            .hops = {{"a.example", 25, {.level = mail::TlsLevel::Verify}}}};
  const Destination open{.lane = {"d.example", false}, .hops = {{"a.example", 25, {}}}};
  EXPECT_NE(ask(zone, checked)->group, ask(zone, open)->group) << "the TLS demand";
}

TEST_F(MxSelectionTest, AProviderRollsUpTheHostsOfItsTenants) {
  policy_.providers = std::make_shared<const forward::ProviderTable>(
      std::vector<forward::Provider>{{"big", {"mail.big.example"}}});
  const auto one = ask("d.example MX 10 d.mail.big.example\nd.mail.big.example A 192.0.2.1\n");
  const auto other =
      ask("e.example MX 10 e.mail.big.example\ne.mail.big.example A 192.0.2.2\n", "e.example");
  EXPECT_EQ(one->group, other->group);
  EXPECT_EQ(one->provider, "big");
  EXPECT_NE(one->key, other->key) << "an outage of one is none of the other";
}

TEST_F(MxSelectionTest, AListIsUsedAsLongAsItsRecordsLive) {
  const auto list =
      ask("d.example MX 10 a.example\nd.example TTL 60\n"
          "a.example A 192.0.2.1\na.example TTL 90\n");
  EXPECT_EQ(list->valid_until, clock_.steady() + std::chrono::seconds(60));
  const auto partly =
      ask("d.example MX 10 a.example\nd.example MX 20 b.example\n"
          "a.example SERVFAIL\nb.example A 192.0.2.2\n");
  EXPECT_EQ(partly->valid_until, clock_.steady() + MxSelection::kAskAgain)
      << "the better host may be known again soon";
}

TEST_F(MxSelectionTest, KeepsWhatDnssecProved) {
  const auto secure =
      ask("d.example MX 10 a.example\nd.example SECURE\n"
          "a.example A 192.0.2.1\na.example SECURE\n");
  EXPECT_TRUE(secure->hosts[0].secure);
  EXPECT_FALSE(
      ask("d.example MX 10 a.example\na.example A 192.0.2.1\na.example SECURE\n")->hosts[0].secure);
}

/// RFC 7672 §2.2.2: if no record led to the host, only its addresses must be proven.
TEST_F(MxSelectionTest, AHostThatNoRecordNamesIsAsSecureAsItsAddresses) {
  const std::string zone = "d.example A 192.0.2.7\n";
  EXPECT_FALSE(ask(zone)->hosts[0].secure);
  EXPECT_TRUE(ask(zone + "d.example SECURE\n")->hosts[0].secure);
  const Destination route{.lane = {"x.example", false}, .hops = {{"d.example", 25, {}}}};
  EXPECT_FALSE(ask(zone, route)->hosts[0].secure);
  EXPECT_TRUE(ask(zone + "d.example SECURE\n", route)->hosts[0].secure);
  EXPECT_FALSE(ask("", "[192.0.2.9]")->hosts[0].secure) << "DNSSEC says nothing of addresses";
}

/// RFC 5321 §5.1: without MX the domain itself; with a null MX nobody (RFC 7505).
TEST_F(MxSelectionTest, FallsBackToAddressesAndRespectsTheNullMx) {
  EXPECT_THAT(hosts(ask("d.example A 192.0.2.7\n")), ElementsAre("d.example 192.0.2.7"));
  const auto null_mx = ask("d.example MX 0 .\nd.example A 192.0.2.7\n");
  ASSERT_FALSE(null_mx);
  EXPECT_EQ(null_mx.error().kind, mail::OutcomeKind::Failed);
  EXPECT_EQ(null_mx.error().attempt.code, 556);
  EXPECT_EQ(null_mx.error().attempt.status, (mail::EnhancedStatus{5, 1, 10}));
}

TEST_F(MxSelectionTest, FollowsACname) {
  EXPECT_THAT(hosts(ask("d.example CNAME real.example\nreal.example MX 10 a.example\n"
                        "a.example A 192.0.2.1\n")),
              ElementsAre("a.example 192.0.2.1"));
}

TEST_F(MxSelectionTest, MixesFamiliesAndIsBounded) {
  EXPECT_THAT(hosts(ask("d.example MX 10 a.example\na.example A 192.0.2.1\na.example A 192.0.2.2\n"
                        "a.example AAAA 2001:db8::1\na.example AAAA 2001:db8::2\n")),
              ElementsAre("a.example 2001:db8::1", "a.example 192.0.2.1", "a.example 2001:db8::2",
                          "a.example 192.0.2.2"));
  std::string many;
  for (int i = 1; i < 30; ++i) {
    many += "d.example MX " + std::to_string(i) + " m" + std::to_string(i) + ".example\n";
    many += "m" + std::to_string(i) + ".example A 192.0.2." + std::to_string(i) + "\n";
  }
  EXPECT_EQ(ask(many)->hosts.size(), MxSelection::kMaxAddresses);
}

/// Only a certain answer of the DNS ends a message.
TEST_F(MxSelectionTest, TellsTemporaryFromFinal) {
  const auto kind = [&](const std::string& zone) { return ask(zone).error().kind; };
  EXPECT_EQ(kind(""), mail::OutcomeKind::Failed);                    // no such domain
  EXPECT_EQ(kind("d.example EXISTS\n"), mail::OutcomeKind::Failed);  // neither MX nor address
  EXPECT_EQ(kind("d.example SERVFAIL\n"), mail::OutcomeKind::Deferred);
  EXPECT_EQ(kind("d.example BOGUS\n"), mail::OutcomeKind::Deferred);
  EXPECT_EQ(kind("d.example MALFORMED\n"), mail::OutcomeKind::Deferred);
  EXPECT_EQ(kind("d.example MX 10 a.example\na.example SERVFAIL\n"), mail::OutcomeKind::Deferred);
  // One host does not exist, another fails for now: it may come back.
  EXPECT_EQ(kind("d.example MX 10 a.example\nd.example MX 20 b.example\nb.example SERVFAIL\n"),
            mail::OutcomeKind::Deferred);
  EXPECT_EQ(kind("d.example MX 10 a.example\n"), mail::OutcomeKind::Failed);
}

/// A backup in another zone helps against this, too.
TEST_F(MxSelectionTest, AHostWhoseDnsIsSilentHidesNoOther) {
  EXPECT_THAT(hosts(ask("d.example MX 10 a.example\nd.example MX 20 b.example\n"
                        "d.example MX 30 c.example\n"
                        "a.example NEVER\nb.example NEVER\nc.example A 192.0.2.3\n")),
              ElementsAre("c.example 192.0.2.3"));
  EXPECT_EQ(ask("d.example MX 10 a.example\na.example NEVER\n").error().kind,
            mail::OutcomeKind::Deferred);
}

/// … but it was preferred, and perhaps it is only slow.
TEST_F(MxSelectionTest, AListTellsWhenItPassesOverASilentHost) {
  const std::string zone = "a.example NEVER\nb.example A 192.0.2.2\n";
  EXPECT_TRUE(ask("d.example MX 10 a.example\nd.example MX 20 b.example\n" + zone)->passes_over);
  EXPECT_TRUE(ask("d.example MX 10 a.example\nd.example MX 10 b.example\n" + zone)->passes_over)
      << "it may be this relay, which no other of its preference is behind";
  EXPECT_FALSE(ask("d.example MX 20 a.example\nd.example MX 10 b.example\n" + zone)->passes_over)
      << "a backup only";
  EXPECT_FALSE(ask("d.example MX 10 b.example\n" + zone)->passes_over);
}

TEST_F(MxSelectionTest, UsesTheHostsThatCanBeFound) {
  EXPECT_THAT(hosts(ask("d.example MX 10 a.example\nd.example MX 20 b.example\n"
                        "a.example SERVFAIL\nb.example A 192.0.2.2\n")),
              ElementsAre("b.example 192.0.2.2"));
}

/// Otherwise mail would loop.
TEST_F(MxSelectionTest, AsksOnlyBetterHostsThanItself) {
  EXPECT_THAT(
      hosts(ask("d.example MX 10 a.example\nd.example MX 20 mx.fwd.example\n"
                "d.example MX 30 c.example\na.example A 192.0.2.1\nc.example A 192.0.2.3\n")),
      ElementsAre("a.example 192.0.2.1"));
  const auto loop = ask("d.example MX 10 mx.fwd.example\nd.example MX 10 c.example\n");
  ASSERT_FALSE(loop);
  EXPECT_EQ(loop.error().attempt.status, (mail::EnhancedStatus{5, 4, 6}));
  EXPECT_THAT(loop.error().attempt.text, HasSubstr("loops back"));
}

/// RFC 5321 §5.1: a host that is us cuts the list, however it is named.
TEST_F(MxSelectionTest, AHostThatLeadsToOurAddressCutsTheList) {
  policy_.own_endpoints = {{boost::asio::ip::make_address("192.0.2.50"), 25}};
  const std::string zone =
      "d.example MX 10 a.example\nd.example MX 20 us.example\nd.example MX 20 tie.example\n"
      "d.example MX 30 c.example\na.example A 192.0.2.1\nus.example A 192.0.2.50\n"
      "tie.example A 192.0.2.4\nc.example A 192.0.2.3\n";
  EXPECT_THAT(hosts(ask(zone)), ElementsAre("a.example 192.0.2.1"));
  const auto loop =
      ask("d.example MX 10 us.example\nd.example MX 20 c.example\n"
          "us.example A 192.0.2.50\nc.example A 192.0.2.3\n");
  ASSERT_FALSE(loop) << "the backup would give it back to us";
  EXPECT_EQ(loop.error().kind, mail::OutcomeKind::Failed);
  EXPECT_THAT(loop.error().attempt.text, HasSubstr("loops back"));
}

/// As the resolver gives them: whatever the record holds, not in five days but now.
TEST_F(MxSelectionTest, NamesThatAreNoHostNamesAreAnAnswer) {
  const auto refuses = [&](const std::string& zone, const std::string& title) {
    const auto unusable = ask(zone);
    ASSERT_FALSE(unusable) << title;
    EXPECT_EQ(unusable.error().kind, mail::OutcomeKind::Failed) << title;
    EXPECT_EQ(unusable.error().attempt.status, (mail::EnhancedStatus{5, 4, 4})) << title;
    EXPECT_EQ(unusable.error().attempt.text, "no usable MX host for d.example") << title;
  };
  std::string all;
  for (const std::string name :
       {"192.0.2.1", "192.0.2.1.", "*.x.example", "mail host.example", R"(mail\032host.example)",
        R"(mail.example\032.)", "http://mail.example", R"(m\046x.example)", R"(\000.example)",
        R"(m\252.example)", R"(\"m\".example)", R"([192.0.2.1])", "2001:db8::1"}) {
    const std::string record = "d.example MX 10 " + name + "\n";
    refuses(record, name);
    all += record;
  }
  refuses(all, "all of them");
  for (int i = 0; i < 60; ++i) all += "d.example MX 1 192.0.2." + std::to_string(i) + "\n";
  EXPECT_THAT(hosts(ask(all + "d.example MX 90 a.example\na.example A 192.0.2.9\n")),
              ElementsAre("a.example 192.0.2.9"))
      << "and take no place from a host";
}

TEST_F(MxSelectionTest, AHostWithoutAnAddressOfUseIsAnAnswer) {
  const std::string mx = "d.example MX 10 a.example\na.example AAAA ::ffff:192.0.2.1\n";
  const auto mapped = ask(mx);
  ASSERT_FALSE(mapped);
  EXPECT_EQ(mapped.error().kind, mail::OutcomeKind::Failed);
  EXPECT_EQ(mapped.error().attempt.status, (mail::EnhancedStatus{5, 4, 4}));
  EXPECT_THAT(hosts(ask(mx + "a.example A 192.0.2.1\n")), ElementsAre("a.example 192.0.2.1"));
}

TEST_F(MxSelectionTest, DoesNotDialWhatAForeignDomainMustNotChoose) {
  const auto inside = ask("d.example MX 10 a.example\na.example A 127.0.0.1\n");
  ASSERT_FALSE(inside);
  EXPECT_EQ(inside.error().kind, mail::OutcomeKind::Failed);
  EXPECT_THAT(inside.error().attempt.text, HasSubstr("not dialled"));
  EXPECT_FALSE(ask("d.example MX 10 192.0.2.1\n")) << "an MX names a host";
}

TEST_F(MxSelectionTest, ARouteIsTheOperatorsWord) {
  const Destination smarthost{.lane = {"d.example", false},
                              .hops = {{"10.0.0.5", 2525, {.level = mail::TlsLevel::Verify}},
                                       {"relay.example", 587, {.level = mail::TlsLevel::Never}}}};
  const auto answer = ask("relay.example A 10.0.0.6\n", smarthost);
  EXPECT_THAT(hosts(answer), ElementsAre("10.0.0.5 10.0.0.5", "relay.example 10.0.0.6"));
  EXPECT_EQ(answer->hosts[0].endpoint.port, 2525);
  EXPECT_EQ(answer->hosts[0].demand.level, mail::TlsLevel::Verify);
  EXPECT_EQ(answer->hosts[1].demand.level, mail::TlsLevel::Never);
  EXPECT_LT(answer->hosts[0].preference, answer->hosts[1].preference);
}

/// As where a mailbox server listens at loopback, and we at the address that others see.
TEST_F(MxSelectionTest, ARouteMayLeadToAnotherServerOfThisHost) {
  policy_.own_endpoints = {{boost::asio::ip::make_address("192.0.2.50"), 25},
                           {boost::asio::ip::make_address("127.0.0.1"), 587}};
  const Destination beside{.lane = {"d.example", false}, .hops = {{"127.0.0.1", 25, {}}}};
  EXPECT_THAT(hosts(ask("", beside)), ElementsAre("127.0.0.1 127.0.0.1"));
  const Destination ours{.lane = {"d.example", false}, .hops = {{"127.0.0.1", 587, {}}}};
  EXPECT_THAT(hosts(ask("", ours)), ElementsAre("error 5.4.6"));
}

TEST_F(MxSelectionTest, AnAddressLiteralNeedsNoDns) {
  EXPECT_THAT(hosts(ask("", "[192.0.2.9]")), ElementsAre("192.0.2.9 192.0.2.9"));
  EXPECT_THAT(hosts(ask("", "[ipv6:2001:db8::9]")), ElementsAre("2001:db8::9 2001:db8::9"));
  EXPECT_THAT(hosts(ask("", "[127.0.0.1]")), ElementsAre("error 5.4.6"));
}

}  // namespace
}  // namespace relay::delivery
