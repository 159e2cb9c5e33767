// What DNS records hold, read with distrust. Pure functions over the octets of RDATA as
// libunbound delivers them: one record each, names not compressed.
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

/// A name as libunbound is asked for it: octets that are no letter, digit, hyphen or underscore as
/// \DDD. Nothing for a name that cannot be in the DNS: an empty label, one over 63 octets, more
/// than 253 in all, or a NUL.
std::optional<std::string> question_name(std::string_view name);

/// The name under in-addr.arpa or ip6.arpa whose PTR records name the address (RFC 1035 §3.5,
/// RFC 3596 §2.5).
std::string reverse_name(const boost::asio::ip::address& address);

/// A domain name in wire format (RFC 1035 §3.1) that fills `wire` exactly, folded, without trailing
/// dot; "." for the root. It may be no host's: what is no visible ASCII, and the dot, backslash and
/// quote inside a label, is written \DDD (RFC 1035 §5.1). Nothing for what is no name at all.
std::optional<std::string> presentation_name(std::string_view wire);

/// RFC 1035 §3.3.9. Any name that is well-formed, "." too (RFC 7505).
std::optional<ports::MxHost> parse_mx(std::string_view rdata);

std::optional<boost::asio::ip::address> parse_a(std::string_view rdata);     ///< 4 octets
std::optional<boost::asio::ip::address> parse_aaaa(std::string_view rdata);  ///< 16 octets

/// The character-strings joined (RFC 1035 §3.3.14); any octets may be in it.
std::optional<std::string> parse_txt(std::string_view rdata);

/// The records of an answer as ports::Resolver gives them. Damaged ones are left out, and so are
/// repeated ones (RFC 2181 §5); when all are damaged the answer is Malformed. Precondition: not
/// empty.
std::expected<std::vector<ports::MxHost>, ports::DnsError> select_mx(
    std::span<const std::string> records);

/// Empty when all are mapped IPv4 addresses.
ports::Addresses select_addresses(ports::IpFamily family, std::span<const std::string> records);

/// Empty when none can be a host's.
std::expected<std::vector<std::string>, ports::DnsError> select_names(
    std::span<const std::string> records);

std::expected<std::vector<std::string>, ports::DnsError> select_txt(
    std::span<const std::string> records);

}  // namespace relay::dns
