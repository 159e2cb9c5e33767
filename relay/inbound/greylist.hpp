// Who a stranger is to greylisting: his network, his envelope sender and whom he writes to, as
// digests of a fixed size. Most programs that send what nobody asked for do not come again; mail
// servers do (RFC 6647).
#pragma once

#include <chrono>
#include <string>

#include "relay/base/origin.hpp"
#include "relay/base/rate_table.hpp"
#include "relay/ports/greylist.hpp"

namespace relay::inbound {

struct GreylistPolicy {
  bool enabled = false;
  ports::GreylistRules rules;
  /// Strangers of a network who are noted, twice as many for a wider one; a count of 0: no limit.
  base::Rate strangers{.count = 1000, .span = std::chrono::hours(1)};
};

/// Paths as they are compared: folded.
ports::GreylistKey greylist_key(const base::Origin& origin, const std::string& reverse_path,
                                const std::string& forward_path);

}  // namespace relay::inbound
