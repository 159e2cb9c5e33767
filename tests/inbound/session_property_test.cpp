// Random dialogues, cut into random reads: whatever a client does, a 250 after content stands for
// exactly one stored message, and no session stays open.
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

const std::vector<std::string> kPhrases{"EHLO c.example\r\n",
                                        "HELO c.example\r\n",
                                        "MAIL FROM:<a@b.example>\r\n",
                                        "MAIL FROM:<>\r\n",
                                        "RCPT TO:<info@example.org>\r\n",
                                        "RCPT TO:<team@example.org>\r\n",
                                        "RCPT TO:<nobody@example.org>\r\n",
                                        "DATA\r\n",
                                        "Subject: x\r\n\r\ntext\r\n.\r\n",
                                        ".\r\n",
                                        "RSET\r\n",
                                        "NOOP\r\n",
                                        "STARTTLS\r\n",
                                        "\r\n",
                                        "\n",
                                        "\r",
                                        ".",
                                        std::string(1, '\0'),
                                        "BDAT 3\r\n",
                                        "MAIL FROM:<\xc3\xa9@b.example> SMTPUTF8\r\n",
                                        std::string(3000, 'x'),
                                        "QUIT\r\n"};

std::vector<std::string> random_dialogue(std::mt19937& random) {
  std::vector<std::string> reads;
  std::string pending;
  for (std::size_t i = 0; i < 30; ++i) {
    // The well-behaved opening often enough for the dialogues to get somewhere.
    const std::size_t pick = random() % 3 == 0 ? random() % kPhrases.size() : i % 9;
    pending += kPhrases[pick];
    if (random() % 4 == 0) continue;  // more in the same read
    const std::size_t cut = random() % 5 == 0 ? random() % (pending.size() + 1) : pending.size();
    if (cut != 0) reads.push_back(pending.substr(0, cut));
    pending.erase(0, cut);
  }
  if (!pending.empty()) reads.push_back(pending);
  return reads;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(SessionProperty, Gives250ForExactlyTheStoredMessages) {
  std::mt19937 random(7);
  std::size_t stored = 0;
  for (int round = 0; round < 1500; ++round) {
    House house({}, true);
    if (random() % 8 == 0) house.queue.commit_error = ports::SpoolError::Full;
    const auto wire = house.talk(random_dialogue(random));
    const std::string said = wire->sent + house.tls.wire->sent;
    ASSERT_EQ(count(said, "queued as"), house.queue.stored.size()) << said;
    ASSERT_EQ(house.feed.offered.size(), house.queue.stored.size());
    ASSERT_EQ(house.acceptor.sessions(), 0U) << said;
    ASSERT_EQ(house.memory.held(), 0U);
    ASSERT_TRUE(house.queue.drafts.empty());
    ASSERT_TRUE(house.feed.expected.empty());
    stored += house.queue.stored.size();
  }
  EXPECT_GT(stored, 50U);  // they do get somewhere
}

}  // namespace
}  // namespace relay::inbound
