#include "relay/auth/dkim/body_hashes.hpp"

#include <array>
#include <random>

#include <gtest/gtest.h>

#include "relay/auth/dkim/base64.hpp"
#include "relay/base/sha256.hpp"

namespace relay::auth::dkim {
namespace {

/// RFC 6376 §3.4.3, as plainly as it can be written.
std::string simple(std::string body) {
  while (body.ends_with("\r\n")) body.resize(body.size() - 2);
  return body + "\r\n";
}

/// RFC 6376 §3.4.4, likewise.
std::string relaxed(const std::string& body) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < body.size()) {
    const std::size_t end = body.find("\r\n", at);
    std::string line = body.substr(at, end == std::string::npos ? end : end - at);
    std::string squeezed;
    for (const char c : line) {
      if (c != ' ' && c != '\t') {
        squeezed += c;
      } else if (squeezed.empty() || squeezed.back() != ' ') {
        squeezed += ' ';
      }
    }
    if (!squeezed.empty() && squeezed.back() == ' ') squeezed.pop_back();
    lines.push_back(squeezed);
    if (end == std::string::npos) break;
    at = end + 2;
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  std::string all;
  for (const auto& line : lines) all += line + "\r\n";
  return all;
}

std::string hashed(const std::string& body, std::size_t piece = std::string::npos) {
  BodyHashes hashes;
  const std::size_t whole = hashes.want(Canon::Relaxed);
  for (std::size_t at = 0; at < body.size(); at += std::min(piece, body.size() - at)) {
    hashes.update(std::string_view(body).substr(at, piece));
  }
  hashes.finish();
  return hashes.digest(whole);
}

TEST(BodyHashes, OfTheKnownBodies) {
  // RFC 6376 §3.4.4: an empty body is empty in relaxed canonicalisation.
  EXPECT_EQ(base64(hashed("")), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  // RFC 8463 Appendix A.3, bh= of its message.
  EXPECT_EQ(base64(hashed("Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n")),
            "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
}

TEST(BodyHashes, ForgivesOnlyWhiteSpace) {
  const std::string plain = hashed("a b\r\nc\r\n");
  for (const char* same :
       {"a b\r\nc", "a b\r\nc\r\n\r\n\r\n", "a \t b\r\nc \t\r\n", "a b \r\nc\r\n \r\n"}) {
    EXPECT_EQ(hashed(same), plain) << same;
  }
  for (const char* other : {" a b\r\nc\r\n", "a b\r\n\r\nc\r\n", "ab\r\nc\r\n", "a b\nc\r\n",
                            "a b\r\nC\r\n", "\r\na b\r\nc\r\n"}) {
    EXPECT_NE(hashed(other), plain) << other;
  }
}

TEST(BodyHashes, ForgiveNothingButEmptyLinesAtTheEndWhenSimple) {
  const auto hash_of = [](const std::string& body) {
    BodyHashes hashes;
    const std::size_t whole = hashes.want(Canon::Simple);
    hashes.update(body);
    hashes.finish();
    return hashes.digest(whole);
  };
  // RFC 6376 §3.4.3: the hash of an empty body is that of one CRLF.
  EXPECT_EQ(base64(hash_of("")), "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
  EXPECT_EQ(hash_of("\r\n\r\n"), hash_of(""));
  EXPECT_EQ(hash_of("a\r\n\r\n\r\n"), hash_of("a"));
  EXPECT_NE(hash_of("a \r\n"), hash_of("a\r\n"));
  EXPECT_NE(hash_of(" \r\n"), hash_of("\r\n"));
}

/// A body of pieces that the canonical forms treat in a special way.
std::string random_body(std::mt19937& random) {
  const std::string_view alphabet = "ab  \t\t\r\n\r\n.\xC3";
  std::string body;
  for (unsigned n = random() % 60; n > 0; --n) {
    const char c = alphabet[random() % alphabet.size()];
    body += c == '\r' || c == '\n' ? "\r\n" : std::string(1, c);
  }
  return body;
}

/// Whatever the body, wherever the network cuts it, and however many digests are wanted.
TEST(BodyHashes, AreTheSameForEveryDivision) {
  std::mt19937 random(3);
  for (int round = 0; round < 10'000; ++round) {
    const std::string body = random_body(random);
    for (const Canon canon : {Canon::Simple, Canon::Relaxed}) {
      const std::string form = canon == Canon::Simple ? simple(body) : relaxed(body);
      const std::uint64_t part = random() % 64;
      BodyHashes hashes;
      const std::size_t whole = hashes.want(canon);
      const std::size_t limited = hashes.want(canon, part);
      for (std::string_view rest = body; !rest.empty();) {
        const std::string_view piece = rest.substr(0, 1 + random() % 9);
        hashes.update(piece);
        rest.remove_prefix(piece.size());
      }
      hashes.finish();
      ASSERT_EQ(hashes.digest(whole), base::sha256(form)) << testing::PrintToString(body);
      ASSERT_EQ(hashes.digest(limited), base::sha256(form.substr(0, part)))
          << testing::PrintToString(body) << part;
      ASSERT_EQ(hashes.covers_all(limited), part >= form.size());
      ASSERT_EQ(hashes.falls_short(limited), part > form.size());
    }
  }
}

/// Text with an oddity here and there, long enough to be looked at in strides.
std::string random_text(std::mt19937& random) {
  constexpr std::array<std::string_view, 8> kOddities = {" ",     "  ",       "\t",    "\r\n",
                                                         " \r\n", "\r\n\r\n", "\r\n ", " \t "};
  std::string text;
  for (unsigned n = random() % 12; n > 0; --n) {
    text += std::string(random() % 150, 'x');
    text += kOddities.at(random() % kOddities.size());
  }
  return text;
}

TEST(BodyHashes, OfLongStretchesOfPlainText) {
  std::mt19937 random(4);
  for (int round = 0; round < 10'000; ++round) {
    const std::string text = random_text(random);
    ASSERT_EQ(hashed(text), base::sha256(relaxed(text))) << testing::PrintToString(text);
    ASSERT_EQ(hashed(text, 1 + random() % 300), base::sha256(relaxed(text)))
        << testing::PrintToString(text);
  }
}

/// Every cut of one body that has all the oddities, in three pieces.
TEST(BodyHashes, DoNotMindWhereABodyIsCut) {
  const std::string body = " \t a  b\t\r\n\r\n \r\nc\rd\n  \r\n\r\n\t\r\n";
  const std::string expected = hashed(body);
  for (std::size_t first = 0; first <= body.size(); ++first) {
    for (std::size_t second = first; second <= body.size(); ++second) {
      BodyHashes hashes;
      const std::size_t whole = hashes.want(Canon::Relaxed);
      hashes.update(std::string_view(body).substr(0, first));
      hashes.update(std::string_view(body).substr(first, second - first));
      hashes.update(std::string_view(body).substr(second));
      hashes.finish();
      ASSERT_EQ(hashes.digest(whole), expected) << first << ' ' << second;
    }
  }
}

TEST(BodyHashes, GiveTheSameNumberForTheSameWish) {
  BodyHashes hashes;
  const std::size_t whole = hashes.want(Canon::Relaxed);
  EXPECT_NE(hashes.want(Canon::Simple), whole);
  EXPECT_NE(hashes.want(Canon::Relaxed, 5), whole);
  EXPECT_EQ(hashes.want(Canon::Relaxed), whole);
  EXPECT_EQ(hashes.want(Canon::Relaxed, 5), hashes.want(Canon::Relaxed, 5));
}

/// Lengths around the block of 4 KiB in which canonical octets are gathered.
TEST(BodyHashes, EndAtTheLengthAskedFor) {
  std::string body;
  while (body.size() < 20'000) body += "0123456789 abcdef\r\n";
  BodyHashes hashes;
  std::vector<std::pair<std::size_t, std::size_t>> wishes;
  for (const std::size_t length : {0UL, 1UL, 4095UL, 4096UL, 4097UL, 8192UL, 12'345UL, 19'999UL,
                                   body.size() - 1, body.size(), body.size() + 1, 999'999UL}) {
    wishes.emplace_back(length, hashes.want(Canon::Simple, length));
  }
  for (std::size_t at = 0; at < body.size(); at += 613) {
    hashes.update(std::string_view(body).substr(at, 613));
  }
  hashes.finish();
  for (const auto& [length, number] : wishes) {
    EXPECT_EQ(hashes.digest(number), base::sha256(body.substr(0, length))) << length;
    EXPECT_EQ(hashes.covers_all(number), length >= body.size()) << length;
    EXPECT_EQ(hashes.falls_short(number), length > body.size()) << length;
  }
}

TEST(BodyHashes, TakesMegabytesOfOneKind) {
  for (const char* unit : {" ", "\r\n", "x", "x \r\n", "\t\r\n"}) {
    std::string body;
    while (body.size() < 3'000'000) body += unit;
    EXPECT_EQ(hashed(body, 65'536), base::sha256(relaxed(body))) << unit;
  }
}

}  // namespace
}  // namespace relay::auth::dkim
