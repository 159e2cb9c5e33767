// What the relay uses of its host: the resolver, its ways out, the place of the control socket.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "relay/base/source_place.hpp"
#include "relay/mail/outbound_limits.hpp"

namespace relay::settings {

using std::chrono::seconds;

struct Dns {
  std::vector<std::string> forward_to;  ///< "ip" or "ip@port"; empty: recursion of our own
  std::string trust_anchor;             ///< a file; "": nothing is validated
  std::string trust_anchor_hash = {};   ///< of the records in the file
};

struct Outbound : mail::OutboundLimits {
  std::vector<std::string> source;                ///< textual IPs, at most one per family
  std::string ca_file;                            ///< for tls = "verify"; empty: the system's file
  std::vector<base::SourcePlace> source_at = {};  ///< of each source
};

struct Control {
  std::string socket = "/run/srs-relay/control.sock";
};

}  // namespace relay::settings
