#include "relay/delivery/mx_selection.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/delivery/run_task.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"

namespace relay::delivery {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class MxSelectionTest : public testing::Test {
 protected:
  std::expected<std::vector<Candidate>, Unroutable> ask(const std::string& zone,
                                                        Destination destination) {
    fakes::FakeResolver resolver(clock_, zone);
    MxSelection selection(resolver, dice_);
    return run_task(
        selection.candidates(std::move(destination), std::make_shared<const Policy>(policy_),
                             base::Deadline{clock_.steady() + std::chrono::seconds(9)}));
  }

  std::expected<std::vector<Candidate>, Unroutable> ask(const std::string& zone,
                                                        const std::string& domain = "d.example") {
    return ask(zone, {domain, domain, {}});
  }

  static std::vector<std::string> hosts(
      const std::expected<std::vector<Candidate>, Unroutable>& answer) {
    std::vector<std::string> all;
    if (!answer) return {"error " + answer.error().attempt.status.to_string()};
    for (const auto& one : *answer) {
      all.push_back(one.host + ' ' + one.endpoint.address.to_string());
    }
    return all;
  }

  fakes::FakeClock clock_;
  Dice dice_{1};
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
  const Destination risk{"risk pool d.example", "d.example", {}, true};
  ASSERT_TRUE(ask(zone, risk));
  EXPECT_EQ(ask(zone, risk)->size(), 2U) << "without addresses of its own: as all mail";
  policy_.risk.source_v4 = doubtful;
  const auto chosen = ask(zone, risk);
  EXPECT_THAT(hosts(chosen), ElementsAre("a.example 192.0.2.1"));
  EXPECT_EQ(chosen->front().source, doubtful);
  const auto none = ask(zone, {"risk pool six.example", "six.example", {}, true});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, mail::OutcomeKind::Deferred) << "a setting can mend it";
  EXPECT_THAT(none.error().attempt.text, HasSubstr("risk pool has no address"));
  const auto ordinary = ask(zone);
  ASSERT_EQ(ordinary->size(), 2U);
  for (const auto& one : *ordinary) {
    if (one.endpoint.address.is_v4()) EXPECT_EQ(one.source, own);
    if (one.endpoint.address.is_v6()) EXPECT_FALSE(one.source);
  }
}

TEST_F(MxSelectionTest, ShufflesTiesAndNothingElse) {
  std::set<std::string> firsts;
  for (int i = 0; i < 60; ++i) {
    const auto order = hosts(
        ask("d.example MX 10 a.example\nd.example MX 10 b.example\nd.example MX 20 c.example\n"
            "a.example A 192.0.2.1\nb.example A 192.0.2.2\nc.example A 192.0.2.3\n"));
    ASSERT_EQ(order.size(), 3U);
    firsts.insert(order[0]);
    EXPECT_EQ(order[2], "c.example 192.0.2.3");
  }
  EXPECT_EQ(firsts.size(), 2U);
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

/// O-10: both families, at most five addresses.
TEST_F(MxSelectionTest, MixesFamiliesAndEndsAtFive) {
  EXPECT_THAT(hosts(ask("d.example MX 10 a.example\na.example A 192.0.2.1\na.example A 192.0.2.2\n"
                        "a.example AAAA 2001:db8::1\na.example AAAA 2001:db8::2\n")),
              ElementsAre("a.example 2001:db8::1", "a.example 192.0.2.1", "a.example 2001:db8::2",
                          "a.example 192.0.2.2"));
  std::string many;
  for (int i = 1; i < 30; ++i) {
    many += "d.example MX " + std::to_string(i) + " m" + std::to_string(i) + ".example\n";
    many += "m" + std::to_string(i) + ".example A 192.0.2." + std::to_string(i) + "\n";
  }
  EXPECT_EQ(ask(many)->size(), 5U);
}

/// N-1: only what DNS says for certain ends a message.
TEST_F(MxSelectionTest, TellsTemporaryFromFinal) {
  const auto kind = [&](const std::string& zone) { return ask(zone).error().kind; };
  EXPECT_EQ(kind(""), mail::OutcomeKind::Failed);                    // no such domain
  EXPECT_EQ(kind("d.example EXISTS\n"), mail::OutcomeKind::Failed);  // neither MX nor address
  EXPECT_EQ(kind("d.example SERVFAIL\n"), mail::OutcomeKind::Deferred);
  EXPECT_EQ(kind("d.example BOGUS\n"), mail::OutcomeKind::Deferred);
  EXPECT_EQ(kind("d.example MALFORMED\n"), mail::OutcomeKind::Deferred);
  EXPECT_EQ(kind("d.example MX 10 a.example\na.example SERVFAIL\n"), mail::OutcomeKind::Deferred);
  // One host is gone for good, another only now: it may come back.
  EXPECT_EQ(kind("d.example MX 10 a.example\nd.example MX 20 b.example\nb.example SERVFAIL\n"),
            mail::OutcomeKind::Deferred);
  EXPECT_EQ(kind("d.example MX 10 a.example\n"), mail::OutcomeKind::Failed);
}

TEST_F(MxSelectionTest, UsesTheHostsThatCanBeFound) {
  EXPECT_THAT(hosts(ask("d.example MX 10 a.example\nd.example MX 20 b.example\n"
                        "a.example SERVFAIL\nb.example A 192.0.2.2\n")),
              ElementsAre("b.example 192.0.2.2"));
}

/// N-5: mail must not go in circles.
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

TEST_F(MxSelectionTest, DoesNotDialWhatAForeignDomainMustNotChoose) {
  const auto inside = ask("d.example MX 10 a.example\na.example A 127.0.0.1\n");
  ASSERT_FALSE(inside);
  EXPECT_EQ(inside.error().kind, mail::OutcomeKind::Failed);
  EXPECT_THAT(inside.error().attempt.text, HasSubstr("not dialled"));
  EXPECT_FALSE(ask("d.example MX 10 192.0.2.1\n")) << "an MX names a host (N-7)";
}

TEST_F(MxSelectionTest, ARouteIsTheOperatorsWord) {
  const Destination smarthost{"k",
                              "d.example",
                              {{"10.0.0.5", 2525, forward::TlsDemand::Verify},
                               {"relay.example", 587, forward::TlsDemand::None}}};
  const auto answer = ask("relay.example A 10.0.0.6\n", smarthost);
  EXPECT_THAT(hosts(answer), ElementsAre("10.0.0.5 10.0.0.5", "relay.example 10.0.0.6"));
  EXPECT_EQ((*answer)[0].endpoint.port, 2525);
  EXPECT_EQ((*answer)[0].tls, smtp::TlsUse::Required);
  EXPECT_EQ((*answer)[0].level, ports::TlsLevel::Verify);
  EXPECT_EQ((*answer)[1].tls, smtp::TlsUse::Never);
}

TEST_F(MxSelectionTest, AnAddressLiteralNeedsNoDns) {
  EXPECT_THAT(hosts(ask("", "[192.0.2.9]")), ElementsAre("192.0.2.9 192.0.2.9"));
  EXPECT_THAT(hosts(ask("", "[ipv6:2001:db8::9]")), ElementsAre("2001:db8::9 2001:db8::9"));
  EXPECT_THAT(hosts(ask("", "[127.0.0.1]")), ElementsAre("error 5.4.6"));
}

}  // namespace
}  // namespace relay::delivery
