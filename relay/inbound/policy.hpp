// Settings of the SMTP server: one immutable snapshot, replaced as a whole on reload.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "relay/auth/message_check.hpp"
#include "relay/auth/signing_policy.hpp"
#include "relay/base/rate_table.hpp"
#include "relay/forward/loop_guard.hpp"
#include "relay/forward/planner.hpp"
#include "relay/inbound/abuse_control.hpp"
#include "relay/inbound/arrival_policy.hpp"
#include "relay/inbound/bounce_guard.hpp"
#include "relay/mail/header.hpp"

namespace relay::inbound {

/// Sizes in octets.
struct Limits {
  std::uint64_t max_size = 50ULL * 1024 * 1024;
  std::uint64_t max_line = 64ULL * 1024;
  std::uint64_t max_header = mail::kMaxHeaderOctets;  ///< with the empty line that ends it
  std::uint32_t max_header_fields = 10'000;
  std::uint32_t max_recipients = 1000;
  std::uint32_t max_errors = 20;
  std::uint32_t max_junk = 100;

  std::uint32_t connections_total = 1000;
  std::uint32_t connections_per_client = 50;    ///< from one address
  std::uint32_t connections_per_network = 200;  ///< IPv4 /24, IPv6 /64
  /// New connections of one address; a count of 0: no limit.
  base::Rate connections_from_client{.count = 200, .span = std::chrono::seconds(10)};
  std::uint32_t overload_percent = 80;  ///< of connections_total; from there on short timeouts

  std::chrono::seconds command{300};  ///< a whole command line (RFC 5321 §4.5.3.2.7)
  std::chrono::seconds command_overloaded{10};
  std::chrono::seconds content{300};     ///< between two reads of content
  std::uint32_t min_content_rate = 500;  ///< octets a second, on average over the message
  std::chrono::seconds session{7200};    ///< everything together

  std::uint64_t memory = 64ULL << 20;  ///< octets of content in memory, of all messages arriving
  std::uint64_t memory_per_network = 16ULL << 20;  ///< of these, for one network

  std::uint32_t handshakes = 250;  ///< TLS handshakes at once
  /// STARTTLS commands of one address; a count of 0: no limit.
  base::Rate handshakes_from_client{.count = 100, .span = std::chrono::seconds(10)};
  std::uint64_t wasted = 1ULL << 30;  ///< octets an hour and network of content that was not stored

  BounceLimits bounces;
  /// Octets of the body of a message to an SRS address. Exim returns 100 KiB by default.
  std::uint64_t max_bounce_body = 128ULL * 1024;
};

/// Octets of content that the slowest permitted client sends in this time.
inline std::uint64_t content_in(std::chrono::seconds span, const Limits& limits) {
  return static_cast<std::uint64_t>(span.count()) *
         std::max<std::uint64_t>(limits.min_content_rate, 1);
}

struct Policy {
  std::string hostname;         ///< in banner, EHLO answer and Received
  bool offer_starttls = false;  ///< needs Services::tls as well
  Limits limits;
  AbusePolicy abuse;
  ArrivalPolicy arrival;
  std::shared_ptr<const auth::CheckOptions> check;  ///< null: incoming mail is not verified
  std::string authserv_id;  ///< ours; Authentication-Results with it are removed on arrival
  std::optional<std::chrono::seconds> signature_lifetime = auth::kSignatureLifetime;
  std::shared_ptr<const forward::Planner> planner;
  forward::LoopGuard loop_guard;
  std::uint64_t max_awaiting = 20;  ///< copies held for one target that has not confirmed
  bool notices_to_anyone = false;   ///< false: DSNs go only to senders proven by SPF or DKIM
  std::string contact_field;        ///< for forwarded copies, CRLF-terminated; ""

  /// The authserv-ids that arriving results must not claim: ours and those of all gateways, except
  /// that of the gateway the message comes through (nullptr: none).
  std::vector<std::string> forgeable_ids(const GatewayPolicy* through) const {
    std::vector<std::string> ids{authserv_id};
    for (const GatewayPolicy& other : arrival.gateways) {
      const bool is_its_own = through != nullptr && through->results == other.results;
      if (!other.results.empty() && !is_its_own) ids.push_back(other.results);
    }
    std::erase(ids, "");
    return ids;
  }
};

}  // namespace relay::inbound
