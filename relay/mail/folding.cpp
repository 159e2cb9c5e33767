#include "relay/mail/folding.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include <unicase.h>
#include <uninorm.h>

#include "relay/base/text.hpp"
#include "relay/mail/address.hpp"

namespace relay::mail {

namespace {

using Octets = std::unique_ptr<std::uint8_t, void (*)(void*)>;

const std::uint8_t* octets_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// Takes over the result of libunistring. For valid UTF-8 that is not empty it fails only for lack
/// of memory.
std::string taken(std::uint8_t* made, std::size_t length) {
  const Octets owned(made, std::free);
  if (!owned) throw std::bad_alloc();
  return {reinterpret_cast<const char*>(owned.get()), length};
}

}  // namespace

std::string folded_local_part(std::string_view local_part) {
  if (base::is_ascii(local_part) || !is_valid_utf8(local_part)) return base::lower(local_part);
  std::size_t length = 0;
  std::uint8_t* made = ::u8_tolower(octets_of(local_part), local_part.size(), nullptr, UNINORM_NFC,
                                    nullptr, &length);
  return taken(made, length);
}

std::string composed(std::string_view text) {
  if (base::is_ascii(text) || !is_valid_utf8(text)) return std::string(text);
  std::size_t length = 0;
  std::uint8_t* made = ::u8_normalize(UNINORM_NFC, octets_of(text), text.size(), nullptr, &length);
  return taken(made, length);
}

}  // namespace relay::mail
