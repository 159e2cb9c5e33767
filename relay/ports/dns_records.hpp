// Brings the records of a DNS answer into the form that every Resolver returns: one order and one
// bound, whatever looked them up. A well-formed record without use is left out or kept as the
// Resolver's comments say; it is never an error.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/ports/resolver.hpp"

namespace relay::ports {

/// True for labels of 1-63 letters, digits, hyphens and underscores, at most 253 octets in all; a
/// trailing dot is allowed (RFC 1035 §2.3.4).
bool is_plain_name(std::string_view name);

/// True for a plain name that may be a host: its last label is not all digits, which would be an
/// address written in place of a name.
bool may_be_host(std::string_view name);

/// MX hosts in order, each once, at most Resolver::kMaxMxHosts: of too many, first names that
/// cannot be hosts are dropped, then the least preferred. NullMx when all name the root, ".";
/// beside other hosts such a record is ignored (RFC 7505 §3).
std::expected<std::vector<MxHost>, DnsError> arranged_hosts(std::vector<MxHost> hosts);

/// Addresses of one family, each once, in the order they came: DNS servers rotate it to spread
/// load. Only when they exceed Resolver::kMaxAnswerOctets, the lowest are kept, whatever their
/// order. IPv4-mapped IPv6 addresses are dropped: they do not belong into the DNS, and would evade
/// checks of IPv4 addresses.
std::vector<boost::asio::ip::address> arranged_addresses(
    std::vector<boost::asio::ip::address> addresses);

using Addresses = std::expected<std::vector<boost::asio::ip::address>, DnsError>;

/// Joins the answers about both families, IPv6 first. One half is enough if it holds an address;
/// that there is none can be said only when both were heard.
Addresses joined_addresses(Addresses aaaa, Addresses a);

/// Names that may be hosts, sorted by octets, each once, within kMaxAnswerOctets.
std::vector<std::string> arranged_names(std::vector<std::string> names);

/// Texts within kMaxAnswerOctets: first those that begin with "v=", then the others, sorted by
/// octets. Equal texts are kept as often as they came.
std::vector<std::string> arranged_texts(std::vector<std::string> texts);

}  // namespace relay::ports
