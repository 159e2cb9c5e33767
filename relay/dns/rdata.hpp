// Parses DNS records, which are untrusted (guarantee "An answer of the DNS is data"). Pure
// functions over the RDATA octets that libunbound delivers: one record each, names not compressed.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/ports/dns_records.hpp"

namespace relay::dns {

/// The name in the form libunbound expects: octets that are not letter, digit, hyphen or underscore
/// are written \DDD. nullopt for a name that cannot be in the DNS: with an empty label, a label
/// over 63 octets, more than 253 octets in all, or a NUL.
std::optional<std::string> question_name(std::string_view name);

/// The name below in-addr.arpa or ip6.arpa under which the PTR records of the address are (RFC 1035
/// §3.5, RFC 3596 §2.5).
std::string reverse_name(const boost::asio::ip::address& address);

/// The text of a domain name in wire format (RFC 1035 §3.1) that fills `wire` exactly: folded,
/// without a dot at the end; "." for the root. It need not be a host name: octets outside visible
/// ASCII, and dot, backslash and quote inside a label, are written \DDD (RFC 1035 §5.1). nullopt if
/// it is no valid name.
std::optional<std::string> presentation_name(std::string_view wire);

/// RFC 1035 §3.3.9. Accepts any well-formed name, also "." (RFC 7505).
std::optional<ports::MxHost> parse_mx(std::string_view rdata);

std::optional<boost::asio::ip::address> parse_a(std::string_view rdata);     ///< 4 octets
std::optional<boost::asio::ip::address> parse_aaaa(std::string_view rdata);  ///< 16 octets

/// The character-strings joined (RFC 1035 §3.3.14); they may contain any octets.
std::optional<std::string> parse_txt(std::string_view rdata);

/// The records of an answer in the form ports::Resolver returns. Damaged and repeated records (RFC
/// 2181 §5) are dropped; Malformed if all are damaged. Precondition: `records` is not empty.
std::expected<std::vector<ports::MxHost>, ports::DnsError> select_mx(
    std::span<const std::string> records);

/// Empty if all addresses are IPv4 mapped into IPv6.
ports::Addresses select_addresses(ports::IpFamily family, std::span<const std::string> records);

/// Empty if no name can be a host name.
std::expected<std::vector<std::string>, ports::DnsError> select_names(
    std::span<const std::string> records);

std::expected<std::vector<std::string>, ports::DnsError> select_txt(
    std::span<const std::string> records);

}  // namespace relay::dns
