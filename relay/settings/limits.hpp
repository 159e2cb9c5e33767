// [limits]: how much one client and one message may use.
#pragma once

#include <chrono>
#include <cstdint>

#include "relay/base/network.hpp"
#include "relay/base/rate_table.hpp"
#include "relay/base/source_place.hpp"
#include "relay/forward/loop_guard.hpp"
#include "relay/mail/tls_demand.hpp"
#include "relay/smtp/server_limits.hpp"

namespace relay::settings {

using std::chrono::seconds;

struct Limits : smtp::ServerLimits {
  std::uint32_t max_hops = forward::kMaxHops;  ///< Received fields (RFC 5321 §6.3)
  /// RCPT commands whose mail is not taken, of everybody; count 0: no limit.
  base::Rate rcpts{.count = 200'000, .span = seconds(600)};
  base::Rate rcpts_per_ip{.count = 20'000, .span = seconds(3600)};
  base::Rate rcpts_per_network{.count = 40'000, .span = seconds(3600)};
  std::uint32_t late_tls_messages = mail::kLateTlsMessages;  ///< of a client or a next hop
  base::Networks exempt;  ///< clients exempt from limits per client
  base::SourcePlace exempt_at = {};
};

}  // namespace relay::settings
