#include "relay/inbound/session.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "relay/mail/header.hpp"
#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string sha256_of(const std::string& octets) {
  std::string digest(32, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(octets.data()), octets.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

const std::string kMessage = "From: Ann <ann@Sender.example>\r\nSubject: x\r\n\r\nHello  there\r\n";

TEST(Session, Answers250OnlyWithTheMessageStored) {
  House house;
  const auto wire = house.talk(envelope_and({kMessage + ".\r\n", "QUIT\r\n"}));

  ASSERT_EQ(house.queue.stored.size(), 1U);
  const auto& stored = house.queue.stored[0];
  EXPECT_THAT(wire->sent,
              HasSubstr("250 2.0.0 queued as " + stored.message.message.id.to_string() + "\r\n"));
  EXPECT_THAT(wire->sent, HasSubstr("221 2.0.0 Bye\r\n"));
  EXPECT_TRUE(wire->closed);
  EXPECT_EQ(stored.content, kMessage);
  EXPECT_EQ(stored.message.content_sha256, sha256_of(kMessage));
  EXPECT_EQ(stored.message.message.size, kMessage.size());
  EXPECT_EQ(stored.message.message.client.address, "192.0.2.7");
  EXPECT_EQ(stored.message.message.client.helo, "client.example");
  ASSERT_EQ(stored.message.routes.size(), 1U);
  EXPECT_EQ(stored.message.routes[0].target.to_string(), "me@mail.example");
}

TEST(Session, PutsReceivedOnTopOfTheSignatures) {
  House house;
  house.talk(envelope_and({kMessage + ".\r\n"}));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  const std::string& trace = house.queue.stored[0].message.message.trace_fields;
  EXPECT_TRUE(trace.starts_with("Received: ")) << trace;
  EXPECT_TRUE(trace.ends_with("\r\n" + house.signer.signature)) << trace;
}

/// Several would learn of each other.
TEST(Session, NamesTheAliasInTheTraceWhenItIsTheOnlyRecipient) {
  const auto trace_for = [](const std::string& recipients) {
    House house;
    house.talk({"EHLO client.example\r\n", "MAIL FROM:<ann@sender.example>\r\n" + recipients,
                "DATA\r\n", kMessage + ".\r\n"});
    return house.queue.stored.at(0).message.message.trace_fields;
  };
  EXPECT_THAT(trace_for("RCPT TO:<team@example.org>\r\n"),
              HasSubstr("\r\n\tfor <team@example.org>;\r\n\t"));
  EXPECT_THAT(trace_for("RCPT TO:<info@example.org>\r\nRCPT TO:<team@example.org>\r\n"),
              testing::Not(HasSubstr("\tfor ")));
}

TEST(Session, AsksTheSignerForTheOriginalHeaderAndTheRelaxedBody) {
  House house;
  house.talk(envelope_and({kMessage + ".\r\n"}));
  ASSERT_EQ(house.signer.requests.size(), 1U);
  const auto& request = house.signer.requests[0];
  EXPECT_EQ(request.header->block(), "From: Ann <ann@Sender.example>\r\nSubject: x\r\n");
  EXPECT_EQ(request.from_domain, "sender.example");
  EXPECT_EQ(request.relaxed_body_sha256, sha256_of("Hello there\r\n"));
  EXPECT_EQ(request.now_unix, 1795489200);
  EXPECT_EQ(request.lifetime, std::chrono::days(7));
}

TEST(Session, OffersTheStoredMessageForDelivery) {
  House house;
  house.talk(envelope_and({kMessage + ".\r\n"}));
  ASSERT_EQ(house.feed.offered.size(), 1U);
  const auto& fresh = house.feed.offered[0];
  ASSERT_TRUE(fresh.content);
  EXPECT_EQ(*fresh.content, kMessage);
  ASSERT_EQ(fresh.queued.recipients.size(), 1U);
  EXPECT_EQ(fresh.queued.recipients[0].next_due, fresh.queued.received_at);
}

TEST(Session, StreamsABigMessageInChunksOfOneSize) {
  House house;
  std::string content = "Subject: big\r\n\r\n";
  while (content.size() < 3 * ports::kChunkOctets) content += "0123456789 line of text\r\n";
  const auto wire = house.talk(envelope_and({content, ".\r\n"}));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  EXPECT_EQ(house.queue.stored[0].chunks, 3U);
  EXPECT_EQ(house.queue.stored[0].content, content);
  EXPECT_EQ(house.queue.stored[0].message.content_sha256, sha256_of(content));
  EXPECT_FALSE(house.feed.offered[0].content);  // too big to travel in memory
  EXPECT_EQ(house.memory.held(), 0U);
}

TEST(Session, TakesSeveralMessagesWithFreshState) {
  House house;
  auto dialogue = envelope_and({kMessage + ".\r\n", "DATA\r\n", "RCPT TO:<team@example.org>\r\n",
                                "MAIL FROM:<>\r\n", "RCPT TO:<team@example.org>\r\n", "DATA\r\n",
                                "Subject: two\r\n\r\n.\r\n"});
  const auto wire = house.talk(dialogue);
  ASSERT_EQ(house.queue.stored.size(), 2U);
  EXPECT_TRUE(house.queue.stored[1].message.message.reverse_path.is_null());
  EXPECT_EQ(house.queue.stored[1].message.routes.size(), 2U);
  EXPECT_THAT(wire->sent, HasSubstr("503 5.5.1 MAIL and RCPT first\r\n503 5.5.1 MAIL first\r\n"));
}

TEST(Session, AnswersAPipelinedGroupInOneWrite) {
  House house;
  const auto wire = house.talk({"EHLO c.example\r\n",
                                "MAIL FROM:<a@b.example>\r\nRCPT TO:<info@example.org>\r\nRCPT "
                                "TO:<no@example.org>\r\nDATA\r\n",
                                kMessage + ".\r\nQUIT\r\n"});
  ASSERT_GE(wire->writes.size(), 3U);
  EXPECT_THAT(wire->writes[2], HasSubstr("250 2.1.0"));
  EXPECT_THAT(wire->writes[2], HasSubstr("550 5.1.1"));
  EXPECT_THAT(wire->writes[2], HasSubstr("354 "));
  EXPECT_EQ(house.queue.stored.size(), 1U);
}

TEST(Session, SaysTheSameHoweverMuchLeavesAtOnce) {
  const auto said = [](std::size_t takes_now, bool write_fails = false) {
    House house;
    const auto wire = house.dial(envelope_and({kMessage + ".\r\nNOOP\r\n", "QUIT\r\n"}));
    wire->takes_now = takes_now;
    wire->write_fails = write_fails;
    house.poll();
    EXPECT_EQ(house.queue.stored.size(), write_fails ? 0U : 1U);
    EXPECT_TRUE(wire->closed);
    std::string text = wire->sent;
    for (const auto& stored : house.queue.stored) {
      const std::string id = stored.message.message.id.to_string();
      text.replace(text.find(id), id.size(), "ID");
    }
    return text;
  };
  const std::string waited_for = said(0);
  EXPECT_TRUE(waited_for.ends_with("221 2.0.0 Bye\r\n")) << waited_for;
  for (const std::size_t octets : {1U, 7U, 40U, 100'000U}) EXPECT_EQ(said(octets), waited_for);
  EXPECT_EQ(said(0, true), "");
}

TEST(Session, IsIndifferentToSegmentation) {
  const std::string all = "MAIL FROM:<a@b.example>\r\nRCPT TO:<info@example.org>\r\n";
  for (std::size_t cut = 1; cut < all.size(); ++cut) {
    House house;
    const auto wire = house.talk({"EHLO c.example\r\n", all.substr(0, cut), all.substr(cut),
                                  "DATA\r\n", kMessage + ".\r\n"});
    ASSERT_EQ(house.queue.stored.size(), 1U) << cut;
  }
}

// ---- errors of the queue

struct SpoolCase {
  const char* name;
  ports::SpoolError error;
  const char* reply;
  bool closes;
};

class SpoolFailure : public testing::TestWithParam<SpoolCase> {};

TEST_P(SpoolFailure, NeverLeadsToA250) {
  House house;
  house.queue.commit_error = GetParam().error;
  const auto wire = house.talk(envelope_and({kMessage + ".\r\n", "NOOP\r\n"}));
  EXPECT_THAT(wire->sent, HasSubstr(GetParam().reply));
  EXPECT_THAT(wire->sent, testing::Not(HasSubstr("queued as")));
  EXPECT_EQ(wire->sent.ends_with("250 2.0.0 Ok\r\n"), !GetParam().closes);
  EXPECT_TRUE(house.feed.offered.empty());
  EXPECT_EQ(house.feed.given_up, 1);
  EXPECT_TRUE(house.feed.expected.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Errors, SpoolFailure,
    testing::Values(SpoolCase{"Full", ports::SpoolError::Full, "452 4.3.1", false},
                    SpoolCase{"Poisoned", ports::SpoolError::Poisoned, "421 4.3.0", true},
                    SpoolCase{"Stopping", ports::SpoolError::Stopping, "421 4.3.2", true},
                    SpoolCase{"Unavailable", ports::SpoolError::Unavailable, "450 4.3.0", false},
                    SpoolCase{"Unknown", ports::SpoolError::Unknown, "451 4.3.0", false},
                    SpoolCase{"Corrupt", ports::SpoolError::Corrupt, "451 4.3.0", false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Session, ConsumesToTheEndWhenTheSpoolIsFullUnderWay) {
  House house;
  house.queue.append_error = ports::SpoolError::Full;
  std::string content = "Subject: big\r\n\r\n";
  while (content.size() < 2 * ports::kChunkOctets) content += "RCPT TO:<x@y.example>\r\n";
  const auto wire = house.talk(envelope_and({content, ".\r\n", "NOOP\r\n"}));
  EXPECT_THAT(wire->sent, HasSubstr("354 "));
  EXPECT_TRUE(
      wire->sent.ends_with("452 4.3.1 Insufficient storage, try again later\r\n250 2.0.0 Ok\r\n"))
      << wire->sent;
  EXPECT_TRUE(house.queue.stored.empty());
}

TEST(Session, DropsTheDraftWhenTheClientLeaves) {
  House house;
  const std::string chunk(ports::kChunkOctets / 4, 'x');
  const auto wire = house.talk(envelope_and({chunk, chunk, "\r\n" + chunk, chunk, "\r\n" + chunk}));
  EXPECT_TRUE(house.queue.stored.empty());
  EXPECT_TRUE(house.queue.drafts.empty());
}

TEST(Session, RefusesWhenSigningFails) {
  House house;
  house.signer.fails = true;
  const auto wire = house.talk(envelope_and({kMessage + ".\r\n"}));
  EXPECT_THAT(wire->sent, HasSubstr("451 4.3.0"));
  EXPECT_TRUE(house.queue.stored.empty());
}

// ---- content limits

TEST(Session, RefusesHeaderBombs) {
  for (const bool many_fields : {false, true}) {
    House house;
    std::string content;
    if (many_fields) {
      for (int i = 0; i < 10'001; ++i) content += "X: y\r\n";
    } else {
      while (content.size() <= mail::kMaxHeaderOctets)
        content += "X-Long-Field: aaaaaaaaaaaaaaa\r\n";
    }
    const auto wire = house.talk(envelope_and({content + "\r\nbody\r\n.\r\n"}));
    EXPECT_THAT(wire->sent, HasSubstr("552 5.3.4")) << many_fields;
    EXPECT_TRUE(house.queue.stored.empty());
  }
}

TEST(Session, RefusesMoreThanTheAnnouncedSize) {
  Limits limits;
  limits.max_size = 1000;
  House house(limits);
  const auto wire = house.talk(envelope_and({kMessage + std::string(1000, 'x') + "\r\n.\r\n"}));
  EXPECT_THAT(wire->sent, HasSubstr("552 5.3.4 Message exceeds the size limit\r\n"));
  EXPECT_TRUE(house.queue.stored.empty());
}

TEST(Session, RefusesWhenTheMemoryForContentIsUsedUp) {
  House house;
  const std::uint64_t all = Limits().memory;
  auto others =
      house.memory.open(base::origin_of("203.0.113.9"), {.total = all, .per_network = all});
  ASSERT_TRUE(others.hold(all));
  const auto wire = house.talk(envelope_and({kMessage + ".\r\n"}));
  EXPECT_THAT(wire->sent, HasSubstr("452 4.3.1"));
  EXPECT_EQ(house.memory.held(), all);
}

TEST(Session, RefusesALoopingMessage) {
  House house;
  std::string content;
  for (int i = 0; i < 101; ++i) content += "Received: from a.example by b.example; x\r\n";
  const auto wire = house.talk(envelope_and({content + "\r\n.\r\n"}));
  EXPECT_THAT(wire->sent, HasSubstr("5.4.6"));
  EXPECT_TRUE(house.queue.stored.empty());
}

// ---- recipients

/// A sender whose SRS address would be over 64 octets, so that it travels as a stored token.
const std::string kLongSender = std::string(60, 'l') + "@far-away.example";

TEST(Session, LeadsATokenBackToItsSender) {
  House house;
  house.talk({"EHLO c.example\r\n", "MAIL FROM:<" + kLongSender + ">\r\n",
              "RCPT TO:<info@example.org>\r\n", "DATA\r\n", kMessage + ".\r\n"});
  ASSERT_EQ(house.queue.stored.size(), 1U);
  const ports::NewMessage& message = house.queue.stored[0].message;
  ASSERT_EQ(message.tokens.size(), 1U);
  house.tokens.senders.emplace(message.tokens[0].token, message.tokens[0].reverse_path);

  const std::string address = message.routes[0].reverse_path.to_string();
  house.talk({"EHLO c.example\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<" + address + ">\r\n", "DATA\r\n",
              "Subject: bounce\r\n\r\n.\r\n"});
  ASSERT_EQ(house.queue.stored.size(), 2U);
  EXPECT_EQ(house.queue.stored[1].message.routes[0].target.to_string(), kLongSender);
}

TEST(Session, ForwardsASenderThatMayNotBeStoredUnderTheAddressOfTheMessage) {
  House house;
  house.tokens.is_full = true;
  const std::vector<std::string> dialogue{
      "EHLO c.example\r\n", "MAIL FROM:<" + kLongSender + ">\r\n", "RCPT TO:<info@example.org>\r\n",
      "DATA\r\n", kMessage + ".\r\n"};
  EXPECT_THAT(house.talk(dialogue)->sent, HasSubstr("queued as"));
  ASSERT_EQ(house.tokens.asked.size(), 1U);
  EXPECT_EQ(house.tokens.asked[0].reverse_path.to_string(), kLongSender);
  ASSERT_EQ(house.queue.stored.size(), 1U);
  const ports::NewMessage& message = house.queue.stored[0].message;
  EXPECT_TRUE(message.tokens.empty());
  EXPECT_THAT(message.routes[0].reverse_path.to_string(), StartsWith("srsm="));
  EXPECT_EQ(message.message.reverse_path.to_string(), kLongSender) << "our own DSN can find him";
}

TEST(Session, TakesASenderWhomNobodyCanAnswerAndSendsHimNothing) {
  House house;
  EXPECT_THAT(house
                  .talk({"EHLO c.example\r\n", "MAIL FROM:<root@localhost>\r\n",
                         "RCPT TO:<info@example.org>\r\n", "DATA\r\n", kMessage + ".\r\n"})
                  ->sent,
              HasSubstr("queued as"));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  EXPECT_THAT(house.queue.stored[0].message.routes[0].reverse_path.to_string(),
              StartsWith("srsm="));
}

TEST(Session, AnswersUnknownTokensAndFailedLookupsApart) {
  House house;
  house.talk({"EHLO c.example\r\n", "MAIL FROM:<" + kLongSender + ">\r\n",
              "RCPT TO:<info@example.org>\r\n", "DATA\r\n", kMessage + ".\r\n"});
  ASSERT_EQ(house.queue.stored.size(), 1U);
  const std::string address = house.queue.stored[0].message.routes[0].reverse_path.to_string();
  const std::vector<std::string> dialogue{"EHLO c.example\r\n", "MAIL FROM:<>\r\n",
                                          "RCPT TO:<" + address + ">\r\n"};
  EXPECT_THAT(house.talk(dialogue)->sent, HasSubstr("550 5.1.8"));
  house.tokens.error = ports::SpoolError::Poisoned;
  EXPECT_THAT(house.talk(dialogue)->sent, HasSubstr("451 4.3.0"));
}

// ---- connection

TEST(Session, ClosesAtOnceOnOtherProtocols) {
  House house;
  const auto wire = house.talk({std::string("\x16\x03\x01\x02\x00\x01", 6), "more"});
  EXPECT_EQ(wire->sent,
            "220 mx.example.org ESMTP srs-relay\r\n421 4.7.0 This is an SMTP server\r\n");
  EXPECT_TRUE(wire->closed);
}

TEST(Session, ClosesWhenTheClientSpeaksBeforeTheBanner) {
  House house;
  auto wire = house.dial({"EHLO c.example\r\n"});
  wire->unread = true;
  house.poll();
  EXPECT_EQ(wire->sent, "421 4.7.0 Wait for the banner\r\n");
  EXPECT_TRUE(wire->closed);
}

TEST(Session, ClosesWhenContentArrivesBeforeItIsAskedFor) {  // in a segment of its own
  House house;
  auto wire = house.dial(envelope_and({kMessage + ".\r\n"}));
  wire->before_read = [wire = wire.get()] { wire->unread = wire->incoming.front() == "DATA\r\n"; };
  house.poll();
  EXPECT_TRUE(wire->sent.ends_with("421 4.7.0 Improper use of pipelining\r\n")) << wire->sent;
  EXPECT_TRUE(house.queue.stored.empty());
}

TEST(Session, StopsReadingAnOverlongLine) {
  House house;
  std::vector<std::string> segments(1000, std::string(1024, 'A'));
  const auto wire = house.talk(segments);
  EXPECT_THAT(wire->sent, HasSubstr("500 5.5.2 Line too long\r\n"));
  EXPECT_TRUE(wire->closed);
  EXPECT_GT(wire->incoming.size(), 990U);
}

TEST(Session, EndsQuietlyWhenTheClientCannotBeReached) {
  House house;
  auto wire = house.dial({"EHLO c.example\r\n"});
  wire->write_fails = true;
  house.poll();
  EXPECT_TRUE(wire->closed);
  EXPECT_EQ(house.acceptor.sessions(), 0U);
}

}  // namespace
}  // namespace relay::inbound
