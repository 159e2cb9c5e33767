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
#include "relay/forward/loop_guard.hpp"
#include "relay/forward/planner.hpp"
#include "relay/inbound/abuse_control.hpp"
#include "relay/inbound/arrival_policy.hpp"
#include "relay/inbound/bounce_guard.hpp"
#include "relay/smtp/server_limits.hpp"

namespace relay::inbound {

/// Sizes in octets.
struct Limits : smtp::ServerLimits {
  std::uint64_t max_line = 64ULL * 1024;
  std::uint32_t overload_percent = 80;  ///< of connections_total; from there on short timeouts
  std::chrono::seconds command_overloaded{10};
  BounceLimits bounces;
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
  std::uint64_t max_awaiting = 0;  ///< copies held for one target that has not confirmed
  bool notices_to_anyone = false;  ///< false: DSNs go only to senders proven by SPF or DKIM
  std::string contact_field;       ///< for forwarded copies, CRLF-terminated; ""

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
