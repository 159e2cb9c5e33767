// Who a stranger is to greylisting: his network, his envelope sender and whom he writes to, as
// digests of a fixed size. Most programs that send what nobody asked for do not come again; mail
// servers do (RFC 6647).
#pragma once

#include <string>

#include "relay/ports/greylist.hpp"

namespace relay::inbound {

struct GreylistPolicy {
  bool enabled = false;
  ports::GreylistRules rules;
};

/// Paths as they are compared: folded.
ports::GreylistKey greylist_key(const std::string& network, const std::string& reverse_path,
                                const std::string& forward_path);

}  // namespace relay::inbound
