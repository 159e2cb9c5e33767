#include "relay/auth/dkim/body_hashes.hpp"

#include <random>

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "relay/auth/dkim/base64.hpp"

namespace relay::auth::dkim {
namespace {

/// RFC 6376 §3.4.4, as plainly as it can be written.
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

std::string sha256(const std::string& octets) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(octets.data()), octets.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
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

/// Whatever the body and wherever the network cuts it.
TEST(BodyHashes, IsTheSameForEveryDivision) {
  std::mt19937 random(3);
  const std::string_view alphabet = "ab  \t\t\r\n\r\n.\xC3";
  for (int round = 0; round < 3'000; ++round) {
    std::string body;
    for (unsigned n = random() % 60; n > 0; --n) {
      const char c = alphabet[random() % alphabet.size()];
      body += c == '\r' || c == '\n' ? "\r\n" : std::string(1, c);
    }
    const std::string expected = sha256(relaxed(body));
    for (std::size_t piece = 1; piece < 8; ++piece) {
      ASSERT_EQ(hashed(body, piece), expected) << testing::PrintToString(body) << piece;
    }
  }
}

TEST(BodyHashes, TakesMegabytesOfOneKind) {
  for (const char* unit : {" ", "\r\n", "x", "x \r\n", "\t\r\n"}) {
    std::string body;
    while (body.size() < 3'000'000) body += unit;
    EXPECT_EQ(hashed(body, 65'536), sha256(relaxed(body))) << unit;
  }
}

}  // namespace
}  // namespace relay::auth::dkim
