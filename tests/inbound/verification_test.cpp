// A session that verifies: replies, stored messages and the fields in front of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/auth/dkim/test_signer.hpp"
#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

namespace dkim = auth::dkim;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kZone =
    "sender.example TXT \"v=spf1 ip4:192.0.2.7 -all\"\n"
    "_dmarc.sender.example TXT \"v=DMARC1; p=reject\"\n"
    "strict.example TXT \"v=spf1 -all\"\n"
    "_dmarc.strict.example TXT \"v=DMARC1; p=reject\"\n"
    "loose.example TXT \"v=spf1 -all\"\n"
    "_dmarc.loose.example TXT \"v=DMARC1; p=none\"\n"
    "_dmarc.broken.example SERVFAIL\n"
    "_dmarc.slow.example NEVER\n"
    "slow.example NEVER\n";

class Verifying : public testing::Test {
 protected:
  Verifying() { house_.verify(kZone); }

  /// What the client hears after a message by `author`, sent under his address.
  std::string replies_to(const std::string& author, const std::string& fields = "",
                         const std::string& recipient = "info@example.org") {
    const auto wire =
        house_.talk({"EHLO client.example\r\n", "MAIL FROM:<" + author + ">\r\n",
                     "RCPT TO:<" + recipient + ">\r\n", "DATA\r\n",
                     fields + "From: " + author + "\r\n\r\nHello\r\n.\r\n", "QUIT\r\n"});
    return wire->sent;
  }

  const ports::NewMessage& stored() const { return house_.queue.stored.back().message; }

  House house_;
};

TEST_F(Verifying, PutsItsResultsOnTop) {
  EXPECT_THAT(replies_to("ann@sender.example"), HasSubstr("250 2.0.0 queued"));
  ASSERT_EQ(house_.queue.stored.size(), 1U);
  const std::string& front = stored().message.trace_fields;
  EXPECT_THAT(front, StartsWith("Authentication-Results: mx.example.org;"));
  EXPECT_THAT(front, HasSubstr("dmarc=pass"));
  EXPECT_LT(front.find("Authentication-Results"), front.find("\r\nReceived: "));
  EXPECT_TRUE(stored().message.sender_authenticated);
}

TEST_F(Verifying, RefusesWhatTheAuthorsDomainWantsRefused) {
  EXPECT_THAT(replies_to("ann@strict.example"), HasSubstr("\r\n550 5.7.1 "));
  EXPECT_TRUE(house_.queue.stored.empty());
  bool told = false;
  for (const std::string& line : house_.log.lines) {
    told = told || line.find(R"("event":"verdicts")") != std::string::npos;
  }
  EXPECT_TRUE(told) << "the log says what was found";
}

TEST_F(Verifying, ForwardsDoubtfulMailAsSuch) {
  EXPECT_THAT(replies_to("ann@loose.example"), HasSubstr("250 2.0.0 queued"));
  EXPECT_TRUE(stored().routes.front().handling.risk_pool);
  EXPECT_FALSE(stored().message.sender_authenticated);
  EXPECT_THAT(stored().message.trace_fields, HasSubstr("dmarc=fail"));
}

/// Our signature over a message that failed would vouch for a forgery.
TEST_F(Verifying, SignsWhatPassedAndNothingThatFailed) {
  replies_to("ann@sender.example");
  EXPECT_FALSE(house_.signer.requests.back().unsigned_dkim);
  EXPECT_EQ(house_.signer.requests.back().lifetime, std::chrono::days(7));
  replies_to("ann@loose.example");
  ASSERT_EQ(house_.queue.stored.size(), 2U);
  EXPECT_TRUE(house_.signer.requests.back().unsigned_dkim);
}

/// ADR 15: held mail has no clock, and a signature on it none either.
TEST_F(Verifying, AsksForNoDateOnWhatIsHeld) {
  EXPECT_THAT(replies_to("ann@strict.example", "", "held@example.org"), HasSubstr("queued"));
  EXPECT_TRUE(stored().routes.front().held);
  EXPECT_EQ(house_.signer.requests.back().lifetime, std::nullopt);
}

