// S-1 through a whole session: whatever stands between CRLF and a dot, an envelope inside the
// content of a message never becomes a message.
#include <array>
#include <string>

#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using std::string_literals::operator""s;

struct Tally {
  int cases = 0;
  int smuggled = 0;  ///< messages from the envelope inside the content
  int stored = 0;
  int accepted_with_bare_line_ends = 0;
};

const std::string kInner =
    "MAIL FROM:<smuggled@evil.example>\r\nRCPT TO:<info@example.org>\r\nDATA\r\n"
    "Subject: smuggled\r\n\r\nx\r\n.\r\n";

void run_case(const std::string& sequence, int segmentation, Tally& tally) {
  const std::string content = "Subject: x\r\n\r\nbody" + sequence + kInner;
  std::vector<std::string> pieces;
  if (segmentation == 0) pieces = {content};
  if (segmentation == 1) {
    for (const char c : content) pieces.emplace_back(1, c);
  }
  if (segmentation == 2) {
    const std::size_t dot = std::string("Subject: x\r\n\r\nbody").size() + sequence.size() / 2;
    pieces = {content.substr(0, dot), content.substr(dot)};
  }
  Limits limits;
  limits.max_errors = 1000;
  House house(limits);
  house.talk(envelope_and(pieces));
  ++tally.cases;
  for (const auto& stored : house.spool.stored) {
    ++tally.stored;
    if (stored.message.message.reverse_path.to_string() == "smuggled@evil.example") {
      ++tally.smuggled;
    }
    for (std::size_t i = 0; i < stored.content.size(); ++i) {
      const bool lf_alone = stored.content[i] == '\n' && (i == 0 || stored.content[i - 1] != '\r');
      if (lf_alone || stored.content[i] == '\0') ++tally.accepted_with_bare_line_ends;
    }
  }
}

TEST(Smuggling, NeverMakesTwoMessagesOfOne) {  // S-1, S-2, S-5; carriers: plain
  const std::array leads{"\r\n"s,   "\n"s, "\r"s,     "\n\r"s, "\r\r\n"s,  "\r\n\n"s,
                         "\n\r\n"s, "\0"s, "\r\n\0"s, "\v\f"s, "\xc2\x85"s};
  const std::array dots{"."s,   ".."s,    ". "s,           ".\t"s,     ".\0"s,
                        "\0."s, "\x1a."s, "\xef\xbc\x8e"s, "\xc0\xae"s};
  const std::array tails{"\r\n"s, "\n"s,     "\r"s,    "\r\r\n"s,
                         "\n\r"s, "\r\0\n"s, "\r \n"s, "\xc2\x85"s};
  Tally tally;
  for (const std::string& lead : leads) {
    for (const std::string& dot : dots) {
      for (const std::string& tail : tails) {
        // Every other combination is the end of data by the standard, wherever it comes from.
        const std::string sequence = lead + dot + tail;
        if (sequence.find("\r\n.\r\n") != std::string::npos) continue;
        for (int segmentation = 0; segmentation < 3; ++segmentation) {
          run_case(sequence, segmentation, tally);
        }
      }
    }
  }
  EXPECT_GT(tally.cases, 2300);
  EXPECT_GT(tally.stored, 0);  // some are ordinary text
  EXPECT_EQ(tally.smuggled, 0);
  EXPECT_EQ(tally.accepted_with_bare_line_ends, 0);
}

TEST(Smuggling, TrueEndOfDataShowsThatTheHarnessSees) {  // positive control
  Tally tally;
  run_case("\r\n.\r\n", 1, tally);
  EXPECT_EQ(tally.smuggled, 1);  // octet by octet, a second message in good order
  run_case("\r\n.\r\n", 0, tally);
  EXPECT_EQ(tally.smuggled, 1);  // in one piece, DATA is not last in its group: closed (S-8)
}

}  // namespace
}  // namespace relay::inbound
