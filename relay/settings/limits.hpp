// [limits]: how much one client and one message may use; [srs.bounces].
#pragma once

#include <chrono>
#include <cstdint>

#include "relay/base/network.hpp"
#include "relay/base/rate_table.hpp"
#include "relay/base/source_place.hpp"
#include "relay/mail/header.hpp"

namespace relay::settings {

using std::chrono::seconds;

struct Limits {
  std::uint64_t max_size = 50ULL << 20;
  std::uint32_t max_recipients = 1000;
  std::uint32_t max_hops = 100;  ///< Received fields (RFC 5321 §6.3)
  std::uint64_t max_header = mail::kMaxHeaderOctets;
  std::uint32_t max_header_fields = 10'000;
  std::uint32_t max_connections = 1000;
  std::uint32_t per_ip = 50;
  std::uint32_t per_network = 200;  ///< IPv4 /24, IPv6 /64; twice as many for an IPv6 /48
  /// New connections of one address; count 0: no limit.
  base::Rate new_per_ip{.count = 200, .span = seconds(10)};
  /// RCPT commands whose mail is not taken, of everybody; count 0: no limit.
  base::Rate rcpts{.count = 200'000, .span = seconds(600)};
  base::Rate rcpts_per_ip{.count = 20'000, .span = seconds(3600)};
  base::Rate rcpts_per_network{.count = 40'000, .span = seconds(3600)};
  std::uint32_t max_errors = 20;
  std::uint32_t max_junk = 100;
  seconds command_timeout{300};
  seconds data_timeout{300};
  seconds session_timeout{7200};
  std::uint32_t min_rate = 500;                    ///< octets a second during DATA
  std::uint64_t memory = 64ULL << 20;              ///< for content, over all sessions
  std::uint64_t memory_per_network = 16ULL << 20;  ///< of that; default: a quarter of it
  std::uint32_t handshakes = 250;                  ///< TLS handshakes at once
  base::Rate handshakes_per_ip{.count = 100, .span = seconds(10)};  ///< count 0: no limit
  std::uint32_t late_tls_messages = 32;  ///< handshake messages of a peer after its handshake
  std::uint64_t wasted = 1ULL << 30;     ///< octets an hour, per network, that became no message
  base::Networks exempt;                 ///< clients exempt from limits per client
  base::SourcePlace exempt_at = {};
};

/// How much mail may come back to SRS addresses; counts are per hour.
struct Bounces {
  std::uint32_t per_address = 100;
  std::uint32_t per_sender = 300;
  std::uint32_t per_client = 1000;
  std::uint32_t bad_per_client = 20;
  std::uint32_t bad_in_all = 1000;
  std::uint32_t bad_per_taker = 100;
  std::uint32_t probes_per_client = 10'000;
  std::uint64_t max_body = 128ULL << 10;
};

}  // namespace relay::settings
