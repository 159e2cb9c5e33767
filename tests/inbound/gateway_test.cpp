// A gateway in front: it names its clients by XCLIENT, by XFORWARD, or in Received.
#include "tests/inbound/gateway.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/srs_addresses.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(Gateway, IsOfferedToNameItsClientsAndNobodyElseIs) {
  EXPECT_THAT(from(kGateway, {"EHLO gw\r\n"})->sent,
              AllOf(HasSubstr("XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT\r\n"),
                    HasSubstr("250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n")));
  EXPECT_THAT(from("192.0.2.7", {"EHLO gw\r\n"})->sent, Not(HasSubstr("XCLIENT")));
  for (const char* command : {"XCLIENT ADDR=203.0.113.9\r\n", "XFORWARD ADDR=203.0.113.9\r\n"}) {
    const auto wire = from("192.0.2.7", then_message({"EHLO x\r\n", command}));
    EXPECT_THAT(wire->sent, HasSubstr("550 5.7.0 No [[gateway]] names your address\r\n"));
  }
  EXPECT_EQ(clients(), "192.0.2.7 192.0.2.7");
}

TEST_F(Gateway, XclientBeginsANewSessionOfTheNamedClient) {
  const auto wire =
      from(kGateway, then_message({"EHLO gw\r\n", "XCLIENT NAME=x ADDR=203.0.113.9 PORT=99\r\n"}));
  EXPECT_THAT(wire->sent, HasSubstr("XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n"
                                    "220 mx.example.org ESMTP"));
  EXPECT_EQ(clients(), "203.0.113.9");
  const mail::AcceptedMessage& message = house.queue.stored.front().message.message;
  EXPECT_EQ(message.client.port, 99);
  EXPECT_EQ(message.client.helo, "client.example");
  EXPECT_THAT(message.trace_fields, HasSubstr("from client.example ([203.0.113.9])"));
  EXPECT_THAT(house.log.lines, Contains(HasSubstr(R"("through":"10.0.0.1")")));
}

TEST_F(Gateway, XclientHoldsToTheEndOfTheSession) {
  auto segments = then_message({"EHLO gw\r\n", "XCLIENT ADDR=203.0.113.9\r\n"});
  from(kGateway, then_message(segments, "Message-ID: <2@x.example>\r\n"));
  EXPECT_EQ(clients(), "203.0.113.9 203.0.113.9");
}

TEST_F(Gateway, XclientMayBeSaidAgainBeforeAnyMail) {
  from(kGateway, then_message({"EHLO gw\r\n", "XCLIENT ADDR=203.0.113.9 HELO=one.example\r\n",
                               "EHLO gw\r\n", "XCLIENT ADDR=IPV6:2001:db8::7\r\n"}));
  from(kGateway, then_message({"EHLO gw\r\n", "XCLIENT ADDR=203.0.113.9\r\n", "EHLO gw\r\n",
                               "XCLIENT ADDR=[UNAVAILABLE]\r\n"},
                              "Message-ID: <2@x.example>\r\n"));
  EXPECT_EQ(clients(), "2001:db8::7 10.0.0.1");
  EXPECT_EQ(house.queue.stored.front().message.message.client.helo, "client.example");
}

/// A proxy names its client, says MAIL and RCPT, and passes on what the client says then.
TEST_F(Gateway, AClientThatSpeaksThroughItsProxyNamesNobody) {
  for (const char* command : {"XCLIENT ADDR=203.0.113.10\r\n", "XCLIENT ADDR=[UNAVAILABLE]\r\n",
                              "XFORWARD ADDR=203.0.113.10\r\n", "STARTTLS\r\n"}) {
    const auto wire =
        from(kGateway, {"EHLO gw\r\n", "XCLIENT ADDR=203.0.113.9\r\n", "EHLO x\r\n",
                        "MAIL FROM:<ann@sender.example>\r\n", "RSET\r\n", "EHLO x\r\n", command});
    const std::string behind_mail = wire->sent.substr(wire->sent.find("2.1.0 Sender ok"));
    EXPECT_THAT(behind_mail, AllOf(Not(HasSubstr("XCLIENT")), Not(HasSubstr("XFORWARD"))))
        << command;
    EXPECT_THAT(behind_mail, HasSubstr("\r\n421 4.7.0 ")) << command;
    EXPECT_THAT(
        behind_mail,
        EndsWith(" on a new connection" +
                 std::string(*command == 'S' ? ", before you name a client" : "") + "\r\n"));
  }
  EXPECT_EQ(house.tls.wire->sent, "");
}

