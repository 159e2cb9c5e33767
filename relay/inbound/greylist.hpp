// Greylisting (RFC 6647) recognises a client by its network, its envelope sender and the recipient,
// stored as digests of a fixed size. Most spam software does not come again after a 4xx; mail
// servers do.
#pragma once

#include <string>

#include "relay/base/origin.hpp"
#include "relay/base/rate_table.hpp"
#include "relay/ports/greylist_visit.hpp"

namespace relay::inbound {

struct GreylistPolicy {
  bool enabled = false;
  ports::GreylistRules rules;
  /// New triplets stored for one network; twice as many for a wider one. A count of 0: no limit.
  base::Rate strangers;
};

/// Both paths must be folded.
ports::GreylistKey greylist_key(const base::Origin& origin, const std::string& reverse_path,
                                const std::string& forward_path);

}  // namespace relay::inbound
