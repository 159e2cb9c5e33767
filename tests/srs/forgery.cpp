// srs_forgery [--tags N] [--seed S]. Guesses at the tag of an SRS address, which would make us an
// open relay for one address each. Exit 0 when no strong tag was guessed and classic ones no more
// often than their bits say.
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

#include "srs/srs.hpp"

namespace {

constexpr std::int64_t kNow = 1'795'500'000;
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

srs::Rewriter rewriter(srs::Format format) {
  auto keys = srs::KeyRing::make({{"k", "a secret of more than sixteen octets", {}, {}}});
  srs::Options options;
  options.format = format;
  return {std::move(*keys), "srs.example.net", options};
}

struct Guesses {
  std::uint64_t accepted = 0;
  double expected = 0;
};

/// Keeps everything of a good address but its tag.
Guesses guess(const srs::Rewriter& rewriter, std::string_view alphabet, std::uint64_t tags,
              std::mt19937_64& random) {
  const srs::Address good = *rewriter.forward({"victim", "sender.example"}, kNow);
  const std::size_t begin = good.local_part.find('=') + 1;
  const std::size_t length = good.local_part.find('=', begin) - begin;
  const std::string tag = good.local_part.substr(begin, length);
  // Tags that differ in case only are the same, because addresses are folded on their way.
  double same = 1;
  for (const char c : tag) {
    if (alphabet == kBase64 && std::isalpha(static_cast<unsigned char>(c)) != 0) same *= 2;
  }
  Guesses guesses;
  guesses.expected = static_cast<double>(tags) * same /
                     std::pow(static_cast<double>(alphabet.size()), static_cast<double>(length));
  srs::Address forged = good;
  for (std::uint64_t i = 0; i < tags; ++i) {
    for (std::size_t at = 0; at < length; ++at) {
      forged.local_part[begin + at] = alphabet[random() % alphabet.size()];
    }
    if (rewriter.reverse(forged, kNow)) ++guesses.accepted;
  }
  return guesses;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t tags = 200'000;
  std::uint64_t seed = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const auto value = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--tags") tags = value;
    if (name == "--seed") seed = value;
  }
  std::mt19937_64 random(seed);
  const Guesses strong = guess(rewriter(srs::Format::Strong), kBase32, tags, random);
  const Guesses classic = guess(rewriter(srs::Format::Classic), kBase64, tags, random);
  std::printf(
      "forgery: seed %llu, %llu random tags of each kind: strong %llu accepted (%.6f expected), "
      "classic %llu accepted (%.1f expected)\n",
      static_cast<unsigned long long>(seed), static_cast<unsigned long long>(tags),
      static_cast<unsigned long long>(strong.accepted), strong.expected,
      static_cast<unsigned long long>(classic.accepted), classic.expected);
  // Six standard deviations of a Poisson count, and some for the smallest numbers.
  const double most = classic.expected + 6 * std::sqrt(classic.expected) + 3;
  const bool as_predicted = static_cast<double>(classic.accepted) <= most;
  return strong.accepted == 0 && as_predicted ? 0 : 1;
}