TEST_F(Gateway, XclientWantsNothingBehindIt) {
  const auto wire = from(kGateway, {"EHLO gw\r\n", "XCLIENT ADDR=203.0.113.9\r\nEHLO x\r\n"});
  EXPECT_THAT(wire->sent, EndsWith("421 4.7.0 Improper use of pipelining\r\n"));
}

TEST_F(Gateway, NamesNobodyWithinATransaction) {
  for (const char* command : {"XCLIENT ADDR=203.0.113.9\r\n", "XFORWARD ADDR=203.0.113.9\r\n"}) {
    const auto wire = from(kGateway, {"EHLO gw\r\n", "MAIL FROM:<>\r\n", command});
    EXPECT_THAT(wire->sent, EndsWith("503 5.5.1 Not within a transaction\r\n"));
  }
}

TEST_F(Gateway, HearsWhatIsWrongWithAName) {
  const auto wire = from(kGateway, {"EHLO gw\r\n", "XFORWARD ADDR=nonsense\r\n", "XFORWARD\r\n",
                                    "XFORWARD ADDR=1.2.3.4 PORT=x\r\n", "XFORWARD PROTO=HTTP\r\n",
                                    "XCLIENT ADDR=fe80::1%25lo\r\n", "XFORWARD COLOUR=red\r\n"});
  std::size_t count = 0;
  for (std::size_t at = 0; (at = wire->sent.find("\r\n501 5.5.4 ", at)) != std::string::npos;
       ++at) {
    ++count;
  }
  EXPECT_EQ(count, 6U) << wire->sent;
}

TEST_F(Gateway, XforwardHoldsForOneTransaction) {
  auto segments = then_message({"EHLO gw\r\n", "XFORWARD NAME=x ADDR=203.0.113.9 PORT=99\r\n",
                                "XFORWARD PROTO=SMTP HELO=named.example\r\n"});
  segments.erase(segments.begin() + 3);  // no second EHLO, which would end it
  segments.emplace_back("MAIL FROM:<ann@sender.example>\r\n");
  segments.emplace_back("RCPT TO:<info@example.org>\r\n");
  segments.emplace_back("DATA\r\n");
  segments.emplace_back(std::string("Message-ID: <2@x.example>\r\n") + kMessage);
  const auto wire = from(kGateway, segments);
  EXPECT_THAT(wire->sent, HasSubstr("250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n250 2.1.0 Sender ok"));
  EXPECT_EQ(clients(), "203.0.113.9 10.0.0.1");
  const mail::AcceptedMessage& message = house.queue.stored.front().message.message;
  EXPECT_EQ(message.client.helo, "named.example");
  EXPECT_FALSE(message.client.esmtp);
  EXPECT_THAT(message.trace_fields, HasSubstr("from gw ([10.0.0.1])")) << "who handed it over";
}

TEST_F(Gateway, XforwardIsForgottenAtEveryBoundary) {
  for (const char* boundary : {"RSET\r\n", "EHLO gw\r\n"}) {
    from(kGateway, {"EHLO gw\r\n", "XFORWARD ADDR=203.0.113.9\r\n", boundary,
                    "MAIL FROM:<ann@sender.example>\r\n", "RCPT TO:<info@example.org>\r\n",
                    "DATA\r\n", std::string(boundary) + ": x\r\n" + kMessage});
  }
  EXPECT_EQ(clients(), "10.0.0.1 10.0.0.1");
}

TEST_F(Gateway, WhatItMadeItselfIsItsOwn) {
  from(kGateway, {"EHLO gw\r\n", "XFORWARD ADDR=127.0.0.1 SOURCE=LOCAL\r\n",
                  "MAIL FROM:<ann@sender.example>\r\n", "RCPT TO:<info@example.org>\r\n",
                  "DATA\r\n", kMessage});
  EXPECT_EQ(clients(), "10.0.0.1");
}

