// The PROXY protocol header, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt), by which a
// balancer names the client it connects for. Pure and strict: any octet against the specification
// makes the header invalid. The caller checks whether the peer may send one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include <boost/asio/ip/address.hpp>

namespace relay::inbound::proxy {

/// Longest line of version 1, with CRLF (§2.1).
inline constexpr std::size_t kMaxLineOctets = 107;

/// The fixed part of version 2 (§2.2).
inline constexpr std::size_t kFixedOctets = 16;

/// Most octets accepted of version 2: addresses and a few kilobytes of TLVs, such as client
/// certificates. More is treated as an attack.
inline constexpr std::size_t kMaxOctets = kFixedOctets + 4096;

struct Source {
  boost::asio::ip::address address;
  std::uint16_t port = 0;
};

struct Header {
  std::size_t octets = 0;  ///< of the whole header; the client's own octets follow
  /// nullopt: the connection is the balancer's own (LOCAL), or the client is unknown (UNKNOWN,
  /// UNSPEC, Unix sockets). The peer itself is then the client.
  std::optional<Source> source;
};

enum class Fault {
  Incomplete,  ///< the beginning of a header: read more
  NoHeader,    ///< no header begins here
  Malformed,   ///< begins like a header but is invalid
  TooLong,
};

/// Reads the header at the start of `octets`. TLVs of version 2 are skipped.
std::expected<Header, Fault> parse_header(std::string_view octets);

/// The octets begin a PROXY header, complete or not. For detecting a peer that sends one where it
/// should not.
bool begins_header(std::string_view octets);

}  // namespace relay::inbound::proxy
