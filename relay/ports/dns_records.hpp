// The records of a DNS answer as every Resolver gives them: one order, one bound, whoever looked
// them up. What is well-formed and of no use is left out or kept as the port says; never an error.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/ports/resolver.hpp"

namespace relay::ports {

/// True for labels of 1-63 letters, digits, hyphens and underscores, at most 253 octets, a trailing
/// dot allowed (RFC 1035 §2.3.4).
bool is_plain_name(std::string_view name);

/// True for a plain name that may be a host's: it does not end in a label of digits alone, which is
/// an address written where a name belongs.
bool may_be_host(std::string_view name);

/// MX hosts in order, each once, within Resolver::kMaxMxHosts: of too many, names that cannot be
/// hosts go first, then the least preferred. NullMx when all name the root, as "."; beside others
/// such a record means nothing (RFC 7505 §3).
std::expected<std::vector<MxHost>, DnsError> arranged_hosts(std::vector<MxHost> hosts);

/// Addresses of one family, each once, in the order they came: rotating it spreads load. Only where
/// Resolver::kMaxAnswerOctets cuts, the lowest are kept, whatever came first. Without IPv4
/// addresses mapped into IPv6: they have no business in DNS, and walk around checks on IPv4
/// addresses.
std::vector<boost::asio::ip::address> arranged_addresses(
    std::vector<boost::asio::ip::address> addresses);

using Addresses = std::expected<std::vector<boost::asio::ip::address>, DnsError>;

/// What was heard about both families as one answer, IPv6 first. Half an answer is good enough,
/// but that nothing of use is there can be said only when both halves were heard.
Addresses joined_addresses(Addresses aaaa, Addresses a);

/// Names that may be hosts, in the order of their octets, each once, within kMaxAnswerOctets.
std::vector<std::string> arranged_names(std::vector<std::string> names);

/// Texts within kMaxAnswerOctets: those that begin with "v=" first, then by their octets. Texts
/// that are alike are as many records as they came from.
std::vector<std::string> arranged_texts(std::vector<std::string> texts);

}  // namespace relay::ports