TEST_F(Gateway, StartTlsForgetsWhatWasSaidInTheClear) {
  auto inside = then_message({});
  inside.emplace_back("XCLIENT ADDR=203.0.113.10\r\n");
  for (auto& segment : then_message(inside, "Message-ID: <2@x.example>\r\n")) {
    house.tls.wire->incoming.push_back(segment);
  }
  from(kGateway, {"EHLO gw\r\n", "XCLIENT ADDR=203.0.113.9\r\n", "EHLO x\r\n", "STARTTLS\r\n"});
  EXPECT_EQ(clients(), "10.0.0.1 203.0.113.10");
  EXPECT_THAT(house.tls.wire->sent,
              AllOf(Not(HasSubstr("STARTTLS")), HasSubstr("220 mx.example.org ESMTP")));
}

TEST_F(Gateway, ANamedClientHasNoRights) {
  change([](Policy& policy) {
    policy.arrival.exempt = {*base::Network::parse("203.0.113.9")};
    policy.abuse.rates.unknown = {1, 1h};
  });
  // It is neither exempt nor a gateway, whatever its address.
  for (const char* named : {"203.0.113.9", "10.0.0.2"}) {
    const auto wire =
        from(kGateway,
             {"EHLO gw\r\n", std::string("XCLIENT ADDR=") + named + "\r\n", "EHLO x\r\n",
              "MAIL FROM:<>\r\n", "RCPT TO:<a@example.org>\r\n", "RCPT TO:<b@example.org>\r\n"});
    EXPECT_THAT(wire->sent, HasSubstr("450 4.7.1 Too many unknown")) << named;
  }
  // The gateway itself is not counted.
  const auto wire = from(kGateway, {"EHLO gw\r\n", "MAIL FROM:<>\r\n",
                                    "RCPT TO:<a@example.org>\r\n", "RCPT TO:<b@example.org>\r\n"});
  EXPECT_THAT(wire->sent, Not(HasSubstr("450")));
}

TEST_F(Gateway, AListedClientIsRefusedWhoeverConnects) {
  house.resolver.replace_zone(kZone);
  ask_lists(DnsListStage::Connect);
  EXPECT_THAT(from(kGateway, {"EHLO gw\r\n", "XCLIENT ADDR=203.0.113.9\r\n"})->sent,
              EndsWith("554 5.7.1 203.0.113.9 is listed by bl.example\r\n"));
  EXPECT_THAT(from(kGateway, {"EHLO gw\r\n", "XFORWARD ADDR=203.0.113.9\r\n", "MAIL FROM:<>\r\n",
                              "RCPT TO:<info@example.org>\r\n"})
                  ->sent,
              EndsWith("203.0.113.9 is listed by bl.example\r\n"));
}

TEST_F(Gateway, PlacesAreThoseOfTheNamedClients) {
  change([](Policy& policy) { policy.limits.connections_per_client = 1; });
  const auto first = house.dial({"EHLO gw\r\n", "XCLIENT ADDR=203.0.113.9\r\n"}, kGateway);
  first->wait_at_end = true;
  house.poll();
  EXPECT_THAT(from(kGateway, {"EHLO gw\r\n", "XCLIENT ADDR=203.0.113.9\r\n"})->sent,
              EndsWith("421 4.7.0 Too many connections from your address\r\n"));
  EXPECT_EQ(house.acceptor.sessions(), 1U);
}

/// It was counted for the client whose name TLS has made void.
TEST_F(Gateway, StartTlsGivesTheNamedClientsPlaceBack) {
  change([](Policy& policy) { policy.limits.connections_per_client = 1; });
  house.tls.wire->wait_at_end = true;
  from(kGateway, {"EHLO gw\r\n", "XCLIENT ADDR=203.0.113.9\r\n", "EHLO x\r\n", "STARTTLS\r\n"});
  EXPECT_EQ(house.acceptor.sessions(), 1U);
  EXPECT_THAT(from("203.0.113.9", {"EHLO x\r\n"})->sent, StartsWith("220 "));
}

