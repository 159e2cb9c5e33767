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

/// The list of rules may be cut; targets that get nothing are named apart.
TEST(ReceivedEvent, NamesTheMembersThatLeadNowhere) {
  const mail::QueuedMessage queued;
  const mail::Client client;
  const Dialogue dialogue{.client = client};
  forward::ResolvedRecipient taken{.original = *mail::parse_forward_path("<all@example.org>"),
                                   .targets = {}};
  taken.rule = std::string(2000, 'x');
  taken.dead = {{"ghost@example.org", "No such user here"},
                {"c@else.example", "has not confirmed"}};
  const std::string line = received_event(queued, {taken}, std::nullopt, dialogue, {}).line();
  EXPECT_NE(line.find(R"("dead":"ghost@example.org (No such user here), c@else.example (has not)"),
            std::string::npos)
      << line;
  EXPECT_NE(line.find("\"dead_count\":2"), std::string::npos) << line;
  taken.dead.clear();
  EXPECT_EQ(received_event(queued, {taken}, std::nullopt, dialogue, {}).line().find("dead"),
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

/// A person who asks why a message did not come knows a recipient, the Message-ID or the author.
TEST(RejectedEvent, IsFoundByWhatIsKnownOfAMessageRefusedAfterData) {
  House house;
  house.verify(
      "strict.example TXT \"v=spf1 -all\"\n_dmarc.strict.example TXT \"v=DMARC1; p=reject\"\n");
  const auto wire = house.talk(
      {"EHLO client.example\r\n", "MAIL FROM:<bounces@sender.example>\r\n",
       "RCPT TO:<info@example.org>\r\n", "RCPT TO:<team@example.org>\r\n", "DATA\r\n",
       "Message-ID: <m1@strict.example>\r\nFrom: Ann <ann@strict.example>\r\n\r\nx\r\n.\r\n",
       "RSET\r\n", "MAIL FROM:<ann@sender.example>\r\n", "RCPT TO:<nobody@example.org>\r\n",
       "RCPT TO:<info@example.org>\r\n", "DATA\r\n", "From: ann@sender.example\r\n\r\n.\r\n"});
  ASSERT_EQ(house.log.lines.size(), 4U) << wire->sent;
  const auto verdicts = parsed(house.log.lines[0]);
  const auto refused = parsed(house.log.lines[1]);
  EXPECT_EQ(verdicts.at("event"), "verdicts");
  EXPECT_EQ(refused.at("event"), "rejected");
  EXPECT_EQ(refused.at("smtp").as_object().at("stage"), "end-of-data");
  EXPECT_EQ(refused.at("mail_from"), "bounces@sender.example");
  EXPECT_EQ(refused.at("rcpt"), "info@example.org, team@example.org");
  EXPECT_EQ(refused.at("rcpt_count"), 2);
  EXPECT_EQ(refused.at("message_id"), "<m1@strict.example>");
  EXPECT_EQ(refused.at("from_domain"), "strict.example");
  EXPECT_EQ(refused.at("msg_id"), verdicts.at("msg_id"));
  const auto unknown = parsed(house.log.lines[2]);
  EXPECT_EQ(unknown.at("rcpt"), "nobody@example.org");
  EXPECT_FALSE(unknown.contains("msg_id")) << "nothing of the message before belongs to this one";
  const auto received = parsed(house.log.lines[3]);
  EXPECT_EQ(received.at("event"), "received");
  EXPECT_NE(received.at("msg_id"), refused.at("msg_id"));
  for (const auto& event : {refused, unknown, received}) {
    EXPECT_EQ(event.at("session"), verdicts.at("session"));
  }
  house.talk(envelope_and({"Subject: x\r\n\r\n.\r\n"}));
  EXPECT_NE(parsed(house.log.lines.back()).at("session"), verdicts.at("session"));
}

/// A header that has no end, or none that can be read, is no reason to lose the recipients.
TEST(RejectedEvent, SaysWhatHasComeOfContentThatIsCutOrFaulty) {
  Limits limits;
  limits.max_size = 1000;
  House house(limits);
  const std::string fields =
      "Message-ID: <m2@sender.example>\r\nFrom: a@b.example, c@d.example\r\n";
  house.talk(envelope_and({fields + "\r\n", std::string(1000, 'x'), std::string(1001, 'x')}));
  house.talk(envelope_and({"Subject: a bare\n line end\r\n.\r\n"}));
  ASSERT_EQ(house.log.lines.size(), 2U);
  const auto cut = parsed(house.log.lines[0]);
  EXPECT_EQ(cut.at("smtp").as_object().at("stage"), "data");
  EXPECT_EQ(cut.at("rcpt"), "info@example.org");
  EXPECT_EQ(cut.at("message_id"), "<m2@sender.example>");
  EXPECT_EQ(cut.at("from_domain"), "b.example, d.example");
  const auto faulty = parsed(house.log.lines[1]);
  EXPECT_EQ(faulty.at("smtp").as_object().at("stage"), "end-of-data");
  EXPECT_EQ(faulty.at("rcpt"), "info@example.org");
  EXPECT_FALSE(faulty.contains("message_id"));
}

/// Refused before the author is read: there are too many fields, or they cannot be parsed.
TEST(RejectedEvent, NamesARecipientThatWasNotLookedUp) {
  Limits limits;
  limits.max_recipients = 1;
  House house(limits);
  house.talk({"EHLO client.example\r\n", "MAIL FROM:<ann@sender.example>\r\n",
              "RCPT TO:<info@example.org>\r\n", "RCPT TO:<team@example.org>\r\n",
              "RCPT TO:<team@>\r\n"});
  ASSERT_EQ(house.log.lines.size(), 2U);
  EXPECT_EQ(parsed(house.log.lines[0]).at("rcpt"), "<team@example.org>");
  EXPECT_EQ(parsed(house.log.lines[1]).at("rcpt"), "<team@>");
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
