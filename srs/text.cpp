#include "srs/text.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <new>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace srs {

namespace {

constexpr std::string_view kStampAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr int kStampRange = 1024;
constexpr std::int64_t kSecondsPerDay = 86'400;

int stamp_digit(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  const auto at = kStampAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

int day_number(std::int64_t now_unix) {
  return static_cast<int>(((day_of(now_unix) % kStampRange) + kStampRange) % kStampRange);
}

/// Computes MACs with `digest`, repeatedly on one thread. The one-shot HMAC() of OpenSSL 3 looks up
/// its algorithms by name each time, which costs more than the MAC of an address.
class Hmac {
 public:
  explicit Hmac(const char* digest) {
    const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> method(
        EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
    context_.reset(EVP_MAC_CTX_new(method.get()));
    std::array<OSSL_PARAM, 2> named = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(digest), 0),
        OSSL_PARAM_construct_end()};
    if (!context_ || EVP_MAC_CTX_set_params(context_.get(), named.data()) != 1) {
      throw std::bad_alloc();
    }
  }

  std::string of(std::string_view key, std::string_view message) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    std::size_t length = 0;
    // A null key would mean: reuse the previous one.
    const char* octets = key.empty() ? "" : key.data();
    if (EVP_MAC_init(context_.get(), reinterpret_cast<const unsigned char*>(octets), key.size(),
                     nullptr) != 1 ||
        EVP_MAC_update(context_.get(), reinterpret_cast<const unsigned char*>(message.data()),
                       message.size()) != 1 ||
        EVP_MAC_final(context_.get(), out.data(), &length, out.size()) != 1) {
      throw std::bad_alloc();
    }
    return {reinterpret_cast<const char*>(out.data()), length};
  }

 private:
  std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context_{nullptr, EVP_MAC_CTX_free};
};

}  // namespace

std::string fold(std::string_view text) {
  std::string folded(text);
  std::ranges::transform(folded, folded.begin(), [](char c) { return fold(c); });
  return folded;
}

std::optional<std::string_view> after_tag(std::string_view local, std::string_view tag) {
  if (local.size() <= tag.size() || fold(local.substr(0, tag.size())) != fold(tag)) {
    return std::nullopt;
  }
  if (!is_separator(local[tag.size()])) return std::nullopt;
  return local.substr(tag.size());
}

std::int64_t day_of(std::int64_t now_unix) {
  const std::int64_t day = now_unix / kSecondsPerDay;
  return now_unix % kSecondsPerDay < 0 ? day - 1 : day;
}

std::int64_t day_of_stamp(std::string_view stamp, std::int64_t now_unix) {
  const auto age = age_of(stamp, now_unix);
  if (!age) return -1;
  return day_of(now_unix) - (*age > kStampRange / 2 ? *age - kStampRange : *age);
}

std::string day_text(std::int64_t day) { return std::to_string(day); }

std::string stamp_of(std::int64_t now_unix) {
  const auto day = static_cast<std::size_t>(day_number(now_unix));
  return {kStampAlphabet[day >> 5], kStampAlphabet[day & 31U]};
}

std::optional<int> age_of(std::string_view stamp, std::int64_t now_unix) {
  if (stamp.size() != 2) return std::nullopt;
  const int high = stamp_digit(stamp[0]);
  const int low = stamp_digit(stamp[1]);
  if (high < 0 || low < 0) return std::nullopt;
  return (day_number(now_unix) - (high * 32 + low) + kStampRange) % kStampRange;
}

std::string hmac_md5(std::string_view key, std::string_view message) {
  thread_local Hmac hmac("MD5");
  return hmac.of(key, message);
}

std::string hexadecimal(std::string_view octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(octets.size() * 2);
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    text += kDigits[octet >> 4U];
    text += kDigits[octet & 15U];
  }
  return text;
}

std::string hmac_sha1(std::string_view key, std::string_view message) {
  thread_local Hmac hmac("SHA1");
  return hmac.of(key, message);
}

std::string hmac_sha256(std::string_view key, std::string_view message) {
  thread_local Hmac hmac("SHA256");
  return hmac.of(key, message);
}

std::string base64(std::string_view octets) {
  std::string text((octets.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(octets.data()),
                                     static_cast<int>(octets.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string base32_lower(std::string_view octets) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  unsigned buffer = 0;
  int bits = 0;
  for (const char c : octets) {
    buffer = (buffer << 8) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 5; bits -= 5) text += kAlphabet[(buffer >> (bits - 5)) & 31U];
  }
  if (bits > 0) text += kAlphabet[(buffer << (5 - bits)) & 31U];
  return text;
}

std::string delimited(const std::vector<std::string_view>& fields) {
  std::string message;
  for (const std::string_view field : fields) {
    const auto size = static_cast<std::uint32_t>(field.size());
    for (int shift = 24; shift >= 0; shift -= 8)
      message += static_cast<char>((size >> shift) & 255U);
    message += field;
  }
  return message;
}

bool is_dotted_name(std::string_view domain) {
  if (domain.empty() || domain.size() > 255 || domain.find('.') == std::string_view::npos) {
    return false;
  }
  std::size_t label = 0;
  for (const char c : domain) {
    const bool letter = (fold(c) >= 'a' && fold(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                        c == '_' || static_cast<unsigned char>(c) >= 0x80;
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
    } else if (!letter || ++label > 63) {
      return false;
    }
  }
  return label > 0;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace srs
