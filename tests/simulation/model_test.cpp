// The model of a server catches clients that break the rules, and reports truly what it took.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/simulation/talk.hpp"

namespace relay::simulation {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string kMail = "MAIL FROM:<m1@fwd.example>";
const std::string kRcpt = "RCPT TO:<o1-0@x.example>";
const std::string kContent = "Message-ID: <id1@sim>\r\n\r\n..dots\r\nbody\r\n.";

TEST(ServerModel, TakesAMessageFromAClientThatKeepsTheRules) {
  Talk talk;
  const auto heard =
      talk.say(greeted({kMail, "<", kRcpt, "<", "DATA", "<", kContent, "<", "QUIT", "<"}));
  EXPECT_THAT(heard, ElementsAre(StartsWith("220"), HasSubstr("250-PIPELINING"), StartsWith("250"),
                                 StartsWith("250"), StartsWith("354"), StartsWith("250"),
                                 StartsWith("221")));
  EXPECT_THAT(talk.witness.taken, ElementsAre("o1-0@x.example"));
  EXPECT_THAT(talk.witness.message_ids, ElementsAre("id1"));
  EXPECT_THAT(talk.witness.hashes, ElementsAre(text_hash(".dots\r\nbody\r\n")));
  EXPECT_THAT(talk.witness.breaches, IsEmpty());
}

TEST(ServerModel, TakesPipelinedCommands) {
  Talk talk;
  const auto heard = talk.say(greeted({kMail + "\r\n" + kRcpt + "\r\nDATA", "<", "<", "<", kContent,
                                       "<", "RSET\r\n" + kMail + "\r\n" + kRcpt, "<", "<", "<"}));
  EXPECT_EQ(heard.size(), 9U);
  EXPECT_THAT(talk.witness.breaches, IsEmpty());
}

struct BadScript {
  const char* name;
  std::vector<std::string> script;
  Breach breach;
  void (*adjust)(Mood&) = [](Mood&) {};
};

class BadClient : public testing::TestWithParam<BadScript> {};

TEST_P(BadClient, IsCaught) {
  Talk talk;
  GetParam().adjust(talk.mood());
  talk.say(GetParam().script, 5s);
  EXPECT_THAT(talk.witness.breaches, Contains(GetParam().breach));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadClient,
    testing::Values(
        BadScript{"BeforeBanner", {"EHLO a", "<"}, Breach::BeforeBanner},
        BadScript{"CommandBeforeEhloReply", {"<", "EHLO a", kMail}, Breach::BeforeReply},
        BadScript{"PipelinesWithoutOffer", greeted({kMail, kRcpt}), Breach::BeforeReply,
                  [](Mood& mood) { mood.pipelining = false; }},
        BadScript{"ContentBefore354", greeted({kMail, "<", kRcpt, "<", "DATA", kContent}),
                  Breach::BeforeReply},
        BadScript{"GoesOnAfterSilence", greeted({kMail, "wait 400", "QUIT"}), Breach::BeforeReply,
                  [](Mood& mood) {
                    mood.habits = {
                        {.step = Step::Mail, .what = Does::StaysSilent, .per_mille = 1000}};
                  }},
        BadScript{"UnknownCommand", greeted({"XYZZY", "<"}), Breach::UnknownCommand},
        BadScript{"LongLine", greeted({"NOOP " + std::string(600, 'x'), "<"}), Breach::LineTooLong},
        BadScript{"BareLineFeed", greeted({"NOOP\n\\", "<"}), Breach::BareLineFeed},
        BadScript{"MailWithoutHello", {"<", kMail, "<"}, Breach::MailWithoutHello},
        BadScript{"NestedMail", greeted({kMail, "<", kMail, "<"}), Breach::MailInTransaction},
        BadScript{"MailAfterRefusedRecipients",
                  greeted({kMail, "<", "RCPT TO:<u1-0@x.example>", "<", kMail, "<"}),
                  Breach::MailInTransaction},
        BadScript{
            "MailAfterRefusedData", greeted({kMail, "<", kRcpt, "<", "DATA", "<", kMail, "<"}),
            Breach::MailInTransaction,
            [](Mood& mood) { mood.habits = {{Step::Data, Does::Replies, 1000, 451, "4.3.0"}}; }},
        BadScript{"ParameterNotOffered", greeted({kMail + " SIZE=10", "<"}),
                  Breach::ParameterNotOffered, [](Mood& mood) { mood.size = false; }},
        BadScript{"RcptWithoutMail", greeted({kRcpt, "<"}), Breach::RcptWithoutMail},
        BadScript{
            "RcptAfterRefusedMail", greeted({kMail, "<", kRcpt, "<"}), Breach::RcptWithoutMail,
            [](Mood& mood) { mood.habits = {{Step::Mail, Does::Replies, 1000, 451, "4.3.0"}}; }},
        BadScript{"DataWithoutRcpt", greeted({kMail, "<", "DATA", "<"}), Breach::DataWithoutRcpt},
        BadScript{"DataAfterRefusedRecipients",
                  greeted({kMail, "<", "RCPT TO:<u1-0@x.example>", "<", "DATA", "<"}),
                  Breach::DataWithoutRcpt},
        BadScript{"TlsNotOffered", greeted({"STARTTLS", "<"}), Breach::TlsNotOffered},
        BadScript{"TlsTwice", greeted({"STARTTLS", "<", "TLS", "EHLO a", "<", "STARTTLS", "<"}),
                  Breach::TlsTwice, [](Mood& mood) { mood.tls = Tls::Works; }},
        BadScript{"TlsInTransaction", greeted({kMail, "<", "STARTTLS", "<"}),
                  Breach::TlsInTransaction, [](Mood& mood) { mood.tls = Tls::Works; }},
        BadScript{"ClearTextAfterStartTls", greeted({"STARTTLS", "<", kMail, "<"}),
                  Breach::ClearTextAfterStartTls, [](Mood& mood) { mood.tls = Tls::Works; }},
        BadScript{"ClearTextWithStartTls", greeted({"STARTTLS\r\n" + kMail, "<"}),
                  Breach::ClearTextAfterStartTls, [](Mood& mood) { mood.tls = Tls::Works; }},
        BadScript{"MailWithoutSecondHello", greeted({"STARTTLS", "<", "TLS", kMail, "<"}),
                  Breach::MailWithoutHello, [](Mood& mood) { mood.tls = Tls::Works; }},
        BadScript{"MoreRecipientsThanStated", greeted({kMail, "<", kRcpt, "<", kRcpt, "<"}),
                  Breach::StatedLimit, [](Mood& mood) { mood.stated_recipients = 1; }},
        BadScript{"MoreMessagesThanStated", greeted({kMail, "<", "RSET", "<", kMail, "<"}),
                  Breach::StatedLimit, [](Mood& mood) { mood.stated_messages = 1; }},
        BadScript{
            "ContentForNobody",
            greeted({kMail + "\r\nRCPT TO:<u1-0@x.example>\r\nDATA", "<", "<", "<", kContent, "<"}),
            Breach::ContentForNobody, [](Mood& mood) { mood.says_354_to_nobody = true; }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ServerModel, AllowsWhatAPipeliningClientCouldNotKnow) {
  Talk talk;
  const auto heard = talk.say(greeted({kMail + "\r\nRCPT TO:<u1-0@x.example>\r\nDATA", "<", "<",
                                       "<", "RSET\r\n" + kMail, "<", "<"}));
  EXPECT_THAT(heard[3], HasSubstr("550 5.1.1 [r1]"));
  EXPECT_THAT(heard[4], StartsWith("554"));
  EXPECT_THAT(talk.witness.breaches, IsEmpty());
}

TEST(ServerModel, NumbersRepliesThatSayNo) {
  Talk talk;
  const auto heard = talk.say(greeted({kMail, "<", "RCPT TO:<f1-0@x.example>", "<"}));
  EXPECT_THAT(heard.back(), "552 5.2.2 [r1] mailbox full");
  ASSERT_EQ(talk.witness.replies.size(), 1U);
  EXPECT_EQ(talk.witness.replies[0].number, 1U);
  EXPECT_EQ(talk.witness.replies[0].code, 552);
}

TEST(ServerModel, LimitsRecipientsAndMessagesAndConnections) {
  Talk talk;
  talk.mood().recipients = {.most = 1};
  talk.mood().messages.most = 1;
  auto heard = talk.say(greeted(
      {kMail, "<", kRcpt, "<", "RCPT TO:<o1-1@x.example>", "<", "RSET", "<", kMail, "<", "<"}));
  EXPECT_THAT(heard[4], StartsWith("452 4.5.3"));
  EXPECT_THAT(heard[6], StartsWith("421"));
  EXPECT_EQ(heard[7], describe(ports::IoError::Closed));
}

TEST(ServerModel, TurnsAStrangerAwayUntilTimeHasPassed) {
  Talk talk;
  talk.mood().greylist = {.tries = 1, .delay = 60s, .code = 451, .status = "4.7.1"};
  const auto heard = talk.say(greeted({kMail, "<", kRcpt, "<", kRcpt, "<", "wait 61", kRcpt, "<"}));
  EXPECT_THAT(heard[3], StartsWith("451 4.7.1"));
  EXPECT_THAT(heard[4], StartsWith("451"));
  EXPECT_THAT(heard[5], StartsWith("250"));
}

TEST(ServerModel, RefusesWhatIsNotItsTenants) {
  Talk talk;
  talk.mood().own_domains_only = true;
  const auto heard = talk.say(greeted({kMail, "<", "RCPT TO:<o1-0@y.example>", "<", kRcpt, "<"}));
  EXPECT_THAT(heard[3], StartsWith("550 5.7.1"));
  EXPECT_THAT(heard[4], StartsWith("250"));
}

TEST(ServerModel, MayTakeAMessageAndNotSaySo) {
  Talk talk;
  talk.mood().habits = {{.step = Step::Dot, .what = Does::TakesAndResets, .per_mille = 1000}};
  const auto heard = talk.say(greeted({kMail, "<", kRcpt, "<", "DATA", "<", kContent, "<"}));
  EXPECT_EQ(heard.back(), describe(ports::IoError::Reset));
  EXPECT_THAT(talk.witness.taken, ElementsAre("o1-0@x.example"));
}

TEST(ServerModel, DoesNotTakeWhatItRefuses) {
  for (const auto what : {Does::Replies, Does::Closes421}) {
    Talk talk;
    talk.mood().habits = {{Step::Dot, what, 1000, 554, "5.7.1"}};
    talk.say(greeted({kMail, "<", kRcpt, "<", "DATA", "<", kContent, "<"}));
    EXPECT_THAT(talk.witness.taken, IsEmpty());
    EXPECT_EQ(talk.witness.dots, 1);
  }
}

TEST(ServerModel, IsSlowOrSilentAsItsMoodSays) {
  Talk slow;
  slow.mood().habits = {{.step = Step::Mail, .what = Does::IsSlow, .per_mille = 1000, .span = 90s}};
  EXPECT_THAT(slow.say(greeted({kMail, "<"})).back(), StartsWith("250"));
  EXPECT_GE(slow.took(), 90s);
  Talk silent;
  silent.mood().habits = {{.step = Step::Mail, .what = Does::StaysSilent, .per_mille = 1000}};
  EXPECT_EQ(silent.say(greeted({kMail, "<"}), 30s).back(), describe(ports::IoError::Timeout));
  ASSERT_EQ(silent.witness.closes.size(), 1U);
  EXPECT_TRUE(silent.witness.closes[0].awaiting);
  EXPECT_EQ(silent.witness.closes[0].waited, 30s);
}

TEST(ServerModel, DripsAReplyToItsEnd) {
  Talk talk;
  talk.mood().habits = {
      {.step = Step::Banner, .what = Does::Drips, .per_mille = 1000, .span = 20s}};
  const auto heard = talk.say({"<"});
  EXPECT_THAT(heard, ElementsAre("220 ready"));
  EXPECT_GE(talk.took(), 20s);
}

TEST(ServerModel, ClosesAnIdleConnection) {
  Talk talk;
  talk.mood().idle = 30s;
  const auto heard = talk.say(greeted({"wait 31", "<", "<"}));
  EXPECT_THAT(heard[2], StartsWith("421 4.4.2"));
  EXPECT_EQ(heard[3], describe(ports::IoError::Closed));
}

TEST(ServerModel, FailsItsHandshakeEarlyOrLate) {
  const std::vector<std::string> script =
      greeted({"STARTTLS", "<", "TLS", "EHLO relay.example", "<"});
  const std::vector<std::pair<Tls, std::string>> cases{
      {Tls::FailsEarly, "TLS failed"}, {Tls::FailsLate, "TLS failed"}, {Tls::Works, "250"}};
  for (const auto& [tls, end] : cases) {
    Talk talk;
    talk.mood().tls = tls;
    EXPECT_THAT(talk.say(script).back(), HasSubstr(end)) << static_cast<int>(tls);
    EXPECT_THAT(talk.witness.handshakes, ElementsAre(tls == Tls::Works));
  }
}

TEST(ServerModel, CannotBeReachedWhenItIsDown) {
  Talk talk;
  talk.host().reach = Reach::Refuses;
  EXPECT_THAT(talk.say({"<"}), ElementsAre(describe(ports::IoError::Refused)));
  talk.host().reach = Reach::Silent;
  EXPECT_THAT(talk.say({"<"}, 30s), ElementsAre(describe(ports::IoError::Timeout)));
  EXPECT_EQ(talk.took(), 30s);
}

}  // namespace
}  // namespace relay::simulation
