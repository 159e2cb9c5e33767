#include "relay/smtp/dot_stuffer.hpp"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "relay/smtp/data_reader.hpp"

namespace relay::smtp {
namespace {

std::string stuffed(std::string_view content, std::size_t piece) {
  DotStuffer stuffer;
  std::string wire;
  for (std::size_t at = 0; at < content.size(); at += piece) {
    EXPECT_TRUE(stuffer.put(content.substr(at, piece), wire));
  }
  EXPECT_TRUE(stuffer.finish(wire));
  return wire;
}

TEST(DotStuffer, DoublesDotsAtLineStartsOnly) {
  EXPECT_EQ(stuffed(".a\r\n.\r\nb.c\r\n..\r\n", 100), "..a\r\n..\r\nb.c\r\n...\r\n.\r\n");
}

TEST(DotStuffer, EndsEmptyAndUnfinishedContent) {
  EXPECT_EQ(stuffed("", 1), ".\r\n");
  EXPECT_EQ(stuffed("abc", 1), "abc\r\n.\r\n");
}

TEST(DotStuffer, RefusesWhatTheStoreCannotHold) {
  for (const std::string_view bad : {std::string_view("a\nb"), std::string_view("a\rb"),
                                     std::string_view("\n.\r\n"), std::string_view("a\0b", 3)}) {
    for (std::size_t cut = 0; cut <= bad.size(); ++cut) {
      DotStuffer stuffer;
      std::string wire;
      const bool first = stuffer.put(bad.substr(0, cut), wire);
      EXPECT_FALSE(first && stuffer.put(bad.substr(cut), wire)) << bad << cut;
      EXPECT_FALSE(stuffer.finish(wire));
    }
  }
  DotStuffer stuffer;
  std::string wire;
  EXPECT_TRUE(stuffer.put("a\r", wire));
  EXPECT_FALSE(stuffer.finish(wire)) << "ends in a bare CR";
}

TEST(DotStuffer, EndsDataOnce) {
  DotStuffer stuffer;
  std::string wire;
  EXPECT_TRUE(stuffer.finish(wire));
  EXPECT_FALSE(stuffer.finish(wire));
  EXPECT_EQ(wire, ".\r\n");
}

/// Any content, however cut, comes out of a strict reader as it went in, and the end of data is the
/// last thing on the wire and nowhere else.
TEST(DotStuffer, IsUndoneByTheReaderForRandomContent) {
  std::mt19937 random(20261124);
  const std::string_view kPieces[] = {".", "..", "\r\n", "\r\n.", "\r\n\r\n", "x", "longer text "};
  for (int round = 0; round < 2000; ++round) {
    std::string content;
    for (auto n = random() % 40; n > 0; --n) content += kPieces[random() % std::size(kPieces)];
    content += "\r\n";
    const std::string wire = stuffed(content, 1 + random() % 20);
    DataReader reader(ContentLimits{});
    std::string back;
    const std::size_t used = reader.feed(wire, [&](std::string_view span) { back += span; });
    ASSERT_TRUE(reader.finished());
    ASSERT_EQ(used, wire.size());
    ASSERT_EQ(back, content);
    ASSERT_EQ(reader.fault(), ContentFault::None);
    ASSERT_EQ(("\r\n" + wire).find("\r\n.\r\n"), wire.size() - 3);
  }
}

}  // namespace
}  // namespace relay::smtp
