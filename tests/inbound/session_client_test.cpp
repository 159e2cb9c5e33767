#include "relay/inbound/session_client.hpp"

#include <gtest/gtest.h>

namespace relay::inbound {
namespace {

using smtp::ClientAttributes;
using smtp::NamedBy;

SessionClient gateway() {
  ArrivalPolicy policy;
  policy.gateways = {{.from = {*base::Network::parse("10.0.0.0/24")}}};
  return SessionClient(
      client_at(boost::asio::ip::make_address("::ffff:10.0.0.1"), 99, KnownBy::Connection, policy));
}

TEST(SessionClient, IsWhoConnects) {
  const SessionClient client = gateway();
  EXPECT_EQ(client.current().named.address, "10.0.0.1");
  EXPECT_EQ(client.current().origin.network, "10.0.0.0/24");
  EXPECT_TRUE(client.current().counted().network.empty()) << "it is exempt";
  EXPECT_TRUE(client.current().is_exempt);
  EXPECT_FALSE(client.current().is_claimed());
}

TEST(SessionClient, IsWhomTheBalancerNamesWithAllRights) {
  SessionClient client = gateway();
  ArrivalPolicy policy;
  policy.exempt = {*base::Network::parse("203.0.113.9")};
  client.take_proxy({boost::asio::ip::make_address("203.0.113.9"), 5}, policy);
  EXPECT_EQ(client.peer().named.address, "203.0.113.9");
  EXPECT_EQ(client.peer().through, "10.0.0.1");
  EXPECT_TRUE(client.peer().is_exempt);
}

TEST(SessionClient, IsNamedByPieces) {
  SessionClient client = gateway();
  ASSERT_TRUE(client.take(NamedBy::Xforward, {.address = "203.0.113.9", .port = "5"}));
  ASSERT_TRUE(client.take(NamedBy::Xforward, {.protocol = "SMTP", .helo = "mail.example"}));
  EXPECT_EQ(client.current().named.address, "203.0.113.9");
  EXPECT_EQ(client.current().named.port, 5);
  EXPECT_EQ(client.current().named.helo, "mail.example");
  EXPECT_FALSE(client.current().is_exempt);
  EXPECT_TRUE(client.current().is_claimed());
  EXPECT_EQ(client.of_session().named.address, "10.0.0.1");
  client.note_hello("gw.example", true);
  EXPECT_EQ(client.current().named.helo, "mail.example") << "EHLO is the gateway's";
  client.drop_forwarded();
  EXPECT_EQ(client.current().named.helo, "gw.example");
}

TEST(SessionClient, KeepsNothingOfTheOneBefore) {
  SessionClient client = gateway();
  ASSERT_TRUE(client.take(NamedBy::Xforward, {.address = "203.0.113.9", .helo = "mail.example"}));
  client.drop_forwarded();
  ASSERT_TRUE(client.take(NamedBy::Xforward, {.address = "203.0.113.10"}));
  EXPECT_EQ(client.current().named.helo, "");
  // Without a boundary between them, too.
  ASSERT_TRUE(client.take(NamedBy::Xforward, {.helo = "ten.example"}));
  ASSERT_TRUE(client.take(NamedBy::Xforward, {.address = "203.0.113.12"}));
  EXPECT_EQ(client.current().named.helo, "");
  // XCLIENT ends what XFORWARD has said.
  ASSERT_TRUE(client.take(NamedBy::Xclient, {.address = "203.0.113.11"}));
  EXPECT_EQ(client.current().named.address, "203.0.113.11");
  client.note_hello("eleven.example", true);
  ASSERT_TRUE(client.take(NamedBy::Xclient, {.address = "203.0.113.13"}));
  client.note_hello("thirteen.example", true);
  EXPECT_EQ(client.current().named.helo, "thirteen.example");
  client.drop_names();
  EXPECT_EQ(client.current().named.address, "10.0.0.1");
}

TEST(SessionClient, ChangesNothingWhenAWordIsWrong) {
  SessionClient client = gateway();
  for (const ClientAttributes& wrong :
       {ClientAttributes{.address = "x"},
        ClientAttributes{.address = "203.0.113.9", .port = "65536"},
        ClientAttributes{.address = "fe80::1%lo"},
        ClientAttributes{.address = "203.0.113.9", .protocol = "X"}}) {
    EXPECT_FALSE(client.take(NamedBy::Xclient, wrong));
    EXPECT_EQ(client.current().named.address, "10.0.0.1");
  }
}

}  // namespace
}  // namespace relay::inbound
