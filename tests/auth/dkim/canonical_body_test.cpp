#include "relay/auth/dkim/canonical_body.hpp"

#include <random>

#include <gtest/gtest.h>

#include "relay/base/sha256.hpp"

namespace relay::auth::dkim {
namespace {

/// RFC 6376 §3.4.3 and §3.4.4 word for word, over the whole body at once: what the streaming form,
/// which looks at many octets at a time, must agree with.
std::string canonical_by_the_letter(std::string_view body, Canon canon) {
  std::string out;
  bool space = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const bool line_end = body.substr(i).starts_with("\r\n");
    if (canon == Canon::Relaxed && (body[i] == ' ' || body[i] == '\t')) {
      space = true;  // one for all of them, none at the end of a line
      continue;
    }
    if (space && !line_end) out += ' ';
    space = false;
    out += body[i];
    if (line_end) out += body[++i];
  }
  // A body that ends without a line end gets one, unless nothing is left of it.
  if (!out.empty() && !out.ends_with("\r\n")) out += "\r\n";
  while (out.ends_with("\r\n\r\n")) out.resize(out.size() - 2);
  if (out == "\r\n" && canon == Canon::Relaxed) out.clear();
  if (out.empty() && canon == Canon::Simple) out = "\r\n";
  return out;
}

/// Bodies of few different octets, so that all that matters meets all else.
std::string random_body(std::mt19937& random) {
  static constexpr std::string_view kPieces[] = {
      " ", "\t",   "\r\n", "\r",       "\n",
      "a", "word", "  ",   "\r\n\r\n", "a long piece without any blank in it"};
  std::string body;
  const std::size_t pieces = random() % 60;
  const std::size_t known = 1 + random() % std::size(kPieces);
  for (std::size_t i = 0; i < pieces; ++i) body += kPieces[random() % known];
  return body;
}

class CanonicalBodies : public testing::TestWithParam<Canon> {};

TEST_P(CanonicalBodies, AreTheSameInWhateverPiecesTheyCome) {
  std::mt19937 random(2026);
  for (int round = 0; round < 20'000; ++round) {
    const std::string body = random_body(random);
    const std::string expected = canonical_by_the_letter(body, GetParam());
    CanonicalBody streamed(GetParam());
    const std::size_t mark = random() % (expected.size() + 2);
    streamed.mark(mark);
    for (std::size_t at = 0; at < body.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 200, body.size() - at);
      streamed.update(std::string_view(body).substr(at, size));
      at += size;
    }
    streamed.finish();
    ASSERT_EQ(streamed.octets(), expected.size()) << testing::PrintToString(body);
    ASSERT_EQ(streamed.digest(), base::sha256(expected)) << testing::PrintToString(body);
    ASSERT_EQ(streamed.digest_at(mark), base::sha256(std::string_view(expected).substr(0, mark)))
        << testing::PrintToString(body) << " to " << mark;
  }
}

INSTANTIATE_TEST_SUITE_P(Both, CanonicalBodies, testing::Values(Canon::Simple, Canon::Relaxed));

}  // namespace
}  // namespace relay::auth::dkim
