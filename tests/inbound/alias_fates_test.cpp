// Aliases that do not simply pass mail on, in a session.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/inbound/session.hpp"
#include "tests/inbound/house.hpp"
#include "tests/inbound/test_planner.hpp"

namespace relay::inbound {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const std::string kMessage = "From: Ann <ann@sender.example>\r\n\r\nHello\r\n";

std::string talk(House& house, const std::vector<std::string>& recipients,
                 const std::string& mail_parameters = "", const std::string& content = kMessage) {
  std::vector<std::string> lines{"EHLO client.example\r\n",
                                 "MAIL FROM:<ann@sender.example>" + mail_parameters + "\r\n"};
  for (const auto& recipient : recipients) {
    lines.push_back("RCPT TO:<" + recipient + "@example.org>\r\n");
  }
  lines.emplace_back("DATA\r\n");
  lines.push_back(content + ".\r\n");
  return house.talk(lines)->sent;
}

TEST(Discarding, Says250WhenTheMessageIsCommittedAndLogsIt) {
  House house;
  EXPECT_THAT(talk(house, {"noise"}), HasSubstr("250 2.0.0 queued as "));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  EXPECT_EQ(house.queue.stored[0].message.routes.at(0).ended, mail::End::Discarded);
  EXPECT_THAT(house.log.lines, Contains(HasSubstr("\"event\":\"discarded\"")));
  EXPECT_THAT(house.log.lines, Contains(HasSubstr("\"alias\":\"noise@example.org\"")));
  ASSERT_EQ(house.feed.offered.size(), 1U);
  EXPECT_EQ(house.feed.offered[0].queued.recipients.at(0).state, mail::RecipientState::Failed);
}

TEST(Discarding, PromisesNothingThatIsNotOnDisk) {
  House house;
  house.queue.commit_error = ports::SpoolError::Full;
  EXPECT_THAT(talk(house, {"noise"}), HasSubstr("452 4.3.1"));
  EXPECT_THAT(house.log.lines, Not(Contains(HasSubstr("discarded"))));
}

TEST(Discarding, CostsNobodyElseTheMail) {
  House house;
  EXPECT_THAT(talk(house, {"noise", "info"}), HasSubstr("250 2.0.0 queued as "));
  const auto& routes = house.queue.stored.at(0).message.routes;
  ASSERT_EQ(routes.size(), 2U);
  EXPECT_EQ(routes[1].ended, mail::End::None);
  EXPECT_EQ(routes[1].target.to_string(), "me@mail.example");
}

const std::string kLarge = kMessage + std::string(100, 'x') + "\r\n";

TEST(MaxSize, IsRefusedAtRcptWhenTheClientSaysTheSize) {
  House house;
  EXPECT_THAT(talk(house, {"small"}, " SIZE=101"), HasSubstr("550 5.2.3 "));
  EXPECT_TRUE(house.queue.stored.empty());
  House other;
  EXPECT_THAT(talk(other, {"small"}, " SIZE=100"), HasSubstr("queued as"));
  EXPECT_EQ(other.queue.stored.at(0).message.routes.at(0).ended, mail::End::None);
}

TEST(MaxSize, CostsNobodyElseTheMail) {
  House house;
  Policy policy = *house.policy.get();
  policy.notices_to_anyone = true;
  house.policy.publish(std::make_shared<const Policy>(policy));
  EXPECT_THAT(talk(house, {"small", "info"}, "", kLarge), HasSubstr("queued as"));
  const ports::NewMessage& stored = house.queue.stored.at(0).message;
  ASSERT_EQ(stored.routes.size(), 2U);
  EXPECT_EQ(stored.routes[0].ended, mail::End::Refused);
  EXPECT_EQ(stored.routes[1].ended, mail::End::None);
  EXPECT_TRUE(stored.owes_notices);
  EXPECT_THAT(house.log.lines, Contains(HasSubstr("\"event\":\"too_large\"")));
  // The sender can be told, so the message is taken and a DSN reports the failure.
  EXPECT_THAT(talk(house, {"small"}, "", kLarge), HasSubstr("queued as"));
}

/// No DSN is sent to a sender that nothing proves, so the client is refused and has to tell the
/// sender.
TEST(MaxSize, IsRefusedAfterTheDotWhereNobodyWouldHear) {
  House house;
  EXPECT_THAT(talk(house, {"small"}, "", kLarge), HasSubstr("550 5.2.3 "));
  EXPECT_TRUE(house.queue.stored.empty());
  EXPECT_THAT(talk(house, {"small", "info"}, "", kLarge), HasSubstr("queued as"));
  EXPECT_FALSE(house.queue.stored.at(0).message.owes_notices);
}

mail::AliasMark mark_of(const std::string& header) {
  House house;
  Policy policy = *house.policy.get();
  policy.planner = marking_planner(mail::AliasMark::DeliveredTo);
  house.policy.publish(std::make_shared<const Policy>(policy));
  talk(house, {"info"}, "", header + kMessage);
  return house.queue.stored.at(0).message.routes.at(0).mark;
}

/// A signature that covers one more field of a name than there are forbids adding one.
TEST(MarkAlias, BreaksNoSignature) {
  EXPECT_EQ(mark_of(""), mail::AliasMark::DeliveredTo);
  EXPECT_EQ(mark_of("DKIM-Signature: v=1; h=From:To; b=x\r\n"), mail::AliasMark::DeliveredTo);
  EXPECT_EQ(mark_of("DKIM-Signature: v=1; h=From:X-Original-To; b=x\r\n"),
            mail::AliasMark::DeliveredTo);
  EXPECT_EQ(mark_of("DKIM-Signature: v=1; h=From : delivered-TO\r\n :To; b=x\r\n"),
            mail::AliasMark::None);
  EXPECT_EQ(mark_of("ARC-Message-Signature: i=1; h=Delivered-To:From; b=x;;\r\n"),
            mail::AliasMark::None);
}

TEST(Fallback, IsStoredWithTheMessageAndSignedForAsLong) {
  House house;
  EXPECT_THAT(talk(house, {"help"}), HasSubstr("queued as"));
  const auto& routes = house.queue.stored.at(0).message.routes;
  ASSERT_EQ(routes.size(), 2U);
  EXPECT_EQ(routes[0].group, routes[1].group);
  EXPECT_FALSE(routes[0].stands_by);
  EXPECT_TRUE(routes[1].stands_by);
  EXPECT_FALSE(routes[1].reverse_path.is_null());
  EXPECT_EQ(house.signer.requests.at(0).lifetime, std::chrono::days(14));
  EXPECT_EQ(house.feed.offered.at(0).queued.recipients.at(1).state, mail::RecipientState::StandsBy);
  EXPECT_THAT(house.log.lines, Contains(HasSubstr("\"target\":\"a@mail.example\"")));
  EXPECT_THAT(house.log.lines, Contains(HasSubstr("\"fallback\":\"b@mail.example\"")));
}

}  // namespace
}  // namespace relay::inbound
