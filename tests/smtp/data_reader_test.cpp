#include "relay/smtp/data_reader.hpp"

#include <array>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace relay::smtp {
namespace {

using std::string_literals::operator""s;

/// The result of reading a stream of octets.
struct Reading {
  bool finished = false;
  std::size_t used = 0;
  ContentFault fault = ContentFault::None;
  std::string content;
};

using Segments = std::vector<std::string_view>;

Reading read(const Segments& segments, ContentLimits limits = {}) {
  DataReader reader(limits);
  Reading result;
  for (const std::string_view segment : segments) {
    result.used += reader.feed(segment, [&](std::string_view span) { result.content += span; });
    if (reader.finished()) break;
  }
  result.finished = reader.finished();
  result.fault = reader.fault();
  return result;
}

Segments octet_by_octet(std::string_view octets) {
  Segments out;
  for (std::size_t i = 0; i < octets.size(); ++i) out.push_back(octets.substr(i, 1));
  return out;
}

Segments split_at(std::string_view octets, std::size_t at) {
  return {octets.substr(0, at), octets.substr(at)};
}

TEST(DataReader, HandsContentOutUnstuffed) {
  const Reading got = read({"Subject: x\r\n\r\n..dot\r\n...\r\nend\r\n.\r\nQUIT\r\n"});
  EXPECT_TRUE(got.finished);
  EXPECT_EQ(got.fault, ContentFault::None);
  EXPECT_EQ(got.content, "Subject: x\r\n\r\n.dot\r\n..\r\nend\r\n");
  EXPECT_EQ(got.used, 34U);
}

TEST(DataReader, TakesAnEmptyMessage) {  // ".CRLF" as the very first line
  const Reading got = read({".\r\n"});
  EXPECT_TRUE(got.finished);
  EXPECT_EQ(got.content, "");
}

TEST(DataReader, GivesTheSameForEveryDivision) {
  const std::string octets = "a: b\r\n\r\n..x\r\n.y\r\n\r\nlonger line of text here\r\n.\r\n";
  const Reading whole = read({octets});
  ASSERT_TRUE(whole.finished);
  for (std::size_t i = 0; i <= octets.size(); ++i) {
    for (std::size_t k = i; k <= octets.size(); ++k) {
      const std::string_view all = octets;
      const Reading got = read({all.substr(0, i), all.substr(i, k - i), all.substr(k)});
      ASSERT_TRUE(got.finished) << i << ' ' << k;
      ASSERT_EQ(got.content, whole.content) << i << ' ' << k;
      ASSERT_EQ(got.fault, ContentFault::None);
    }
  }
}

// A bare CR or LF (and a NUL) at every position, at every chunk boundary around it, is
// found, and the true end is found as well.
TEST(DataReader, FindsAFaultAtEveryPosition) {
  const std::string clean = "Subject: x\r\n\r\nsixteen octets and some more text\r\n.\r\n";
  for (const char octet : {'\r', '\n', '\0'}) {
    for (std::size_t at = 0; at + 5 < clean.size(); ++at) {
      std::string octets = clean;
      octets.insert(at, 1, octet);
      for (std::size_t cut = 0; cut <= octets.size(); ++cut) {
        const Reading got = read(split_at(octets, cut));
        ASSERT_TRUE(got.finished) << at << ' ' << cut;
        ASSERT_EQ(got.used, octets.size()) << at << ' ' << cut;
        ASSERT_NE(got.fault, ContentFault::None) << at << ' ' << cut;
      }
    }
  }
}

TEST(DataReader, PassesLinesUpToTheLimit) {
  for (const std::size_t octets : {998U, 999U, 2048U, 65535U, 65536U}) {
    const std::string line(octets, 'x');
    const Reading got = read({line + "\r\n.\r\n"});
    EXPECT_EQ(got.fault, ContentFault::None) << octets;
    EXPECT_EQ(got.content, line + "\r\n");
  }
  const std::string over(65537, 'x');
  EXPECT_EQ(read({over + "\r\n.\r\n"}).fault, ContentFault::LineTooLong);
  EXPECT_EQ(read(octet_by_octet(over + "\r\n.\r\n")).fault, ContentFault::LineTooLong);
}

TEST(DataReader, ConsumesToTheEndOverTheSizeLimit) {
  const std::string octets = "12345678\r\n1234\r\n.\r\n";
  EXPECT_EQ(read({octets}, {.content = 16}).fault, ContentFault::None);
  const Reading got = read(octet_by_octet(octets), {.content = 15});
  EXPECT_TRUE(got.finished);
  EXPECT_EQ(got.fault, ContentFault::TooLarge);
  EXPECT_LE(got.content.size(), 15U);
}

TEST(DataReader, HandsWholeSpansOutWithoutCopying) {
  const std::string octets = "line one\r\nline two\r\nline three\r\n";
  DataReader reader({});
  std::vector<std::string_view> spans;
  reader.feed(octets, [&](std::string_view span) { spans.push_back(span); });
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0].data(), octets.data());
  EXPECT_EQ(spans[0].size(), octets.size());
}

