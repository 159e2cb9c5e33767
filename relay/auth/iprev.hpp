// iprev: whether the client's address has a name that resolves to this address (RFC 8601 §3).
#pragma once

#include <cstddef>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth {

inline constexpr std::size_t kMaxIprevNames = 10;

/// Whether `name` is a host name by RFC 1123 §2.1: letters, digits and hyphens in labels of at most
/// 63 octets, 253 octets in all. Other names are never looked up or shown.
bool is_host_name(std::string_view name);

/// Looks up the names of `client`, then an address record of its family for each; the first name
/// that has this address is confirmed (Pass). PermError: the address has no name; Fail: no name has
/// the address; TempError: none has, but a lookup failed (RFC 8601 §2.7.3). At most 1 +
/// kMaxIprevNames lookups.
base::Task<mail::IprevVerdict> check_iprev(ports::Resolver& resolver,
                                           boost::asio::ip::address client,
                                           base::Deadline deadline);

}  // namespace relay::auth
