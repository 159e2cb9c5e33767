// The smuggling matrix through whole sessions: whatever stands around a dot, however it is carried
// and cut, an envelope inside the content of a message never becomes a message; and accepted
// content leaves with one end of data, even for a sloppy reader.
#include <array>
#include <string>

#include <gtest/gtest.h>

#include "relay/smtp/dot_stuffer.hpp"
#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using std::string_literals::operator""s;

struct Tally {
  int cases = 0;
  int smuggled = 0;  ///< messages from the envelope inside the content
  int stored = 0;
  int bare_line_ends = 0;     ///< stored with a bare CR or LF, or NUL
  int ends_when_emitted = 0;  ///< more than one end of data on the wire out
};

enum class Carrier { Plain, Tls, PipelinedEnvelope, Bdat };
enum class Cut { OneWrite, OctetByOctet, AtTheDot };

const std::string kInner =
    "MAIL FROM:<smuggled@evil.example>\r\nRCPT TO:<info@example.org>\r\nDATA\r\n"
    "Subject: smuggled\r\n\r\nx\r\n.\r\n";

struct Case {
  std::string before;    ///< content before the sequence; "" when it is the start of data
  std::string sequence;  ///< lead-in, dot, tail
  bool half_close = false;
  Carrier carrier = Carrier::Plain;
  Cut cut = Cut::OneWrite;
};

std::vector<std::string> pieces_of(const Case& given) {
  const std::string content =
      given.before + given.sequence + (given.half_close ? std::string() : kInner);
  if (given.cut == Cut::OneWrite) return {content};
  if (given.cut == Cut::AtTheDot) {
    const std::size_t dot = given.before.size() + given.sequence.size() / 2;
    return {content.substr(0, dot), content.substr(dot)};
  }
  std::vector<std::string> pieces;
  for (const char c : content) pieces.emplace_back(1, c);
  return pieces;
}

/// Everything that goes before the content, and how the connection is made.
void talk(House& house, const Case& given) {
  const auto pieces = pieces_of(given);
  if (given.carrier == Carrier::Plain) {
    house.talk(envelope_and(pieces));
    return;
  }
  if (given.carrier == Carrier::Tls) {
    for (auto& piece : envelope_and(pieces)) house.tls.wire->incoming.push_back(std::move(piece));
    house.talk({"EHLO client.example\r\n", "STARTTLS\r\n"});
    return;
  }
  std::string last = "DATA\r\n";
  if (given.carrier == Carrier::Bdat) {
    std::size_t octets = 0;
    for (const auto& piece : pieces) octets += piece.size();
    last = "BDAT " + std::to_string(octets) + " LAST\r\n";
  }
  std::vector<std::string> segments{"EHLO client.example\r\n",
                                    "MAIL FROM:<ann@sender.example>\r\n"
                                    "RCPT TO:<info@example.org>\r\n" +
                                        last};
  segments.insert(segments.end(), pieces.begin(), pieces.end());
  house.talk(segments);
}

/// As the most careless of receivers sees it: any line end around a dot ends the data.
int sloppy_ends(const std::string& content) {
  smtp::DotStuffer stuffer;
  std::string wire;
  if (!stuffer.put(content, wire) || !stuffer.finish(wire)) return 0;
  int ends = 0;
  const auto is_end = [](char c) { return c == '\r' || c == '\n'; };
  for (std::size_t i = 0; i + 1 < wire.size(); ++i) {
    if (wire[i] == '.' && (i == 0 || is_end(wire[i - 1])) && is_end(wire[i + 1])) ++ends;
  }
  return ends;
}

void run_case(const Case& given, Tally& tally) {
  Limits limits;
  limits.max_errors = 1000;
  House house(limits, true);
  talk(house, given);
  ++tally.cases;
  for (const auto& stored : house.queue.stored) {
    ++tally.stored;
    if (stored.message.message.reverse_path.to_string() == "smuggled@evil.example") {
      ++tally.smuggled;
    }
    const std::string& content = stored.content;
    for (std::size_t i = 0; i < content.size(); ++i) {
      const bool lf_alone = content[i] == '\n' && (i == 0 || content[i - 1] != '\r');
      const bool cr_alone =
          content[i] == '\r' && (i + 1 == content.size() || content[i + 1] != '\n');
      if (lf_alone || cr_alone || content[i] == '\0') ++tally.bare_line_ends;
    }
    if (sloppy_ends(content) != 1) ++tally.ends_when_emitted;
  }
}

