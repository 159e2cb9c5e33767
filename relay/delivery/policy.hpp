// Configuration of the delivery side: one immutable snapshot, read again for every attempt, so that
// a corrected setting applies to mail that waits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/forward/next_hop.hpp"
#include "relay/forward/providers.hpp"
#include "relay/forward/risk_pool.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/notice_policy.hpp"
#include "relay/mail/outbound_limits.hpp"
#include "relay/mail/retry_policy.hpp"
#include "relay/ports/stream.hpp"

namespace relay::delivery {

/// Timeouts of each step (RFC 5321 §4.5.3.2). Those of connecting and of a whole attempt are the
/// operator's (mail::OutboundLimits).
struct Timeouts {
  std::chrono::seconds dns{30};
  std::chrono::seconds greeting{300};  ///< banner, EHLO, STARTTLS with its handshake
  std::chrono::seconds mail{300};
  std::chrono::seconds rcpt{300};
  std::chrono::seconds data{120};         ///< until 354
  std::chrono::seconds block{180};        ///< each write of content
  std::chrono::seconds end_of_data{600};  ///< the reply to the dot
};

/// A network: an address and the length of its prefix in bits.
struct AddressBlock {
  boost::asio::ip::address address;
  unsigned prefix = 0;
};

/// How doubtful mail leaves, so that its reputation stays apart from that of ordinary mail: own
/// source addresses, connections and rate.
struct RiskPool : forward::RiskPace {
  /// Neither set: those of ordinary mail. One set: the other family is not used.
  std::optional<boost::asio::ip::address> source_v4;
  std::optional<boost::asio::ip::address> source_v6;
};

/// How much of the queue is kept in memory; the rest is read from disk when there is room.
struct MemoryLimits {
  std::size_t copies = 20'000;      ///< besides what every lane is guaranteed
  std::size_t risk_copies = 2'000;  ///< … of the risk pool
  std::size_t copies_per_lane = 1'000;
  std::size_t guaranteed_copies = 10;  ///< per lane; fewer if there are many lanes
  std::size_t fresh_octets = std::size_t{32} * 1024 * 1024;  ///< content that was not read again
};

struct Policy {
  mail::Domain hostname;  ///< for EHLO; DSNs come from MAILER-DAEMON@hostname
  mail::RetryPolicy retry;
  std::optional<std::chrono::seconds> signature_lifetime;  ///< of a DSN's signature; nullopt: no x=
  Timeouts timeouts;
  std::shared_ptr<const forward::NextHopTable> routes;  ///< null: all mail goes by MX

  /// Rules that join the MX hosts of large receivers; null: each host list is a group.
  std::shared_ptr<const forward::ProviderTable> providers;

  mail::OutboundLimits outbound;  ///< its `connections`: per group
  std::size_t messages_per_connection = 100;
  std::size_t recipients_per_transaction = 100;  ///< RFC 5321 §4.5.3.1.8
  std::size_t hosts_per_attempt = 3;             ///< silent ones included
  std::size_t addresses_per_attempt = 6;         ///< of them; enough for two of each host
  std::size_t lookups_at_once = 200;             ///< of hosts
  std::chrono::seconds keep_open{5};             ///< an idle connection
  MemoryLimits memory;

  std::optional<boost::asio::ip::address> source_v4;
  std::optional<boost::asio::ip::address> source_v6;
  RiskPool risk;
  mail::NoticePolicy notices;
  /// Where this relay is reached, also through NAT: never dialled. A listener on all addresses of a
  /// family stands here as the unspecified one, and with each address that this host had when the
  /// policy was made.
  std::vector<ports::Endpoint> own_endpoints;
  /// MX hosts with special addresses in these networks may be dialled, too.
  std::vector<AddressBlock> allowed_blocks;

  bool hide_targets = false;                ///< DSNs show the alias instead of its target
  std::optional<mail::Mailbox> postmaster;  ///< is told of partial failures if the policy says so
  /// The targets of one of our own aliases, so that a DSN to it goes there directly; {} for an
  /// address that is not ours. May be empty.
  std::function<std::vector<mail::Mailbox>(const mail::Mailbox&)> own_targets;
};

}  // namespace relay::delivery
