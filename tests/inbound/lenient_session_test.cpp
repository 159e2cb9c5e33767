// Input that is taken although it breaks the grammar or exceeds a customary limit: names of
// clients, forms of addresses, sizes of headers.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/base/sha256.hpp"
#include "relay/inbound/session.hpp"
#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using testing::HasSubstr;

const std::string kMessage = "From: Ann <ann@Sender.example>\r\nSubject: x\r\n\r\nHello  there\r\n";

/// What long lists of people in To, and gateways that add fields, make of a header.
TEST(Session, TakesLargeHeaders) {
  House house;
  std::string fields;
  for (int i = 0; i < 9990; ++i) fields += "X-A: yes\r\n";
  fields += "To: " + std::string(900, 'x') + "\r\n";
  for (int i = 0; i < 150; ++i) fields += ' ' + std::string(900, 'x') + "\r\n";
  ASSERT_GT(fields.size(), 200U * 1024);
  house.talk(envelope_and({fields + "\r\nbody\r\n.\r\n"}));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  EXPECT_EQ(house.queue.stored[0].content, fields + "\r\nbody\r\n");
}

TEST(Session, HasLimitsOfHeadersFromItsPolicy) {
  Limits limits;
  limits.max_header = 10'000;
  limits.max_header_fields = 100;
  House house(limits);
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X: y\r\n";
  EXPECT_THAT(house.talk(envelope_and({many + "\r\n.\r\n"}))->sent,
              HasSubstr("552 5.3.4 too many header fields"));
  const std::string large = "X: " + std::string(9'994, 'x') + "\r\n";  // 10,001 and the empty line
  EXPECT_THAT(house.talk(envelope_and({large + "\r\n.\r\n"}))->sent,
              HasSubstr("552 5.3.4 Header too large"));
  EXPECT_TRUE(house.queue.stored.empty());
  const std::string fits = "X: " + std::string(9'993, 'x') + "\r\n";
  house.talk(envelope_and({fits + "\r\n.\r\n"}));
  EXPECT_EQ(house.queue.stored.size(), 1U);
}

/// Content whose first line is no field (an mbox file, a folded line, no header at all): it is
/// kept, and the fields in front make that line neither a part of our last field nor the end of our
/// header.
TEST(Session, PutsAJointBetweenItsFieldsAndAFirstLineThatIsNone) {
  struct Case {
    const char* content;
    const char* joint;
    const char* body;
  };

  for (const auto& [content, joint, body] :
       std::vector<Case>{{"From ann@x.example Mon Nov 30 2026\r\nSubject: s\r\n\r\nHi\r\n",
                          "X-Mailbox-Line: ", "Hi\r\n"},
                         {" folded\r\nSubject: s\r\n\r\nHi\r\n", "X-Leading-Line:\r\n", "Hi\r\n"},
                         {"Hello\r\n\r\nthere\r\n", "\r\n", "Hello\r\n\r\nthere\r\n"},
                         {"Hello\r\n", "\r\n", "Hello\r\n"},
                         {"\r\nHi\r\n", "", "Hi\r\n"},
                         {"Subject: s\r\n\r\nHi\r\n", "", "Hi\r\n"}}) {
    SCOPED_TRACE(content);
    House house;
    house.talk(envelope_and({std::string(content) + ".\r\n"}));
    ASSERT_EQ(house.queue.stored.size(), 1U);
    EXPECT_EQ(house.queue.stored[0].content, content);
    EXPECT_THAT(house.queue.stored[0].message.message.trace_fields,
                testing::EndsWith("\r\n" + house.signer.signature + joint));
    EXPECT_EQ(house.signer.requests.back().relaxed_body_sha256, base::sha256(body));
  }
}

/// After results in our name are taken out, no header may be left.
TEST(Session, PutsAnEmptyLineBeforeWhatRemainsOfAForgedHeader) {
  House house;
  auto named = std::make_shared<Policy>(*house.policy.get());
  named->authserv_id = "mx.example.org";
  house.policy.publish(std::move(named));
  house.talk(envelope_and(
      {"Authentication-Results: mx.example.org; spf=pass\r\nHello\r\n\r\nthere\r\n.\r\n"}));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  EXPECT_EQ(house.queue.stored[0].content, "Hello\r\n\r\nthere\r\n");
  EXPECT_THAT(house.queue.stored[0].message.message.trace_fields,
              testing::EndsWith("\r\n" + house.signer.signature + "\r\n"));
  EXPECT_EQ(house.signer.requests.back().relaxed_body_sha256,
            base::sha256("Hello\r\n\r\nthere\r\n"));
}

/// RFC 5321 §4.1.4: no client is refused for the name it gives. It is in the trace, the log and the
/// queue, and must stay one word there.
TEST(Session, TakesWhateverTheClientCallsItself) {
  for (const std::string& name : {"my pc", "(none)", "[::1]", "a\"b", "m\xC3\xBC.example", "_"}) {
    House house;
    house.talk({"EHLO " + name + "\r\n", "MAIL FROM:ann@sender.example SIZE=100\r\n",
                "RCPT TO: info@example.org\r\n", "DATA\r\n", kMessage + ".\r\n"});
    ASSERT_EQ(house.queue.stored.size(), 1U) << name;
    const auto& message = house.queue.stored[0].message.message;
    EXPECT_EQ(message.reverse_path.to_string(), "ann@sender.example");
    EXPECT_TRUE(
        std::ranges::all_of(message.client.helo, [](char c) { return c >= ' ' && c <= '~'; }));
    const std::string trace = message.trace_fields.substr(0, message.trace_fields.find("\r\n"));
    EXPECT_THAT(trace, testing::MatchesRegex("Received: from [^ ]+ \\(\\[192\\.0\\.2\\.7\\]\\)"));
  }
}

/// A sender of 200 octets leaves under a token, and its bounce comes back to what was written.
TEST(Session, LeadsABounceBackToALongSender) {
  const std::string sender = std::string(100, 'l') + ".." + std::string(98, 'm') + "@far.example";
  House house;
  house.talk({"EHLO c.example\r\n", "MAIL FROM:<" + sender + ">\r\n",
              "RCPT TO:<info@example.org>\r\n", "DATA\r\n", kMessage + ".\r\n"});
  ASSERT_EQ(house.queue.stored.size(), 1U);
  const ports::NewMessage& message = house.queue.stored[0].message;
  ASSERT_EQ(message.tokens.size(), 1U);
  house.tokens.senders.emplace(message.tokens[0].token, message.tokens[0].reverse_path);
  const mail::Mailbox& address = message.routes[0].reverse_path.mailbox();
  EXPECT_LE(address.quoted_local_part().size(), mail::kMaxLocalPartOctets);
  house.talk({"EHLO c.example\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<" + address.to_string() + ">\r\n",
              "DATA\r\n", "Subject: bounce\r\n\r\n.\r\n"});
  ASSERT_EQ(house.queue.stored.size(), 2U);
  EXPECT_EQ(house.queue.stored[1].message.routes[0].target, *mail::Mailbox::parse(sender));
}

}  // namespace
}  // namespace relay::inbound
