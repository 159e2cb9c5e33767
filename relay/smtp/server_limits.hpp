// What one SMTP server lets its clients use: [limits].
#pragma once

#include <chrono>
#include <cstdint>

#include "relay/base/rate_table.hpp"
#include "relay/mail/header.hpp"

namespace relay::smtp {

/// Sizes in octets.
struct ServerLimits {
  std::uint64_t max_size = 50ULL << 20;
  std::uint64_t max_header = mail::kMaxHeaderOctets;  ///< with the empty line that ends it
  std::uint32_t max_header_fields = 10'000;
  std::uint32_t max_recipients = 1000;
  std::uint32_t max_errors = 20;
  std::uint32_t max_junk = 100;

  std::uint32_t connections_total = 1000;
  std::uint32_t connections_per_client = 50;  ///< from one address
  /// IPv4 /24, IPv6 /64; twice as many for an IPv6 /48
  std::uint32_t connections_per_network = 200;
  /// New connections of one address; a count of 0: no limit.
  base::Rate connections_from_client{.count = 200, .span = std::chrono::seconds(10)};

  std::chrono::seconds command{300};     ///< a whole command line (RFC 5321 §4.5.3.2.7)
  std::chrono::seconds content{300};     ///< between two reads of content
  std::uint32_t min_content_rate = 500;  ///< octets a second, on average over the message
  std::chrono::seconds session{7200};    ///< everything together

  std::uint64_t memory = 64ULL << 20;  ///< octets of content in memory, of all messages arriving
  std::uint64_t memory_per_network = memory / 4;  ///< of these

  std::uint32_t handshakes = 250;  ///< TLS handshakes at once
  /// STARTTLS commands of one address; a count of 0: no limit.
  base::Rate handshakes_from_client{.count = 100, .span = std::chrono::seconds(10)};
  std::uint64_t wasted = 1ULL << 30;  ///< octets an hour and network of content that was not stored

  friend bool operator==(const ServerLimits&, const ServerLimits&) = default;
};

}  // namespace relay::smtp
