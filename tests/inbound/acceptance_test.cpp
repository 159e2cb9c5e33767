// The hand-over of a message: to the queue, and from there to delivery.
#include "relay/inbound/acceptance.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kMessage = "Message-ID: <m1@sender.example>\r\n\r\nHello\r\n";

/// Larger than one chunk, so that a draft is with the queue before the commit.
std::string big_message() {
  std::string content = kMessage;
  while (content.size() < 2 * ports::kChunkOctets) content += std::string(98, 'x') + "\r\n";
  return content;
}

TEST(Acceptance, ExpectsAMessageBeforeItIsDurableAndOffersItThen) {
  House house;
  std::set<mail::MessageId> expected;
  house.queue.on_commit = [&] {
    expected = house.feed.expected;
    EXPECT_TRUE(house.feed.offered.empty());
  };
  house.talk(envelope_and({kMessage + ".\r\n", "QUIT\r\n"}));
  ASSERT_EQ(house.feed.offered.size(), 1U);
  const ports::FreshMessage& fresh = house.feed.offered[0];
  EXPECT_THAT(expected, ElementsAre(fresh.queued.message.id));
  EXPECT_TRUE(house.feed.expected.empty());
  EXPECT_EQ(house.feed.given_up, 0);
  ASSERT_TRUE(fresh.content);
  EXPECT_EQ(*fresh.content, kMessage);
  // By the queue's clock; what is written and logged is of the session's.
  EXPECT_EQ(fresh.queued.received_at, house.queue.time);
  EXPECT_EQ(fresh.queued.recipients.at(0).next_due, house.queue.time);
  EXPECT_THAT(house.log.lines,
              testing::Contains(testing::AllOf(HasSubstr(R"("event":"received")"),
                                               HasSubstr(base::rfc3339(house.clock.wall())))));
}

TEST(Acceptance, GivesTheQueueWhatIsBehindTheChunks) {
  House house;
  const std::string content = big_message();
  house.talk(envelope_and({content, ".\r\n", "QUIT\r\n"}));
  ASSERT_EQ(house.queue.stored.size(), 1U);
  EXPECT_EQ(house.queue.stored[0].content, content);
  EXPECT_EQ(house.queue.stored[0].message.content, content.substr(2 * ports::kChunkOctets));
  EXPECT_FALSE(house.feed.offered.at(0).content) << "too big to be kept in memory";
}

TEST(Acceptance, StoresTheMessageIdWithoutBrackets) {
  House house;
  house.talk(envelope_and({kMessage + ".\r\n", "QUIT\r\n"}));
  house.talk(envelope_and({"Subject: x\r\n\r\nx\r\n.\r\n", "QUIT\r\n"}));
  ASSERT_EQ(house.queue.stored.size(), 2U);
  EXPECT_EQ(house.queue.stored[0].message.message.message_id, "m1@sender.example");
  EXPECT_EQ(house.queue.stored[1].message.message.message_id, "");
  EXPECT_THAT(house.log.lines, testing::Contains(HasSubstr(R"("<m1@sender.example>")")));
}

TEST(Acceptance, KeepsTheDraftOfAMessageThatMayBeStored) {
  House house;
  house.queue.commit_error = ports::SpoolError::Unknown;
  const auto wire = house.talk(envelope_and({big_message(), ".\r\n", "QUIT\r\n"}));
  EXPECT_THAT(wire->sent, HasSubstr("451 4.3.0 Local error, try again later"));
  EXPECT_EQ(house.queue.discarded, 0);
  EXPECT_EQ(house.queue.drafts.size(), 1U);
  EXPECT_EQ(house.feed.given_up, 1) << "whoever looks at the queue finds it";
}

TEST(Acceptance, DiscardsTheDraftOfAMessageThatIsNotStored) {
  for (const auto error : {ports::SpoolError::Full, ports::SpoolError::Unavailable}) {
    House house;
    house.queue.commit_error = error;
    house.talk(envelope_and({big_message(), ".\r\n", "QUIT\r\n"}));
    EXPECT_EQ(house.queue.discarded, 1);
  }
}

TEST(Acceptance, ExpectsNothingThatItRefusesItself) {
  House house;
  house.signer.fails = true;
  house.talk(envelope_and({kMessage + ".\r\n", "QUIT\r\n"}));
  EXPECT_EQ(house.feed.given_up, 0);
  EXPECT_TRUE(house.feed.offered.empty());
}

}  // namespace
}  // namespace relay::inbound
