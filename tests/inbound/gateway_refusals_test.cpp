// Messages that a gateway has accepted and that we would refuse.
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/gateway.hpp"
#include "tests/inbound/srs_addresses.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(Gateway, WhatItHasAcceptedIsHeldOrLeavesApart) {
  const std::string spoof = received("x (unknown [198.51.100.66])", "gw.example.org");
  find_in_received(forward::LateRefusal::Hold);
  EXPECT_THAT(send(spoof), HasSubstr("250 2.0.0 queued"));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  EXPECT_TRUE(house.queue.stored[0].message.routes.front().held);
  find_in_received(forward::LateRefusal::Risk);
  EXPECT_THAT(send("Message-ID: <2@x.example>\r\n" + spoof), HasSubstr("250 2.0.0 queued"));
  ASSERT_EQ(house.queue.stored.size(), 2U);
  EXPECT_FALSE(house.queue.stored[1].message.routes.front().held);
  EXPECT_TRUE(house.queue.stored[1].message.routes.front().handling.risk_pool);
  // Messages of other clients are refused as without gateways.
  EXPECT_THAT(send(spoof, "198.51.100.66"), HasSubstr("550 5.7.1"));
  // A message that needs an answer of the DNS is put off.
  house.resolver.replace_zone("sender.example SERVFAIL\n_dmarc.sender.example SERVFAIL\n");
  EXPECT_THAT(send("Message-ID: <3@x.example>\r\n" + spoof), HasSubstr("\r\n451 "));
}

TEST_F(Gateway, AListedClientIsHeldToo) {
  find_in_received(forward::LateRefusal::Hold);
  ask_lists();
  EXPECT_THAT(send(received("x (unknown [203.0.113.9])", "gw.example.org")),
              HasSubstr("250 2.0.0 queued"));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  const mail::Route& route = house.queue.stored.front().message.routes.front();
  EXPECT_TRUE(route.held);
  EXPECT_THAT(route.handling.reason, HasSubstr("203.0.113.9 is listed by bl.example"));
}

/// SPF proves the author, but we would not have taken mail from this client.
TEST_F(Gateway, WhatItTookFromAListedClientIsNotSigned) {
  find_in_received(forward::LateRefusal::Risk);
  const std::string listed = received("x (unknown [203.0.113.9])", "gw.example.org");
  EXPECT_THAT(send(listed), HasSubstr("250 2.0.0 queued"));
  EXPECT_FALSE(house.signer.requests.back().unsigned_dkim) << "proven, and not listed yet";
  ask_lists();
  EXPECT_THAT(send("Message-ID: <2@x.example>\r\n" + listed), HasSubstr("250 2.0.0 queued"));
  EXPECT_TRUE(house.queue.stored.back().message.routes.front().handling.risk_pool);
  EXPECT_TRUE(house.signer.requests.back().unsigned_dkim);
}

/// The tag authorises it, whichever client brings it.
TEST_F(Gateway, WhatComesBackIsNeverHeld) {
  find_in_received(forward::LateRefusal::Hold);
  ask_lists();
  const std::string listed = received("x (unknown [203.0.113.9])", "gw.example.org");
  from(kGateway, {"EHLO gw\r\n", "MAIL FROM:<>\r\n",
                  "RCPT TO:<" + srs_address(house, "ann@sender.example") + ">\r\n", "DATA\r\n",
                  listed + "From: MAILER-DAEMON\r\n\r\nfailed\r\n.\r\n"});
  ASSERT_EQ(house.queue.stored.size(), 1U);
  const mail::Route& route = house.queue.stored.front().message.routes.front();
  EXPECT_FALSE(route.held);
  EXPECT_TRUE(route.handling.risk_pool);
  EXPECT_THAT(route.handling.reason, HasSubstr("is listed by"));
}

