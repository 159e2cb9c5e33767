// Content that will be refused: read on while the client's allowance lasts, charged as it comes.
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMiB = 1ULL << 20;

Limits limits() {
  Limits limits;
  limits.max_size = 2 * kMiB;
  return limits;
}

/// `octets` of content in reads of 16 KiB, roughly.
std::vector<std::string> content(std::uint64_t octets, const std::string& first = "") {
  const std::string line = std::string(1022, 'x') + "\r\n";
  std::string block;
  for (int i = 0; i < 15; ++i) block += line;
  std::vector<std::string> said{"Subject: big\r\n\r\n" + first};
  for (std::uint64_t sent = 0; sent < octets; sent += block.size()) said.push_back(block);
  return said;
}

std::vector<std::string> message(std::uint64_t octets, const std::string& first = "") {
  auto said = content(octets, first);
  for (const char* line : {".\r\n", "NOOP\r\n", "QUIT\r\n"}) said.emplace_back(line);
  return envelope_and(std::move(said));
}

TEST(OversizedContent, Hears552BehindTheDotAndKeepsItsSession) {
  House house(limits());
  const auto wire = house.talk(message(7 * kMiB / 2));
  EXPECT_THAT(wire->sent,
              HasSubstr("552 5.3.4 Message exceeds the size limit\r\n250 2.0.0 Ok\r\n221 "));
  EXPECT_TRUE(wire->incoming.empty());
}

TEST(OversizedContent, EndsTheSessionBeyondTheAllowance) {
  House house(limits());
  const auto wire = house.talk(message(20 * kMiB));
  EXPECT_TRUE(wire->sent.ends_with(
      "552 5.3.4 Message exceeds the size limit\r\n421 4.7.0 Closing the connection\r\n"))
      << wire->sent;
  EXPECT_TRUE(wire->closed);
  // Two MiB of message, two of allowance, and four of a lingering close.
  EXPECT_GT(wire->incoming.size(), 11 * kMiB / (15 * 1024));
  EXPECT_LT(wire->incoming.size(), 13 * kMiB / (15 * 1024));
  EXPECT_THAT(house.log.lines.back(), HasSubstr("552"));
}

TEST(OversizedContent, IsReadToItsEndWhereOnlyItsFormIsWrong) {
  House house(limits());
  const auto wire = house.talk(message(19 * kMiB / 10, "bare\nline end\r\n"));
  EXPECT_THAT(wire->sent,
              HasSubstr("550 5.6.0 CR or LF without the other is not allowed\r\n250 2.0.0"));
}

TEST(OversizedContent, IsNotChargedWhereTheTroubleIsOurs) {
  Limits charged = limits();
  charged.wasted = kMiB;
  House house(charged);
  house.queue.append_error = ports::SpoolError::Full;
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(house.talk(message(19 * kMiB / 10))->sent,
                HasSubstr("452 4.3.1 Insufficient storage, try again later\r\n250 2.0.0 Ok\r\n"));
  }
  // Oversized content hears the same reply if the disk is full.
  EXPECT_THAT(house.talk(message(3 * kMiB))->sent, HasSubstr("552 5.3.4"));
}

TEST(OversizedContent, IsChargedWhileItComes) {
  Limits charged = limits();
  charged.wasted = 3 * kMiB;
  House house(charged);
  // There is neither a dot nor an end: the client is still sending when others connect.
  const auto wire = house.dial(envelope_and(content(3 * kMiB + kMiB / 2)));
  wire->wait_at_end = true;
  house.poll();
  EXPECT_THAT(wire->sent, HasSubstr("552 5.3.4")) << "the waste of its network is used up";
  EXPECT_FALSE(wire->closed) << "for it is still sending";
  EXPECT_THAT(house.talk({"QUIT\r\n"})->sent, HasSubstr("421 4.7.0 Too much unfinished mail"));
  const auto neighbour = house.dial({"QUIT\r\n"}, "198.51.100.1");
  house.poll();
  EXPECT_THAT(neighbour->sent, HasSubstr("220 "));
  std::exchange(wire->wake, {})(true);
  house.poll();
  EXPECT_TRUE(wire->closed);
  EXPECT_EQ(house.acceptor.sessions(), 0U);
}

TEST(OversizedContent, DoesNotHarmAMessageOfTheSameNetworkThatIsInOrder) {
  Limits charged = limits();
  charged.wasted = kMiB;
  House house(charged);
  const auto good = house.dial(message(kMiB));
  const auto bad = house.dial(message(20 * kMiB));
  house.poll();
  EXPECT_THAT(bad->sent, HasSubstr("552 "));
  EXPECT_THAT(good->sent, HasSubstr("250 2.0.0 queued as "));
}

}  // namespace
}  // namespace relay::inbound
