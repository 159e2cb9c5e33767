#include "relay/mail/received.hpp"

#include <gtest/gtest.h>

namespace relay::mail {
namespace {

/// "address helo reverse-name by".
std::string read(std::string_view value) {
  const auto found = read_received(value);
  if (!found) return "nothing";
  return found->address + '|' + found->helo + '|' + found->reverse_name + '|' + found->by;
}

TEST(Received, IsReadAsMailSystemsWriteIt) {
  EXPECT_EQ(
      read(" from helo.example (name.example [192.0.2.1])\r\n\tby gw.example (Postfix) with ESMTP "
           "id 1;\r\n\tMon, 1 Jan 2024 00:00:00 +0000 (UTC)\r\n"),
      "192.0.2.1|helo.example|name.example|gw.example");
  EXPECT_EQ(read("from helo.example (unknown [IPv6:2001:db8::1]) by GW.example. with SMTP; x"),
            "2001:db8::1|helo.example|unknown|gw.example");
  EXPECT_EQ(read("from name.example ([192.0.2.1]:4711 helo=helo.example) by gw.example with esmtp"),
            "192.0.2.1|helo.example|name.example|gw.example");
  EXPECT_EQ(read("from [192.0.2.1] (helo=helo.example) by gw.example with esmtp (Exim 4)"),
            "192.0.2.1|helo.example||gw.example");
  EXPECT_EQ(read("from helo.example (192.0.2.1) by gw.example (10.0.0.1) with Microsoft SMTP"),
            "192.0.2.1|helo.example||gw.example");
  EXPECT_EQ(read("from unknown (HELO helo.example) (192.0.2.1) by gw.example with SMTP"),
            "192.0.2.1|helo.example|unknown|gw.example");
  EXPECT_EQ(read("from helo.example ([192.0.2.1]) by gw.example (srs-relay) with ESMTPS id X"),
            "192.0.2.1|helo.example||gw.example");
  EXPECT_EQ(read("from helo.example (ann@name.example [192.0.2.1] (may be forged)) by gw.example"),
            "192.0.2.1|helo.example||gw.example");
  EXPECT_EQ(read("by gw.example (Postfix, from userid 1000) id 1; x"), "|||gw.example");
}

TEST(Received, TakesNoAddressFromWhatTheClientCallsItself) {
  EXPECT_EQ(read("from [6.6.6.6] (unknown [192.0.2.1]) by gw.example"),
            "192.0.2.1|[6.6.6.6]|unknown|gw.example");
  EXPECT_EQ(read("from [192.0.2.1] (helo=[6.6.6.6]) by gw.example"),
            "192.0.2.1|[6.6.6.6]||gw.example");
  EXPECT_EQ(read("from name.example ([192.0.2.1] helo=[6.6.6.6]) by gw.example"),
            "192.0.2.1|[6.6.6.6]|name.example|gw.example");
  EXPECT_EQ(read("from unknown (HELO [6.6.6.6]) (192.0.2.1) by gw.example"),
            "192.0.2.1|[6.6.6.6]|unknown|gw.example");
  EXPECT_EQ(read("from by (unknown [192.0.2.1]) by gw.example"), "192.0.2.1|by|unknown|gw.example");
}

TEST(Received, IsNothingWhereNobodyCanTellWhatBelongsToWhat) {
  EXPECT_EQ(read("from a (b [192.0.2.1] by gw.example"), "nothing");
  EXPECT_EQ(read("from \"a by gw.example"), "nothing");
  EXPECT_EQ(read(""), "|||");
  EXPECT_EQ(read("from"), "|||");
  EXPECT_EQ(read("from a by"), "|a||");
}

}  // namespace
}  // namespace relay::mail