/// Nor are the clients that it names exempt; its bounces count for different clients.
TEST_F(Gateway, IsNotLimitedAsAClientThatBringsBounces) {
  change([](Policy& policy) { policy.limits.bounces.bad_per_client = 3; });
  const auto ask = [&](const std::string& path, const std::string& peer) {
    return from(peer, {"EHLO gw\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<" + path + ">\r\n"})->sent;
  };
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(ask(forged(house, i), kGateway), HasSubstr("550 5.1.8")) << i;
  }
  EXPECT_THAT(ask(srs_address(house, "ann@sender.example"), kGateway),
              EndsWith("250 2.1.5 Recipient ok\r\n"));
  for (int i = 0; i < 3; ++i) ask(forged(house, i), "198.51.100.66");
  EXPECT_THAT(ask(forged(house, 3), "198.51.100.66"), HasSubstr("450 4.7.1"));
}

TEST_F(Gateway, EndsWithTheReloadThatTakesItAway) {
  const auto wire = house.dial({"EHLO gw\r\n", "XFORWARD ADDR=203.0.113.9\r\n"}, kGateway);
  int reads = 0;
  wire->before_read = [&] {
    if (++reads != 3) return;
    change([](Policy& policy) { policy.arrival.gateways.clear(); });
  };
  for (const char* segment :
       {"MAIL FROM:<ann@sender.example>\r\n", "RSET\r\n", "XFORWARD ADDR=203.0.113.10\r\n",
        "XCLIENT ADDR=203.0.113.10\r\n", "MAIL FROM:<ann@sender.example>\r\n",
        "RCPT TO:<info@example.org>\r\n", "DATA\r\n", kMessage}) {
    wire->incoming.emplace_back(segment);
  }
  house.poll();
  EXPECT_THAT(wire->sent, HasSubstr("550 5.7.0 No [[gateway]] names your address\r\n"
                                    "550 5.7.0 No [[gateway]] names your address\r\n"
                                    "250 2.1.0 Sender ok"));
  EXPECT_EQ(clients(), "10.0.0.1");
}

// Received.

TEST_F(Gateway, TheClientIsFoundInReceived) {
  find_in_received();
  EXPECT_THAT(send(received("mail.example (unknown [203.0.113.9])", "gw.example.org")),
              HasSubstr("250 2.0.0 queued"));
  EXPECT_EQ(clients(), "203.0.113.9");
  const mail::AcceptedMessage& message = house.queue.stored.front().message.message;
  EXPECT_EQ(message.client.helo, "mail.example");
  EXPECT_THAT(message.trace_fields, HasSubstr("from client.example ([10.0.0.1])"));
  EXPECT_THAT(message.trace_fields, HasSubstr("spf=pass"));
  EXPECT_THAT(send(received("mail.example (unknown [203.0.113.10])", "gw.example.org")),
              HasSubstr("550 5.7.1"));
  EXPECT_THAT(house.log.lines,
              Contains(AllOf(HasSubstr(R"("event":"rejected","peer_ip":"203.0.113.10")"),
                             HasSubstr(R"("stage":"end-of-data")"))));
}

TEST_F(Gateway, MayAddSeveralFields) {
  find_in_received();
  // Its filter hands the message back to it, and the hub has it from another host of the gateway.
  send("X-Spam: no\r\n" + received("gw.example.org (hub [10.0.0.7])", "hub.example.org") +
       received("localhost (localhost [127.0.0.1])", "gw.example.org") + "X-Scanned: yes\r\n" +
       received("mail.example (unknown [203.0.113.9])", "GW.example.org") +
       received("inner (inner [198.51.100.1])", "mail.example"));
  EXPECT_EQ(clients(), "203.0.113.9");
}

TEST_F(Gateway, AForgedReceivedFieldNamesNobody) {
  find_in_received();
  const std::string forged = received("mail.example (unknown [203.0.113.9])", "gw.example.org");
  // Directly below the gateway's own field, in its name: the client wrote it.
  EXPECT_THAT(send(received("liar.example (unknown [198.51.100.66])", "gw.example.org") + forged),
              HasSubstr("550 5.7.1"));
  // In HELO.
  EXPECT_THAT(send(received("[203.0.113.9] (unknown [198.51.100.66])", "gw.example.org")),
              HasSubstr("550 5.7.1"));
  // Below a field of somebody else.
  EXPECT_THAT(send(received("x (unknown [198.51.100.66])", "gw.example.org") +
                   received("y (unknown [10.0.0.1])", "other.example") + forged),
              HasSubstr("550 5.7.1"));
  // From a client that is no gateway.
  EXPECT_THAT(send(forged, "198.51.100.66"), HasSubstr("550 5.7.1"));
  EXPECT_EQ(clients(), "");
}

