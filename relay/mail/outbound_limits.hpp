// How mail leaves this host, as far as the operator sets it: numbers of [outbound].
#pragma once

#include <chrono>
#include <cstdint>

namespace relay::mail {

struct OutboundLimits {
  std::uint16_t port = 25;         ///< of MX hosts
  bool allow_private = false;      ///< MX hosts with loopback or private addresses may be dialled
  std::uint32_t connections = 20;  ///< per destination
  std::uint32_t max_connections = 200;
  std::chrono::seconds connect_timeout{30};
  /// After this an attempt begins no connection, and no transaction but the first of a connection
  /// that was begun in time; steps already begun keep their own timeouts.
  std::chrono::seconds attempt_timeout{1800};

  friend bool operator==(const OutboundLimits&, const OutboundLimits&) = default;
};

}  // namespace relay::mail
