// SPF records as typed values (RFC 7208 §4.5, §4.6.1, §5, §6, §12). Pure: no lookups, no client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/auth/spf/macro.hpp"
#include "relay/mail/authentication.hpp"

namespace relay::auth::spf {

/// Our limit: a longer term is a syntax error. Names have at most 253 octets, so longer terms
/// cannot expand to a useful name.
inline constexpr std::size_t kMaxTermOctets = 1024;

enum class Mechanism : std::uint8_t { All, Include, A, Mx, Ptr, Ip4, Ip6, Exists };

/// Whether the mechanism counts towards the limit of terms with lookups (RFC 7208 §4.6.4).
constexpr bool causes_lookups(Mechanism mechanism) {
  return mechanism != Mechanism::All && mechanism != Mechanism::Ip4 && mechanism != Mechanism::Ip6;
}

/// Number of leading bits of an address that are compared.
struct PrefixLengths {
  std::uint8_t v4 = 32;
  std::uint8_t v6 = 128;
};

/// One mechanism with its qualifier.
struct Directive {
  mail::SpfResult result = mail::SpfResult::Pass;  ///< of a match: Pass, Fail, SoftFail or Neutral
  Mechanism mechanism = Mechanism::All;
  std::optional<MacroString> domain;  ///< nullopt: the domain of the record
  boost::asio::ip::address network;   ///< of ip4 and ip6
  PrefixLengths prefix;
  std::string text;  ///< as written, visible US-ASCII
};

struct Record {
  std::vector<Directive> directives;
  std::optional<MacroString> redirect;
  std::optional<MacroString> explanation;  ///< exp=
};

/// Parses a whole record; a syntax error anywhere makes it invalid (§4.6). The error is one line of
/// printable US-ASCII.
std::expected<Record, std::string> parse_record(std::string_view text);

/// Whether `text` begins with "v=spf1", followed by a space or the end (§4.5).
bool is_record(std::string_view text);

enum class NotOne : std::uint8_t { NoRecord, SeveralRecords };

/// The single SPF record among the TXT records of a domain; points into `texts`.
std::expected<const std::string*, NotOne> select_record(const std::vector<std::string>& texts);

/// Whether `client` and `network` have the same leading bits; false for different families.
bool within(const boost::asio::ip::address& client, const boost::asio::ip::address& network,
            PrefixLengths prefix);

/// For messages: quoted, every octet outside visible US-ASCII replaced by '?', long texts cut.
std::string in_quotes(std::string_view text);

/// `text` with every octet outside visible US-ASCII replaced by '?'.
std::string visible(std::string_view text);

}  // namespace relay::auth::spf