const std::string kBody = "Subject: x\r\n\r\nbody";
constexpr std::array kCarriers{Carrier::Plain, Carrier::Tls, Carrier::PipelinedEnvelope,
                               Carrier::Bdat};
constexpr std::array kCuts{Cut::OneWrite, Cut::OctetByOctet, Cut::AtTheDot};

TEST(SmugglingMatrix, NeverMakesTwoMessagesOfOne) {
  // nullptr stands for the start of data as lead-in, and for a half-close as tail.
  const std::array<const char*, 12> leads{"\r\n",   "\n", "\r",    "\n\r", "\r\r\n",   "\r\n\n",
                                          "\n\r\n", "0",  "\r\n0", "\v\f", "\xc2\x85", nullptr};
  const std::array dots{"."s,   ".."s,    ". "s,           ".\t"s,     ".\0"s,
                        "\0."s, "\x1a."s, "\xef\xbc\x8e"s, "\xc0\xae"s};
  const std::array<const char*, 9> tails{"\r\n",  "\n",    "\r",       "\r\r\n", "\n\r",
                                         "\r0\n", "\r \n", "\xc2\x85", nullptr};
  // "0" stands for NUL, which ends a C string.
  const auto text_of = [](const char* symbol) {
    std::string text = symbol == nullptr ? "" : symbol;
    for (char& c : text) c = c == '0' ? '\0' : c;
    return text;
  };
  Tally tally;
  int real_ends = 0;
  for (const char* lead : leads) {
    for (const std::string& dot : dots) {
      for (const char* tail : tails) {
        Case one{.before = lead == nullptr ? "" : kBody,
                 .sequence = text_of(lead) + dot + text_of(tail),
                 .half_close = tail == nullptr};
        const std::string seen = (lead == nullptr ? "\r\n" : "") + one.sequence;
        const bool real_end = seen.find("\r\n.\r\n") != std::string::npos;
        for (const Carrier carrier : kCarriers) {
          for (const Cut cut : kCuts) {
            one.carrier = carrier;
            one.cut = cut;
            if (!real_end) {
              run_case(one, tally);
              continue;
            }
            // The end of data by the standard: what follows are commands, as the client wants.
            ++real_ends;
            Tally apart;
            run_case(one, apart);
            EXPECT_LE(apart.smuggled, carrier == Carrier::Bdat ? 0 : 1);
            EXPECT_EQ(apart.bare_line_ends + apart.ends_when_emitted, 0);
          }
        }
      }
    }
  }
  EXPECT_EQ(tally.cases + real_ends, 11'664);
  EXPECT_GT(tally.stored, 0) << "some are ordinary text";
  EXPECT_EQ(tally.smuggled, 0);
  EXPECT_EQ(tally.bare_line_ends, 0);
  EXPECT_EQ(tally.ends_when_emitted, 0);
}

TEST(SmugglingMatrix, ATrueEndOfDataShowsThatTheHarnessSees) {  // positive control
  for (const Carrier carrier : {Carrier::Plain, Carrier::Tls, Carrier::PipelinedEnvelope}) {
    Tally tally;
    run_case({kBody, "\r\n.\r\n", false, carrier, Cut::OctetByOctet}, tally);
    EXPECT_EQ(tally.smuggled, 1);  // octet by octet, a second message in good order
    run_case({kBody, "\r\n.\r\n", false, carrier, Cut::OneWrite}, tally);
    EXPECT_EQ(tally.smuggled, 1);  // in one piece, DATA is not last in its group: closed
  }
}

TEST(SmugglingMatrix, TheSloppyReaderSeesWhatWeMustNotEmit) {  // positive control
  EXPECT_EQ(sloppy_ends("a\r\nb\r\n"), 1);
  EXPECT_EQ(sloppy_ends("a\r\n.\r\nb\r\n"), 1) << "stuffed";
  EXPECT_EQ(sloppy_ends("a\n.\nb\r\n"), 0) << "the writer refuses it";
}

}  // namespace
}  // namespace relay::inbound
