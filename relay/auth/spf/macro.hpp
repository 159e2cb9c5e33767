// Macro strings of SPF (RFC 7208 §7): parsed once, expanded into bounded text. Knows no DNS: the
// confirmed name behind %{p} is a value like the others.
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

/// RFC 7208 §7.3: a longer name loses labels on its left.
inline constexpr std::size_t kMaxNameOctets = 253;

/// Ours: a longer explanation is none.
inline constexpr std::size_t kMaxExplanationOctets = 1024;

/// What the letters stand for. The views belong to whoever asks for an expansion.
struct MacroValues {
  std::string_view local_part;      ///< l, and s with the next
  std::string_view sender_domain;   ///< o
  std::string_view domain;          ///< d: whose record is being evaluated
  boost::asio::ip::address client;  ///< c, i, v; IPv4 never mapped into IPv6
  std::string_view helo;            ///< h
  std::string_view receiver;        ///< r
  base::WallTime now;               ///< t
  std::string_view client_name;     ///< p; "" for none confirmed
};

/// Where a macro string stands decides what may be in it.
enum class MacroUse : std::uint8_t {
  DomainSpec,   ///< of a mechanism, redirect= or exp=: ends in a top label or a macro (§7.1)
  Modifier,     ///< value of an unknown modifier: only its syntax counts
  Explanation,  ///< text with spaces, and the letters c, r, t (§7.2)
};

class MacroString {
 public:
  /// Errors are one line of ours, for people; no octet of the text is in them.
  static std::expected<MacroString, std::string_view> parse(std::string_view text, MacroUse use);

  /// Whether %{p} is in it: only then somebody has to look for the client's name.
  bool names_client() const;

  /// As a name to look up: no trailing dot, at most kMaxNameOctets; "" when nothing is left. Not
  /// necessarily a name that can exist: labels may be empty, or longer than 63 octets.
  std::string expand_name(const MacroValues& values) const;

  /// As a text of printable US-ASCII of at most kMaxExplanationOctets, or nothing.
  std::optional<std::string> expand_text(const MacroValues& values) const;

 private:
  struct Part {
    std::string literal;   ///< alone when there is no letter
    char letter = 0;       ///< folded
    bool escaped = false;  ///< upper case: URL-escaped (§7.3)
    bool reversed = false;
    std::uint16_t kept = 0;  ///< right-hand parts to keep; 0 for all
    std::string delimiters;  ///< "" for "."
  };

  static std::string_view value_of(const Part& part, const MacroValues& values,
                                   std::string& storage);
  static std::string expanded(const Part& part, const MacroValues& values);
  static std::expected<Part, std::string_view> parse_macro(std::string_view inner, MacroUse use);

  void append_literal(std::string_view text);

  std::vector<Part> parts_;
};

/// "2001:db8::1" as "1.0.0.….8.b.d.0.1.0.0.2" reads from the right: the dotted form of %{i}.
std::string dotted(const boost::asio::ip::address& address);

}  // namespace relay::auth::spf
