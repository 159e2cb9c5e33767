// The log lines of the inbound side: one JSON object each.
#include "relay/inbound/events.hpp"

#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

boost::json::object parsed(const std::string& line) {
  EXPECT_EQ(line.find('\n'), std::string::npos);
  return boost::json::parse(line).as_object();
}

TEST(ReceivedEvent, NamesTheMessageAndItsWay) {
  House house;
  house.talk({"EHLO client.example\r\n", "MAIL FROM:<ann@sender.example>\r\n",
              "RCPT TO:<info@example.org>\r\n", "RCPT TO:<team@example.org>\r\n", "DATA\r\n",
              "Message-ID: <m1@sender.example>\r\n\r\nx\r\n.\r\n"});
  ASSERT_EQ(house.log.lines.size(), 1U);
  ASSERT_EQ(house.queue.stored.size(), 1U);
  const auto event = parsed(house.log.lines[0]);
  EXPECT_EQ(event.at("event"), "received");
  EXPECT_EQ(event.at("msg_id").as_string(), house.queue.stored[0].message.message.id.to_string());
  EXPECT_EQ(event.at("peer_ip"), "192.0.2.7");
  EXPECT_EQ(event.at("helo"), "client.example");
  EXPECT_EQ(event.at("mail_from"), "ann@sender.example");
  EXPECT_EQ(event.at("rcpt"), "info@example.org, team@example.org");
  EXPECT_EQ(event.at("rcpt_count"), 2);
  EXPECT_EQ(event.at("target_count"), 3);
  EXPECT_EQ(event.at("handling"), "plain, plain, plain");
  EXPECT_EQ(event.at("message_id"), "<m1@sender.example>");
  EXPECT_EQ(event.at("size"), 38);
}

/// The list of rules may be cut; who gets nothing is named beside it.
TEST(ReceivedEvent, NamesTheMembersThatLeadNowhere) {
  mail::QueuedMessage queued;
  forward::ResolvedRecipient taken{.original = *mail::parse_forward_path("<all@example.org>"),
                                   .targets = {}};
  taken.rule = std::string(2000, 'x');
  taken.dead = {{"ghost@example.org", "No such user here"},
                {"c@else.example", "has not confirmed"}};
  const std::string line = received_event(queued, {taken}, std::nullopt, "").line();
  EXPECT_NE(line.find(R"("dead":"ghost@example.org (No such user here), c@else.example (has not)"),
            std::string::npos)
      << line;
  EXPECT_NE(line.find("\"dead_count\":2"), std::string::npos) << line;
  taken.dead.clear();
  EXPECT_EQ(received_event(queued, {taken}, std::nullopt, "").line().find("dead"),
            std::string::npos);
}

TEST(RejectedEvent, NamesStageAndReply) {
  House house;
  house.talk({"EHLO client.example\r\n", "MAIL FROM:<ann@sender.example>\r\n",
              "RCPT TO:<nobody@example.org>\r\n", "QUIT\r\n"});
  ASSERT_EQ(house.log.lines.size(), 1U);
  const auto event = parsed(house.log.lines[0]);
  EXPECT_EQ(event.at("event"), "rejected");
  EXPECT_EQ(event.at("mail_from"), "ann@sender.example");
  EXPECT_EQ(event.at("rcpt"), "nobody@example.org");
  const auto& smtp = event.at("smtp").as_object();
  EXPECT_EQ(smtp.at("stage"), "rcpt");
  EXPECT_EQ(smtp.at("code"), 550);
  EXPECT_EQ(smtp.at("enhanced"), "5.1.1");
}

TEST(RejectedEvent, IsOneLineWhateverTheClientSaid) {
  House house;
  house.talk({"EHLO client.example\r\n", "MAIL FROM:<\"a\\\"}\\\\\"@sender.example>\r\n",
              "RCPT TO:<\xe2\x80\xae@example.org>\r\n", "RCPT TO:<\"\\\"\"@example.org>\r\n"});
  for (const std::string& line : house.log.lines) EXPECT_EQ(parsed(line).at("event"), "rejected");
  EXPECT_EQ(house.log.lines.size(), 2U);
}

}  // namespace
}  // namespace relay::inbound