/// A client named before the content could be refused at once, but the gateway has accepted the
/// message.
class GatewayThatNames : public Gateway,
                         public testing::WithParamInterface<std::pair<const char*, DnsListStage>> {
 protected:
  void refuses(forward::LateRefusal refusals) {
    house.verify(kZone);
    ask_lists(GetParam().second);
    change([&](Policy& policy) { policy.arrival.gateways.front().refusals = refusals; });
  }

  std::string send_listed(const std::string& fields = "", const std::string& path = "") {
    const std::string verb = GetParam().first;
    std::vector<std::string> segments{"EHLO gw\r\n", verb + " ADDR=203.0.113.9\r\n"};
    if (verb == "XCLIENT") segments.emplace_back("EHLO client.example\r\n");  // a new session
    segments.emplace_back(path.empty() ? "MAIL FROM:<ann@sender.example>\r\n" : "MAIL FROM:<>\r\n");
    segments.emplace_back("RCPT TO:<" + (path.empty() ? "info@example.org" : path) + ">\r\n");
    segments.emplace_back("DATA\r\n");
    segments.emplace_back(fields + kMessage);
    return from(kGateway, std::move(segments))->sent;
  }

  const mail::Route& last_route() { return house.queue.stored.back().message.routes.front(); }
};

INSTANTIATE_TEST_SUITE_P(ThatHasAccepted, GatewayThatNames,
                         testing::Values(std::pair{"XCLIENT", DnsListStage::Connect},
                                         std::pair{"XCLIENT", DnsListStage::Recipient},
                                         std::pair{"XFORWARD", DnsListStage::Connect},
                                         std::pair{"XFORWARD", DnsListStage::Recipient}),
                         [](const auto& info) {
                           return info.param.first +
                                  std::string(info.param.second == DnsListStage::Connect
                                                  ? "AtConnect"
                                                  : "AtRcpt");
                         });

TEST_P(GatewayThatNames, AListedClientIsHeld) {
  refuses(forward::LateRefusal::Hold);
  EXPECT_THAT(send_listed(), HasSubstr("250 2.0.0 queued"));
  ASSERT_EQ(clients(), "203.0.113.9");
  EXPECT_TRUE(last_route().held);
  EXPECT_THAT(last_route().handling.reason, HasSubstr("203.0.113.9 is listed by bl.example"));
}

TEST_P(GatewayThatNames, AListedClientLeavesApart) {
  refuses(forward::LateRefusal::Risk);
  EXPECT_THAT(send_listed(), HasSubstr("250 2.0.0 queued"));
  ASSERT_EQ(clients(), "203.0.113.9");
  EXPECT_FALSE(last_route().held);
  EXPECT_TRUE(last_route().handling.risk_pool);
  EXPECT_THAT(send_listed("", srs_address(house, "bob@sender.example")),
              HasSubstr("250 2.0.0 queued"));
  EXPECT_FALSE(last_route().held) << "what comes back";
}

TEST_P(GatewayThatNames, AListedClientIsRefusedBeforeTheContentByDefault) {
  refuses(forward::LateRefusal::Refuse);
  EXPECT_THAT(send_listed(),
              AllOf(HasSubstr("203.0.113.9 is listed by bl.example\r\n"), Not(HasSubstr("354 "))));
  EXPECT_EQ(clients(), "");
}

/// RCPT has counted the message, and the end of its content does not count it again.
TEST_P(GatewayThatNames, RatesCountAMessageOnce) {
  refuses(forward::LateRefusal::Hold);
  change([](Policy& policy) { policy.abuse.rates.per_client = {2, 1h}; });
  EXPECT_THAT(send_listed(), HasSubstr("250 2.0.0 queued"));
  EXPECT_THAT(send_listed("Message-ID: <2@x.example>\r\n"), HasSubstr("250 2.0.0 queued"));
  EXPECT_THAT(send_listed("Message-ID: <3@x.example>\r\n"),
              HasSubstr("450 4.7.1 Too many messages from your address"));
}

}  // namespace
}  // namespace relay::inbound
