// The configuration as checked values. Immutable once loaded: sessions and attempts hold a
// snapshot, and a reload makes a new one. Every field has its default here; the file only says what
// differs.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/key_text.hpp"
#include "relay/base/rate_table.hpp"
#include "relay/forward/policy.hpp"
#include "relay/mail/header.hpp"
#include "relay/mail/notice_policy.hpp"
#include "relay/settings/abuse.hpp"
#include "relay/settings/arrival.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/host.hpp"
#include "relay/settings/verification.hpp"

namespace relay::settings {

using std::chrono::seconds;

struct SocketAddress {
  std::string host;  ///< textual IP, no brackets
  std::uint16_t port = 0;
  bool takes_ipv4 = false;  ///< "::" of a socket that another process has opened for IPv4, too
};

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
  Place exempt_at = {};
};

struct Listener {
  std::vector<SocketAddress> addresses;  ///< empty: the sockets that systemd passes
  std::vector<std::string> reached_as;   ///< textual IPs that NAT maps to it
  Place at = {};
  ListenerPolicy policy = {};
};

struct Tls {
  base::KeyText certificate;
  base::KeyText key;
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

/// What the file says. What it says of forwarding is the policy of relay/forward.
struct Settings : forward::Policy {
  std::string file;                         ///< the path as given
  std::vector<std::string> sources = {};    ///< files that a Place can be in
  std::vector<NamedFile> named_files = {};  ///< all that it reads except credentials and variables
  std::vector<std::filesystem::path> named_folders = {};  ///< that `include` looks for files in
  std::string hash;           ///< first 16 hex digits of SHA-256 over all files read
  std::uint32_t threads = 0;  ///< shards; 0: one per core
  std::vector<Listener> listeners;
  std::vector<Gateway> gateways;
  Limits limits;
  std::vector<DnsList> dns_lists;
  Abuse abuse;
  Greylist greylist;
  Rates rates;
  Bounces bounces;
  std::optional<Tls> tls;
  Dns dns;
  Auth auth;
  mail::NoticePolicy notices;
  Outbound outbound;
  Queue queue;
  LogTarget log;
  Control control;
};

/// The position of a place; the configuration as a whole when it is unknown.
inline Position position_of(const Settings& settings, const Place& place) {
  if (place.line == 0 || place.file >= settings.sources.size()) return {settings.file, 0, 0};
  return {settings.sources[place.file], static_cast<std::uint32_t>(place.line),
          static_cast<std::uint32_t>(place.column)};
}

}  // namespace relay::settings
