// What the rooms are told of the settings, where it must be everything.
#include "relay/app/policies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::app {
namespace {

using boost::asio::ip::make_address;
using testing::UnorderedElementsAre;

std::shared_ptr<settings::Settings> house() {
  auto s = std::make_shared<settings::Settings>();
  s->hostname = "mx.house.example";
  s->domains.push_back(
      {.name = *mail::Domain::parse("house.example"), .aliases = {}, .patterns = {}, .map_to = {}});
  s->srs.domain = *mail::Domain::parse("srs.house.example");
  s->srs.secrets.push_back({.id = "k", .secret = base::Secret("q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua")});
  s->outbound.source = {"192.0.2.1", "2001:db8::1"};
  return s;
}

/// Who names only the address of the risk pool in SPF lends his name through it all the same.
TEST(Policies, AskTheSendersSpfForEveryAddressThatMailLeavesFrom) {
  auto settings = house();
  settings->risk.source = {"192.0.2.9", "192.0.2.1"};
  const auto policies = make_policies(settings);
  ASSERT_TRUE(policies) << policies.error().front().text;
  EXPECT_THAT(policies->inbound->check->egress,
              UnorderedElementsAre(make_address("192.0.2.1"), make_address("192.0.2.9"),
                                   make_address("2001:db8::1")));
}

/// Of two addresses of one family nothing leaves from the first.
TEST(Policies, AskForNoAddressThatNothingLeavesFrom) {
  auto settings = house();
  settings->outbound.source = {"192.0.2.7", "2001:db8::1", "192.0.2.1"};
  const auto policies = make_policies(settings);
  ASSERT_TRUE(policies) << policies.error().front().text;
  EXPECT_EQ(policies->delivery->source_v4, make_address("192.0.2.1"));
  EXPECT_THAT(policies->inbound->check->egress,
              UnorderedElementsAre(make_address("192.0.2.1"), make_address("2001:db8::1")));
}

/// Without [outbound] source the system chooses: what is known of the risk pool's says nothing.
TEST(Policies, AskNothingWhereTheAddressesAreNotAllKnown) {
  auto settings = house();
  settings->outbound.source.clear();
  settings->risk.source = {"192.0.2.9"};
  const auto policies = make_policies(settings);
  ASSERT_TRUE(policies) << policies.error().front().text;
  EXPECT_TRUE(policies->inbound->check->egress.empty());
}

/// What waits in our own queue does not wait for its signature to expire.
TEST(Policies, LetSignaturesOutliveTheQueue) {
  auto settings = house();
  settings->queue.expire = std::chrono::days(20);
  const auto policies = make_policies(settings);
  ASSERT_TRUE(policies) << policies.error().front().text;
  EXPECT_EQ(policies->inbound->signature_lifetime, std::chrono::days(22));
  EXPECT_EQ(policies->delivery->signature_lifetime, std::chrono::days(22));
}

/// A notice to one of our own addresses goes where that leads; not to who has not confirmed.
TEST(Policies, SendOwnNoticesToNobodyWhoHasNotConfirmed) {
  auto settings = house();
  settings::Alias team{.local_part = "team"};
  for (const char* target : {"yes@target.example", "no@target.example"}) {
    team.targets.push_back(*mail::Mailbox::parse(target));
  }
  settings->domains.front().aliases = {team};
  const auto notified = [&] {
    const auto policies = make_policies(settings);
    std::vector<std::string> targets;
    for (const auto& target :
         policies->delivery->own_targets(*mail::Mailbox::parse("team@house.example"))) {
      targets.push_back(target.to_string());
    }
    return targets;
  };
  EXPECT_THAT(notified(), UnorderedElementsAre("yes@target.example", "no@target.example"));
  auto confirmed = std::make_shared<settings::ConfirmedTargets>('+');
  confirmed->add(*mail::Mailbox::parse("yes@target.example"));
  confirmed->seal();
  settings->consent.confirmed = std::move(confirmed);
  EXPECT_THAT(notified(), UnorderedElementsAre("yes@target.example"));
}

}  // namespace
}  // namespace relay::app
