// Macro strings of SPF (RFC 7208 §7), parsed once and expanded into text of limited length. No
// lookups: the confirmed name for %{p} is passed in like the other values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/base/time.hpp"

namespace relay::auth::spf {

/// RFC 7208 §7.3: longer names lose labels on the left.
inline constexpr std::size_t kMaxNameOctets = 253;

/// Our limit: a longer explanation is ignored.
inline constexpr std::size_t kMaxExplanationOctets = 1024;

/// Values of the macro letters. Views: the caller keeps the texts alive.
struct MacroValues {
  std::string_view local_part;      ///< l, and s together with sender_domain
  std::string_view sender_domain;   ///< o
  std::string_view domain;          ///< d: whose record is being evaluated
  boost::asio::ip::address client;  ///< c, i, v; IPv4 never mapped into IPv6
  std::string_view helo;            ///< h
  std::string_view receiver;        ///< r
  base::WallTime now;               ///< t
  std::string_view client_name;     ///< p; "": no name is confirmed
};

/// Where the macro string occurs, which decides what it may contain.
enum class MacroUse : std::uint8_t {
  DomainSpec,   ///< of a mechanism, redirect= or exp=: ends in a top label or macro (§7.1)
  Modifier,     ///< value of an unknown modifier: only its syntax matters
  Explanation,  ///< text with spaces, and also the letters c, r, t (§7.2)
};

class MacroString {
 public:
  /// The error is one line in our own words, without any octet of `text`.
  static std::expected<MacroString, std::string_view> parse(std::string_view text, MacroUse use);

  /// Whether %{p} occurs: only then the client's name is needed.
  bool names_client() const;

  /// The expansion as a name to look up: no dot at its end, at most kMaxNameOctets; "" when nothing
  /// is left. It need not be a valid name: labels can be empty, or longer than 63 octets.
  std::string expand_name(const MacroValues& values) const;

  /// The expansion as text; nullopt unless printable US-ASCII of at most kMaxExplanationOctets.
  std::optional<std::string> expand_text(const MacroValues& values) const;

 private:
  struct Part {
    std::string literal;   ///< set if letter is 0
    char letter = 0;       ///< folded
    bool escaped = false;  ///< upper case: URL-escaped (§7.3)
    bool reversed = false;
    std::uint16_t kept = 0;  ///< number of right-hand parts to keep; 0: all
    std::string delimiters;  ///< "" stands for "."
  };

  static std::string_view value_of(const Part& part, const MacroValues& values,
                                   std::string& storage);
  static std::string expanded(const Part& part, const MacroValues& values);
  static std::expected<Part, std::string_view> parse_macro(std::string_view inner, MacroUse use);

  void append_literal(std::string_view text);

  std::vector<Part> parts_;
};

/// For %{i}: IPv4 as usual; IPv6 as 32 hexadecimal digits with dots between them.
std::string dotted(const boost::asio::ip::address& address);

}  // namespace relay::auth::spf
