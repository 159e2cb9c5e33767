#include "relay/smtp/client_attributes.hpp"

#include <gtest/gtest.h>

namespace relay::smtp {
namespace {

TEST(ClientAttributes, AreReadAsPostfixWritesThem) {
  const auto read = parse_client_attributes(
      NamedBy::Xforward, "NAME=mail.example ADDR=192.0.2.7 PORT=4711 PROTO=ESMTP");
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->address, "192.0.2.7");
  EXPECT_EQ(read->port, "4711");
  EXPECT_EQ(read->protocol, "ESMTP");
  EXPECT_FALSE(read->helo);
  const auto more =
      parse_client_attributes(NamedBy::Xforward, "proto=smtp HELO=a+20b+2Bc IDENT=x SOURCE=LOCAL");
  ASSERT_TRUE(more) << more.error();
  EXPECT_EQ(more->protocol, "SMTP");
  EXPECT_EQ(more->helo, "a b+c");
  EXPECT_EQ(more->source, "LOCAL");
}

TEST(ClientAttributes, KnowIpv6AndWhatIsNotKnown) {
  EXPECT_EQ(parse_client_attributes(NamedBy::Xclient, "ADDR=IPV6:2001:db8::7")->address,
            "2001:db8::7");
  EXPECT_EQ(parse_client_attributes(NamedBy::Xclient, "ADDR=ipv6:2001:db8::7")->address,
            "2001:db8::7");
  EXPECT_EQ(parse_client_attributes(NamedBy::Xclient, "ADDR=[UNAVAILABLE]")->address, "");
  EXPECT_EQ(parse_client_attributes(NamedBy::Xclient, "ADDR=[tempunavail]")->address, "");
  EXPECT_EQ(parse_client_attributes(NamedBy::Xclient, "HELO=")->helo, "");
}

TEST(ClientAttributes, AreRefusedAsAWhole) {
  for (const char* argument :
       {"", "ADDR", "=x", "ADDR=1.2.3.4 ADDR=1.2.3.4", "COLOUR=red", "IDENT=x", "HELO=a+2",
        "HELO=a+0G", "HELO=a+0d+0aMAIL", "HELO=a=b", "HELO=+00"}) {
    EXPECT_FALSE(parse_client_attributes(NamedBy::Xclient, argument)) << argument;
  }
  EXPECT_FALSE(parse_client_attributes(NamedBy::Xforward, "LOGIN=ann"));
  EXPECT_TRUE(parse_client_attributes(NamedBy::Xclient, "LOGIN=ann DESTADDR=x DESTPORT=y"));
  EXPECT_TRUE(parse_client_attributes(NamedBy::Xclient, "HELO=" + std::string(255, 'x')));
  EXPECT_FALSE(parse_client_attributes(NamedBy::Xclient, "HELO=" + std::string(256, 'x')));
}

TEST(ClientAttributes, DecodeXtext) {
  EXPECT_EQ(decode_xtext("a+2Bb+3D"), "a+b=");
  EXPECT_EQ(decode_xtext(""), "");
  EXPECT_FALSE(decode_xtext("+2b")) << "RFC 3461: upper case";
  EXPECT_FALSE(decode_xtext("a b"));
  EXPECT_FALSE(decode_xtext("ä"));
}

}  // namespace
}  // namespace relay::smtp
