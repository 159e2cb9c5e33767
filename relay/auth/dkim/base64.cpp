#include "relay/auth/dkim/base64.hpp"

#include <algorithm>

#include <openssl/evp.h>

#include "relay/auth/dkim/tag_list.hpp"
#include "relay/base/text.hpp"

namespace relay::auth::dkim {

namespace {

bool is_base64(char c) { return base::is_alpha(c) || base::is_digit(c) || c == '+' || c == '/'; }

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
  const std::string dense = without_spaces(text);
  if (dense.empty() || dense.size() % 4 != 0) return std::nullopt;
  std::string_view digits = dense;
  std::size_t padding = 0;
  for (; padding < 2 && digits.ends_with('='); ++padding) digits.remove_suffix(1);
  if (!std::ranges::all_of(digits, is_base64)) return std::nullopt;
  std::string octets(dense.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(octets.data()),
                                     reinterpret_cast<const unsigned char*>(dense.data()),
                                     static_cast<int>(dense.size()));
  if (length < 0) return std::nullopt;
  octets.resize(octets.size() - padding);
  return octets;
}

}  // namespace relay::auth::dkim
