// The header of the PROXY protocol, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt): a balancer
// says in it for whom it opens the connection. Pure and strict: one octet that the specification
// does not allow, and there is no header. Whether who says it may say it is not asked here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include <boost/asio/ip/address.hpp>

namespace relay::inbound::proxy {

/// A line of version 1 with its CRLF (§2.1).
inline constexpr std::size_t kMaxLineOctets = 107;

/// The fixed part of version 2 (§2.2).
inline constexpr std::size_t kFixedOctets = 16;

/// What is read of version 2: addresses and a few kilobytes of TLVs, as certificates of clients
/// are. More is taken for an attack.
inline constexpr std::size_t kMaxOctets = kFixedOctets + 4096;

struct Source {
  boost::asio::ip::address address;
  std::uint16_t port = 0;
};

struct Header {
  std::size_t octets = 0;  ///< what stood in front of the client's own octets
  /// nullopt: the connection is the balancer's own (LOCAL), or it does not know for whom it is
  /// (UNKNOWN, UNSPEC, Unix sockets): who is connected is the client.
  std::optional<Source> source;
};

enum class Fault {
  Incomplete,  ///< the beginning of a header: read on
  NoHeader,    ///< something else
  Malformed,   ///< begins as a header, and is none
  TooLong,
};

/// Reads the header at the begin of `octets`. TLVs of version 2 are skipped.
std::expected<Header, Fault> parse_header(std::string_view octets);

/// The first octets are those of a header, whole or not: of whoever speaks the PROXY protocol to
/// one who does not.
bool begins_header(std::string_view octets);

}  // namespace relay::inbound::proxy
