// What the relay uses of its host: the resolver, its ways out, the place of the control socket.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "relay/base/source_place.hpp"

namespace relay::settings {

using std::chrono::seconds;

struct Dns {
  std::vector<std::string> forward_to;  ///< "ip" or "ip@port"; empty: recursion of our own
  std::string trust_anchor;             ///< a file; "": nothing is validated
  std::string trust_anchor_hash = {};   ///< of the records in the file
};

struct Outbound {
  std::vector<std::string> source;  ///< textual IPs, at most one per family
  bool allow_private = false;       ///< deliver to loopback and private addresses
  std::uint16_t port = 25;          ///< of MX hosts
  std::string ca_file;              ///< for tls = "verify"; empty: the system's file
  std::uint32_t connections = 20;   ///< per destination
  std::uint32_t max_connections = 200;
  seconds connect_timeout{30};
  seconds attempt_timeout{1800};
  std::vector<base::SourcePlace> source_at = {};  ///< of each source
};

struct Control {
  std::string socket = "/run/srs-relay/control.sock";
};

}  // namespace relay::settings