/// The content is the same, the recipients are others each time.
TEST_F(Verifying, PutsOffASignedMessageThatComesAgainAndAgain) {
  auto limited = std::make_shared<Policy>(*house_.policy.get());
  limited->abuse.rates.per_signature = {.count = 3, .span = std::chrono::hours(1)};
  house_.policy.publish(limited);
  const auto key = dkim::test_key("ed25519");
  house_.resolver.replace_zone(std::string(kZone) + "s1._domainkey.sender.example TXT \"" +
                               key.dns_record() + "\"\n");
  const auto send = [&](const std::string& body, const std::string& recipients) {
    const std::string message = dkim::signed_with(
        "From: ann@sender.example\r\n\r\n" + body + "\r\n", key,
        "v=1; a=ed25519-sha256; d=sender.example; s=s1; c=relaxed/relaxed; h=from");
    const auto wire = house_.talk({"EHLO client.example\r\n", "MAIL FROM:<ann@sender.example>\r\n",
                                   recipients, "DATA\r\n", message + ".\r\n", "QUIT\r\n"});
    return wire->sent;
  };
  const std::string info = "RCPT TO:<info@example.org>\r\n";
  const std::string team = "RCPT TO:<team@example.org>\r\n";
  EXPECT_THAT(send("Replayed", info), HasSubstr("queued"));
  EXPECT_THAT(send("Replayed", team), HasSubstr("queued")) << "two copies: that makes three";
  const std::string held_up = send("Replayed", info + team);
  EXPECT_THAT(held_up, HasSubstr("\r\n451 4.7.1 Too many copies under one DKIM signature of "
                                 "sender.example, try again later\r\n"));
  EXPECT_EQ(house_.queue.stored.size(), 2U);
  EXPECT_EQ(house_.abuse.totals().over_rate, 1U);
  EXPECT_THAT(send("Another one", info), HasSubstr("queued"));
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(replies_to("ann@sender.example", "X-N: " + std::to_string(i) + "\r\n"),
                HasSubstr("queued"))
        << "unsigned";
  }
  house_.clock.advance(std::chrono::hours(1));
  EXPECT_THAT(send("Replayed", info + team), HasSubstr("queued"));
}

TEST_F(Verifying, PutsOffWhatCannotBeToldNow) {
  EXPECT_THAT(replies_to("ann@broken.example"), HasSubstr("\r\n451 4."));
  EXPECT_TRUE(house_.queue.stored.empty());
}

TEST_F(Verifying, WaitsForSlowAnswersAndNeverPasses) {
  const auto wire =
      house_.dial(envelope_and({"From: a@slow.example\r\n\r\nx\r\n.\r\n", "QUIT\r\n"}));
  house_.poll();
  EXPECT_THAT(wire->sent, Not(HasSubstr("queued")));
  house_.clock.advance(std::chrono::seconds(21));
  house_.poll();
  EXPECT_THAT(wire->sent, Not(HasSubstr("queued")));
  EXPECT_THAT(wire->sent, HasSubstr("\r\n451 4."));
}

TEST_F(Verifying, LeavesOutForgedResults) {
  EXPECT_THAT(
      replies_to("ann@sender.example",
                 "Authentication-Results: MX.example.org; dmarc=pass header.from=bank.example\r\n"),
      HasSubstr("250 2.0.0 queued"));
  EXPECT_EQ(house_.queue.stored.back().content, "From: ann@sender.example\r\n\r\nHello\r\n");
  EXPECT_EQ(stored().message.size, house_.queue.stored.back().content.size());
}

TEST_F(Verifying, AsksNobodyForStrangers) {
  house_.talk({"EHLO client.example\r\n", "MAIL FROM:<ann@sender.example>\r\n",
               "RCPT TO:<nobody@elsewhere.example>\r\n", "QUIT\r\n"});
  EXPECT_TRUE(house_.resolver.calls().empty());
}

TEST_F(Verifying, ASenderWhoLeavesEarlyLeavesNothingBehind) {
  for (int i = 0; i < 50; ++i) {
    house_.talk({"EHLO client.example\r\n", "MAIL FROM:<ann@slow.example>\r\n",
                 "RCPT TO:<info@example.org>\r\n", "RSET\r\n", "QUIT\r\n"});
  }
  house_.clock.advance(std::chrono::seconds(30));
  house_.poll();
  EXPECT_EQ(house_.acceptor.sessions(), 0U);
  EXPECT_TRUE(house_.queue.stored.empty());
}

}  // namespace
}  // namespace relay::inbound