// ---- the smuggling matrix, carrier: plain

/// The definition, not the machine: the first CRLF.CRLF, where the start counts as a line start.
std::size_t true_end(std::string_view octets) {
  if (octets.starts_with(".\r\n")) return 3;
  const std::size_t at = octets.find("\r\n.\r\n");
  return at == std::string_view::npos ? std::string_view::npos : at + 5;
}

using Reader = std::function<Reading(const Segments&)>;

struct MatrixResult {
  int cases = 0;
  int early = 0;    ///< ended where the definition says it does not: smuggling
  int unclean = 0;  ///< accepted although an octet sequence is not clean CRLF text
};

/// CR and LF only in pairs, no NUL.
bool is_clean(std::string_view octets) {
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (octets[i] == '\0' || octets[i] == '\n') return false;
    if (octets[i] == '\r' && (i + 1 == octets.size() || octets[++i] != '\n')) return false;
  }
  return true;
}

void judge(const Reader& reader, const std::string& octets, const Segments& segments,
           MatrixResult& result) {
  ++result.cases;
  const Reading got = reader(segments);
  const std::size_t end = true_end(octets);
  const bool should_finish = end != std::string_view::npos;
  if (got.finished != should_finish || (should_finish && got.used != end)) ++result.early;
  if (got.finished && got.fault == ContentFault::None && !is_clean(octets.substr(0, got.used))) {
    ++result.unclean;
  }
}

MatrixResult run_matrix(const Reader& reader) {
  const std::array leads{"\r\n"s, "\n"s,     "\r"s,   "\n\r"s,     "\r\r\n"s, "\r\n\n"s, "\n\r\n"s,
                         "\0"s,   "\r\n\0"s, "\v\f"s, "\xc2\x85"s, ""s /* start of data */};
  const std::array dots{"."s,       ".."s,  ". "s,    ".\t"s,
                        ".\0"s,     "\0."s, "\x1a."s, "\xef\xbc\x8e"s /* full-width */,
                        "\xc0\xae"s /* overlong */};
  const std::array tails{"\r\n"s,   "\n"s,    "\r"s,       "\r\r\n"s, "\n\r"s,
                         "\r\0\n"s, "\r \n"s, "\xc2\x85"s, ""s /* half-close */};
  MatrixResult result;
  for (std::size_t l = 0; l < leads.size(); ++l) {
    const std::string head = l + 1 == leads.size() ? "" : "Subject: x\r\n\r\nbody" + leads[l];
    for (const std::string& dot : dots) {
      for (std::size_t t = 0; t < tails.size(); ++t) {
        std::string octets = head + dot + tails[t];
        if (t + 1 < tails.size()) {
          octets += "MAIL FROM:<smuggled@example.org>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n";
          octets += "smuggled\r\n.\r\n";
        }
        judge(reader, octets, {octets}, result);
        judge(reader, octets, octet_by_octet(octets), result);
        judge(reader, octets, split_at(octets, head.size() + 1), result);
      }
    }
  }
  return result;
}

TEST(DataReader, EndsOnlyWhereTheStandardSaysInTheWholeMatrix) {
  const MatrixResult got = run_matrix([](const Segments& segments) { return read(segments); });
  EXPECT_EQ(got.cases, 12 * 9 * 9 * 3);
  EXPECT_EQ(got.early, 0);
  EXPECT_EQ(got.unclean, 0);
}

/// As lenient servers do: lines end in LF, with or without CR.
Reading read_leniently(const Segments& segments) {
  std::string line;
  Reading result;
  for (const std::string_view segment : segments) {
    for (const char c : segment) {
      ++result.used;
      line += c;
      if (c != '\n') continue;
      if (line == ".\n" || line == ".\r\n") {
        result.finished = true;
        return result;
      }
      line.clear();
    }
  }
  return result;
}

TEST(DataReader, MatrixCatchesALenientReader) {  // negative control
  const MatrixResult got = run_matrix(read_leniently);
  EXPECT_GT(got.early, 0);
  EXPECT_GT(got.unclean, 0);
}

}  // namespace
}  // namespace relay::smtp
