// The digest tells a chunk of a stored message from any other octets.
#include "relay/spool/chunk_digest.hpp"

#include <gtest/gtest.h>

namespace relay::spool {
namespace {

const auto kId = *mail::MessageId::parse("01M8GDXJRMZ29YRMV7WJ18S24Q");
const auto kOther = *mail::MessageId::parse("01M8GDXJRMZ29YRMV7WJ18S24R");

std::string hex(const std::string& octets) {
  std::string out;
  for (const char c : octets) {
    constexpr const char* kDigits = "0123456789abcdef";
    out += kDigits[static_cast<unsigned char>(c) >> 4U];
    out += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return out;
}

/// Or everything that waits would be damaged after an update, or on another machine.
TEST(ChunkDigest, NeverChanges) {
  EXPECT_EQ(hex(chunk_digest(kId, 0, "Subject: one\r\n\r\nbody\r\n")),
            "ddab4c625e16311abc05ea8e0488af21");
  EXPECT_EQ(hex(chunk_digest(kId, 258, std::string(262'144, 'x'))),
            "bbd3223219ffad18b5b37878fc819c61");
}

TEST(ChunkDigest, SeesEveryBitAndThePlace) {
  std::string octets(300, 'a');
  const std::string digest = chunk_digest(kId, 1, octets);
  EXPECT_TRUE(is_sound(kId, 1, {.octets = octets, .digest = digest}));
  for (std::size_t bit = 0; bit < octets.size() * 8; ++bit) {
    char& touched = octets[bit / 8];
    const char before = touched;
    touched = static_cast<char>(touched ^ (1 << (bit % 8)));
    ASSERT_FALSE(is_sound(kId, 1, {.octets = octets, .digest = digest})) << bit;
    touched = before;
  }
  EXPECT_FALSE(is_sound(kId, 2, {.octets = octets, .digest = digest}));
  EXPECT_FALSE(is_sound(kOther, 1, {.octets = octets, .digest = digest}));
  EXPECT_FALSE(is_sound(kId, 1, {.octets = octets, .digest = digest.substr(1)}));
  EXPECT_FALSE(is_sound(kId, 1, {.octets = octets.substr(1), .digest = digest}));
}

}  // namespace
}  // namespace relay::spool
