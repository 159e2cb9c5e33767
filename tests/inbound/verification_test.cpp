// A session that verifies: what the client hears, what is stored, and what stands in front of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

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
  std::string replies_to(const std::string& author, const std::string& fields = "") {
    const auto wire =
        house_.talk({"EHLO client.example\r\n", "MAIL FROM:<" + author + ">\r\n",
                     "RCPT TO:<info@example.org>\r\n", "DATA\r\n",
                     fields + "From: " + author + "\r\n\r\nHello\r\n.\r\n", "QUIT\r\n"});
    return wire->sent;
  }

  const ports::NewMessage& stored() const { return house_.spool.stored.back().message; }

  House house_;
};

TEST_F(Verifying, PutsItsResultsOnTop) {
  EXPECT_THAT(replies_to("ann@sender.example"), HasSubstr("250 2.0.0 queued"));
  ASSERT_EQ(house_.spool.stored.size(), 1U);
  const std::string& front = stored().message.trace_fields;
  EXPECT_THAT(front, StartsWith("Authentication-Results: mx.example.org;"));
  EXPECT_THAT(front, HasSubstr("dmarc=pass"));
  EXPECT_LT(front.find("Authentication-Results"), front.find("\r\nReceived: "));
  EXPECT_TRUE(stored().message.sender_authenticated);
}

TEST_F(Verifying, RefusesWhatTheAuthorsDomainWantsRefused) {  // A-5
  EXPECT_THAT(replies_to("ann@strict.example"), HasSubstr("\r\n550 5.7.1 "));
  EXPECT_TRUE(house_.spool.stored.empty());
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

TEST_F(Verifying, PutsOffWhatCannotBeToldNow) {  // N-1
  EXPECT_THAT(replies_to("ann@broken.example"), HasSubstr("\r\n451 4."));
  EXPECT_TRUE(house_.spool.stored.empty());
}

TEST_F(Verifying, WaitsForSlowAnswersAndNeverPasses) {  // N-9
  const auto wire =
      house_.dial(envelope_and({"From: a@slow.example\r\n\r\nx\r\n.\r\n", "QUIT\r\n"}));
  house_.poll();
  EXPECT_THAT(wire->sent, Not(HasSubstr("queued")));
  house_.clock.advance(std::chrono::seconds(21));
  house_.poll();
  EXPECT_THAT(wire->sent, Not(HasSubstr("queued")));
  EXPECT_THAT(wire->sent, HasSubstr("\r\n451 4."));
}

TEST_F(Verifying, LeavesOutForgedResults) {  // A-1
  EXPECT_THAT(
      replies_to("ann@sender.example",
                 "Authentication-Results: MX.example.org; dmarc=pass header.from=bank.example\r\n"),
      HasSubstr("250 2.0.0 queued"));
  EXPECT_EQ(house_.spool.stored.back().content, "From: ann@sender.example\r\n\r\nHello\r\n");
  EXPECT_EQ(stored().message.size, house_.spool.stored.back().content.size());
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
  EXPECT_TRUE(house_.spool.stored.empty());
}

}  // namespace
}  // namespace relay::inbound
