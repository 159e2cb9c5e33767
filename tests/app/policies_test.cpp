// Policies made from settings, where no setting may be missing.
#include "relay/app/policies.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/app/local_addresses.hpp"
#include "relay/settings/file_stamp.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {
namespace {

using boost::asio::ip::make_address;
using testing::UnorderedElementsAre;
using testing::UnorderedElementsAreArray;

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

/// A domain whose SPF names only the address of the risk pool lends its name through it all the
/// same.
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

/// Without [outbound] source the system chooses the address, so the risk pool's address proves
/// nothing.
TEST(Policies, AskNothingWhereTheAddressesAreNotAllKnown) {
  auto settings = house();
  settings->outbound.source.clear();
  settings->risk.source = {"192.0.2.9"};
  const auto policies = make_policies(settings);
  ASSERT_TRUE(policies) << policies.error().front().text;
  EXPECT_TRUE(policies->inbound->check->egress.empty());
}

std::vector<std::string> own_endpoints(const settings::Settings& settings) {
  const auto policies = make_policies(std::make_shared<const settings::Settings>(settings));
  EXPECT_TRUE(policies) << policies.error().front().text;
  std::vector<std::string> texts;
  for (const auto& [address, port] : policies->delivery->own_endpoints) {
    texts.push_back(address.to_string() + ' ' + std::to_string(port));
  }
  std::ranges::sort(texts);
  const auto doubles = std::ranges::unique(texts);
  texts.erase(doubles.begin(), doubles.end());
  return texts;
}

/// Each listener counts by address and port together: another program may listen at its port or its
/// address.
TEST(Policies, KnowOurselvesByEachListener) {
  auto settings = house();
  settings->listeners = {
      {.addresses = {{"192.0.2.1", 25}, {"2001:db8::1", 25}}},
      {.addresses = {{"127.0.0.1", 587}, {"10.0.0.5", 465}}, .reached_as = {"203.0.113.5"}}};
  EXPECT_THAT(own_endpoints(*settings),
              UnorderedElementsAre("192.0.2.1 25", "2001:db8::1 25", "127.0.0.1 587",
                                   "10.0.0.5 465", "203.0.113.5 587", "203.0.113.5 465"));
}

TEST(Policies, KnowAListenerOnAllAddressesByEachOfThem) {
  auto settings = house();
  settings->listeners = {{.addresses = {{"0.0.0.0", 2525}}}, {.addresses = {{"127.0.0.1", 587}}}};
  std::vector<std::string> expected{"0.0.0.0 2525", "127.0.0.1 587"};
  for (const auto& address : local_addresses()) {
    if (address.is_v4()) expected.push_back(address.to_string() + " 2525");
  }
  ASSERT_GT(expected.size(), 2U) << "a host without an address";
  EXPECT_THAT(own_endpoints(*settings), UnorderedElementsAreArray(expected));
}

/// A socket that another process has opened may take both families; the settings apply to both.
TEST(Policies, KnowAListenerOfBothFamiliesByBoth) {
  auto settings = house();
  settings->listeners = {{.addresses = {{"::", 2525, true}}, .policy = {{.require_tls = true}}}};
  EXPECT_THAT(own_endpoints(*settings), testing::IsSupersetOf({":: 2525", "0.0.0.0 2525"}));
  const auto policies = make_policies(settings);
  ASSERT_TRUE(policies) << policies.error().front().text;
  const inbound::ArrivalPolicy& arrival = policies->inbound->arrival;
  EXPECT_TRUE(arrival.listener_at({make_address("2001:db8::1"), 2525}).require_tls);
  EXPECT_TRUE(arrival.listener_at({make_address("192.0.2.1"), 2525}).require_tls);
  EXPECT_FALSE(arrival.listener_at({make_address("192.0.2.1"), 25}).require_tls);
}

/// A message in our own queue leaves before its signature expires (guarantee "Our signatures
/// expire").
TEST(Policies, LetSignaturesOutliveTheQueue) {
  auto settings = house();
  settings->retry.expire = std::chrono::days(20);
  const auto policies = make_policies(settings);
  ASSERT_TRUE(policies) << policies.error().front().text;
  EXPECT_EQ(policies->inbound->signature_lifetime, std::chrono::days(22));
  EXPECT_EQ(policies->delivery->signature_lifetime, std::chrono::days(22));
}

/// A DSN to one of our own addresses goes to its targets, except those that have not confirmed.
TEST(Policies, SendOwnNoticesToNobodyWhoHasNotConfirmed) {
  auto settings = house();
  forward::Alias team{.local_part = "team"};
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
  auto confirmed = std::make_shared<forward::ConfirmedTargets>('+');
  confirmed->add(*mail::Mailbox::parse("yes@target.example"));
  confirmed->seal();
  settings->consent.confirmed = std::move(confirmed);
  EXPECT_THAT(notified(), UnorderedElementsAre("yes@target.example"));
}

/// A key that the loader reads and no policy contains would have no effect.
TEST(Policies, TellTheInboundSideAllOfItsLimits) {
  auto settings = house();
  settings::Limits& keys = settings->limits;
  keys.max_size = 1'000'001;
  keys.max_header = 1002;
  keys.max_header_fields = 1003;
  keys.max_recipients = 1004;
  keys.max_errors = 5;
  keys.max_junk = 6;
  keys.connections_total = 1007;
  keys.connections_per_client = 8;
  keys.connections_per_network = 9;
  keys.connections_from_client = {.count = 10, .span = std::chrono::seconds(11)};
  keys.memory = 1'000'012;
  keys.memory_per_network = 1'000'013;
  keys.command = std::chrono::seconds(14);
  keys.content = std::chrono::seconds(15);
  keys.session = std::chrono::seconds(16);
  keys.handshakes = 17;
  keys.handshakes_from_client = {.count = 18, .span = std::chrono::seconds(19)};
  keys.wasted = 1'000'020;
  keys.min_content_rate = 21;
  keys.max_hops = 22;
  keys.rcpts = {.count = 10'023, .span = std::chrono::seconds(24)};
  keys.rcpts_per_ip = {.count = 25, .span = std::chrono::seconds(26)};
  keys.rcpts_per_network = {.count = 27, .span = std::chrono::seconds(28)};
  const auto policies = make_policies(settings);
  ASSERT_TRUE(policies) << policies.error().front().text;
  const inbound::Limits& limits = policies->inbound->limits;
  EXPECT_EQ(limits.max_size, keys.max_size);
  EXPECT_EQ(limits.max_header, keys.max_header);
  EXPECT_EQ(limits.max_header_fields, keys.max_header_fields);
  EXPECT_EQ(limits.max_recipients, keys.max_recipients);
  EXPECT_EQ(limits.max_errors, keys.max_errors);
  EXPECT_EQ(limits.max_junk, keys.max_junk);
  EXPECT_EQ(limits.connections_total, keys.connections_total);
  EXPECT_EQ(limits.connections_per_client, keys.connections_per_client);
  EXPECT_EQ(limits.connections_per_network, keys.connections_per_network);
  EXPECT_EQ(limits.connections_from_client.count, keys.connections_from_client.count);
  EXPECT_EQ(limits.connections_from_client.span, keys.connections_from_client.span);
  EXPECT_EQ(limits.memory, keys.memory);
  EXPECT_EQ(limits.memory_per_network, keys.memory_per_network);
  EXPECT_EQ(limits.command, keys.command);
  EXPECT_EQ(limits.content, keys.content);
  EXPECT_EQ(limits.session, keys.session);
  EXPECT_EQ(limits.handshakes, keys.handshakes);
  EXPECT_EQ(limits.handshakes_from_client.count, keys.handshakes_from_client.count);
  EXPECT_EQ(limits.handshakes_from_client.span, keys.handshakes_from_client.span);
  EXPECT_EQ(limits.wasted, keys.wasted);
  EXPECT_EQ(limits.min_content_rate, keys.min_content_rate);
  const inbound::AttemptLimits& attempts = policies->inbound->abuse.attempts;
  EXPECT_EQ(attempts.total, keys.rcpts);
  EXPECT_EQ(attempts.per_client, keys.rcpts_per_ip);
  EXPECT_EQ(attempts.per_network, keys.rcpts_per_network);
  const auto goes_round = [&](int hops) {
    std::string fields;
    for (int i = 0; i < hops; ++i) fields += "Received: from a by b; 30 Nov 2026\r\n";
    return policies->inbound->loop_guard.check(mail::Header(fields));
  };
  EXPECT_FALSE(goes_round(22));
  EXPECT_TRUE(goes_round(23));
}

TEST(Policies, TellTheInboundSideWhoIsPutOff) {
  auto settings = house();
  settings->dns_lists = {{.zone = "bl.example", .allows = true, .weight = 7}};
  settings->abuse = {.dns_list_refuse = 8, .dns_list_at = settings::DnsListStage::Connect};
  settings->greylist = {.enabled = true,
                        .delay = std::chrono::seconds(9),
                        .retry_window = std::chrono::seconds(10),
                        .remember = std::chrono::seconds(11),
                        .trusted_after = 12,
                        .new_per_network = {.count = 13, .span = std::chrono::seconds(14)}};
  settings->defaults.tag = '-';
  settings->consent.max_held = 15;
  settings->auth.timeout = std::chrono::seconds(16);
  settings->listeners = {
      {.addresses = {{"192.0.2.1", 25}},
       .policy = {{.proxies = {}, .require_tls = true, .verify = false, .max_size = 17}}}};
  const auto policies = make_policies(settings);
  ASSERT_TRUE(policies) << policies.error().front().text;
  const inbound::Policy& policy = *policies->inbound;
  const inbound::DnsListPolicy& lists = *policy.abuse.dns_lists;
  EXPECT_TRUE(lists.lists.at(0).allows);
  EXPECT_EQ(lists.lists.at(0).weight, 7U);
  EXPECT_EQ(lists.refuse_at, 8);
  EXPECT_EQ(lists.at, inbound::DnsListStage::Connect);
  const inbound::GreylistPolicy& greylist = policy.abuse.greylist;
  EXPECT_TRUE(greylist.enabled);
  EXPECT_EQ(greylist.rules.delay, settings->greylist.delay);
  EXPECT_EQ(greylist.rules.retry_window, settings->greylist.retry_window);
  EXPECT_EQ(greylist.rules.remember, settings->greylist.remember);
  EXPECT_EQ(greylist.rules.trusted_after, settings->greylist.trusted_after);
  EXPECT_EQ(greylist.strangers, settings->greylist.new_per_network);
  EXPECT_EQ(policy.abuse.rates.tag, '-');
  EXPECT_EQ(policy.max_awaiting, 15U);
  EXPECT_EQ(policy.check->lookups.whole, settings->auth.timeout);
  const auto& listener = policy.arrival.listener_at({make_address("192.0.2.1"), 25});
  EXPECT_TRUE(listener.require_tls);
  EXPECT_FALSE(listener.verify);
  EXPECT_EQ(listener.max_size, 17U);
}

TEST(Policies, TellTheDeliverySideAllOfItsLimits) {
  auto settings = house();
  mail::OutboundLimits& keys = settings->outbound;
  keys = {.port = 2525,
          .allow_private = true,
          .connections = 3,
          .max_connections = 4,
          .connect_timeout = std::chrono::seconds(5),
          .attempt_timeout = std::chrono::seconds(6)};
  settings->risk.connections = 7;
  settings->risk.rate = {.count = 8, .span = std::chrono::seconds(9)};
  for (const bool hides : {true, false}) {
    settings->queue.redact_target = hides;
    const auto policies = make_policies(settings);
    ASSERT_TRUE(policies) << policies.error().front().text;
    EXPECT_EQ(policies->delivery->outbound, keys);
    EXPECT_EQ(policies->delivery->risk.connections, 7U);
    EXPECT_EQ(policies->delivery->risk.rate, settings->risk.rate);
    EXPECT_EQ(policies->delivery->hide_targets, hides);
  }
}

}  // namespace
}  // namespace relay::app
