#include "relay/inbound/read_buffer.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace relay::inbound {
namespace {

/// Puts as much of `text` as there is room for; the number of octets.
std::size_t read(ReadBuffer& buffer, std::string_view text) {
  const std::span<char> room = buffer.room();
  const std::size_t octets = std::min(room.size(), text.size());
  std::copy_n(text.begin(), octets, room.begin());
  buffer.filled(octets);
  return octets;
}

TEST(ReadBuffer, IsSmallForCommandsAndLargeForContent) {
  ReadBuffer buffer;
  EXPECT_EQ(buffer.room().size(), ReadBuffer::kLittle);
  read(buffer, "DATA\r\nSub");
  buffer.consume(6);
  {
    const ReadBuffer::Content content(buffer);
    EXPECT_EQ(buffer.room().size(), ReadBuffer::kOctets - 3);
    EXPECT_EQ(buffer.pending(), "Sub");
    read(buffer, "ject: s\r\n.\r\nQUIT\r\n");
    buffer.consume(15);
  }
  EXPECT_EQ(buffer.room().size(), ReadBuffer::kLittle - 6);
  EXPECT_EQ(buffer.front_line().text, "QUIT");
}

/// Whatever is there is not lost, and the front is never without room for the rest of its line.
TEST(ReadBuffer, GrowsWithWhatComes) {
  std::string all;
  for (int i = 0; i < 400; ++i) all += "RCPT TO:<someone" + std::to_string(i) + "@x.example>\r\n";
  all += std::string(1'500, 'x') + "\r\n";
  ReadBuffer buffer;
  std::string seen;
  std::size_t at = 0;
  bool was_large = false;
  while (seen.size() < all.size()) {
    const auto line = buffer.front_line();
    if (line.state == LineState::Complete) {
      seen += std::string(line.text) + "\r\n";
      buffer.consume(line.octets);
      continue;
    }
    ASSERT_EQ(line.state, LineState::Incomplete);
    ASSERT_FALSE(buffer.room().empty());
    was_large = was_large || buffer.room().size() > ReadBuffer::kLittle;
    at += read(buffer, std::string_view(all).substr(at));
  }
  EXPECT_EQ(seen, all);
  EXPECT_TRUE(was_large);
  EXPECT_EQ(buffer.room().size(), ReadBuffer::kLittle) << "who waits again holds little";
}

}  // namespace
}  // namespace relay::inbound
