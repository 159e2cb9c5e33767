#include "relay/auth/dkim/base64.hpp"

#include <array>
#include <cstdint>

#include <openssl/evp.h>

namespace relay::auth::dkim {

namespace {

constexpr unsigned char kNoDigit = 0xFF;
constexpr unsigned char kSpace = 0xFE;

/// For each octet the six bits that it stands for, kNoDigit or kSpace.
constexpr std::array<unsigned char, 256> meanings() {
  std::array<unsigned char, 256> table{};
  table.fill(kNoDigit);
  for (const char c : {' ', '\t', '\r', '\n'}) table.at(static_cast<unsigned char>(c)) = kSpace;
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  unsigned char bits = 0;
  for (const char c : kDigits) table.at(static_cast<unsigned char>(c)) = bits++;
  return table;
}

constexpr auto kMeanings = meanings();

unsigned char meaning_of(char c) { return kMeanings[static_cast<unsigned char>(c)]; }

}  // namespace

std::string base64(std::string_view octets) {
  std::string text((octets.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(octets.data()),
                                     static_cast<int>(octets.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string octets;
  octets.reserve(text.size() / 4 * 3 + 3);
  std::size_t digits = 0;
  std::size_t padding = 0;
  std::uint32_t bits = 0;
  for (const char c : text) {
    const unsigned char meaning = meaning_of(c);
    if (meaning == kSpace) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    if (meaning == kNoDigit || padding > 0) return std::nullopt;
    bits = bits << 6U | meaning;
    // Each digit but the first of four completes an octet.
    const unsigned spare = 6 - 2 * (digits % 4);
    if (digits++ % 4 != 0) octets += static_cast<char>(bits >> spare & 0xFFU);
  }
  const bool whole = digits > 0 && padding <= 2 && (digits + padding) % 4 == 0;
  if (!whole) return std::nullopt;
  return octets;
}

}  // namespace relay::auth::dkim
