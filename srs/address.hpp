// A mailbox as SRS sees it: a local part and a domain, split and put together again.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace srs {

inline constexpr std::size_t kMaxLocalPart = 64;  // RFC 5321 §4.5.3.1.1, octets
inline constexpr std::size_t kMaxAddress = 254;   // RFC 5321 §4.5.3.1.3, without brackets

/// local_part is decoded: `"a b"` as `a b`. to_string() quotes it where needed.
struct Address {
  std::string local_part;
  std::string domain;

  friend bool operator==(const Address&, const Address&) = default;
};

/// Splits at the last "@" and unquotes the local part. nullopt when either part is missing.
std::optional<Address> parse_address(std::string_view text);
std::string to_string(const Address& address);  ///< quoted only where RFC 5321 needs it

}  // namespace srs