TEST_F(Gateway, WithoutSuchAFieldItIsTheClient) {
  find_in_received();
  house.resolver.replace_zone("sender.example TXT \"v=spf1 ip4:10.0.0.1 -all\"\n");
  send("");
  send(received("x (unknown [203.0.113.9])", "other.example"));
  send("Received: by gw.example.org (Postfix, from userid 1000)\r\n\tid 1; date\r\n");
  EXPECT_EQ(clients(), "10.0.0.1 10.0.0.1 10.0.0.1");
}

TEST_F(Gateway, XforwardGoesBeforeReceived) {
  find_in_received();
  auto segments = then_message({"EHLO gw\r\n", "XFORWARD ADDR=203.0.113.9\r\n"},
                               received("x (unknown [198.51.100.66])", "gw.example.org"));
  segments.erase(segments.begin() + 2);
  from(kGateway, segments);
  EXPECT_EQ(clients(), "203.0.113.9");
}

TEST_F(Gateway, ChecksOfTheFoundClientComeAfterTheContent) {
  find_in_received();
  ask_lists(DnsListStage::Connect);
  change([](Policy& policy) { policy.abuse.greylist.enabled = true; });
  const std::string listed = received("x (unknown [203.0.113.9])", "gw.example.org");
  EXPECT_THAT(send(listed), EndsWith("550 5.7.1 203.0.113.9 is listed by bl.example\r\n"));
  change([](Policy& policy) {
    policy.abuse.dns_lists = std::make_shared<DnsListPolicy>();
    policy.abuse.rates.per_client = {1, 1h};
  });
  EXPECT_THAT(send(listed), HasSubstr("250 2.0.0 queued")) << "nobody waits for a greylist";
  EXPECT_THAT(send("Message-ID: <2@x.example>\r\n" + listed),
              EndsWith("450 4.7.1 Too many messages from your address, try again later\r\n"));
}

TEST_F(Gateway, ItsResultsAreBelievedAndNobodyElses) {
  house.verify(kZone);
  change([](Policy& policy) {
    GatewayPolicy& gateway = policy.arrival.gateways.front();
    gateway.names = {"gw.example.org"};
    gateway.results = "gw.example.org";
  });
  const std::string own = received("mail.example (unknown [203.0.113.9])", "gw.example.org");
  const std::string spf =
      "Authentication-Results: gw.example.org; spf=pass smtp.mailfrom=ann@sender.example\r\n";
  const std::string dmarc =
      "Authentication-Results: gw.example.org;\r\n\tdmarc=pass header.from=sender.example\r\n";
  EXPECT_THAT(send(spf + own), HasSubstr("250 2.0.0 queued"));
  EXPECT_THAT(send(own + dmarc + "Message-ID: <2@x.example>\r\n"), HasSubstr("250 2.0.0 queued"))
      << "above the next Received field, on whichever side of its own";
  // Below the fields of the gateway, by another, or of another author.
  EXPECT_THAT(send(own + received("y (y [198.51.100.1])", "x.example") + dmarc),
              HasSubstr("550 5.7.1"));
  EXPECT_THAT(send(spf + own, "198.51.100.66"), HasSubstr("550 5.7.1"));
  EXPECT_THAT(send("Authentication-Results: other.example; dmarc=pass "
                   "header.from=sender.example\r\n" +
                   own),
              HasSubstr("550 5.7.1"));
  EXPECT_THAT(send("Authentication-Results: gw.example.org; dmarc=pass "
                   "header.from=other.example\r\n" +
                   own),
              HasSubstr("550 5.7.1"));
}

TEST_F(Gateway, OthersWriteNoResultsInItsName) {
  change([](Policy& policy) { policy.arrival.gateways.front().results = "gw.example.org"; });
  const std::string field = "Authentication-Results: GW.example.org; dmarc=pass\r\n";
  send(field, "198.51.100.66");
  send(field + "Message-ID: <2@x.example>\r\n");
  ASSERT_EQ(house.queue.stored.size(), 2U);
  EXPECT_THAT(house.queue.stored[0].content, Not(HasSubstr("GW.example.org")));
  EXPECT_THAT(house.queue.stored[1].content, HasSubstr("GW.example.org"));
}

}  // namespace
}  // namespace relay::inbound
