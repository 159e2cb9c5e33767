// iprev: does the client's address lead to a name that leads back to it (RFC 8601 §3)?
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

/// A host name as RFC 1123 §2.1 has it: letters, digits and hyphens in labels of at most 63, 253
/// octets in all. Only such a name is looked up or ever shown.
bool is_host_name(std::string_view name);

/// Confirms the names of `client` one by one by an address record of its family; the first that
/// has it is the name. PermError: no name at all; Fail: none leads back; TempError: one of the
/// lookups failed and none leads back (RFC 8601 §2.7.3). At most 1 + kMaxIprevNames lookups.
base::Task<mail::IprevVerdict> check_iprev(ports::Resolver& resolver,
                                           boost::asio::ip::address client,
                                           base::Deadline deadline);

}  // namespace relay::auth
