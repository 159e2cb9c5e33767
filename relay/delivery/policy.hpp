// Everything the delivery side is configured with: one immutable snapshot, looked up anew at every
// attempt, so that a corrected setting frees what is waiting.
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

#include "relay/base/rate_table.hpp"
#include "relay/forward/next_hop.hpp"
#include "relay/forward/providers.hpp"
#include "relay/mail/address.hpp"

namespace relay::delivery {

/// How long each step may take (RFC 5321 §4.5.3.2), and one limit for all of an attempt.
struct Timeouts {
  std::chrono::seconds dns{30};
  std::chrono::seconds connect{30};
  std::chrono::seconds greeting{300};  ///< banner, EHLO, STARTTLS with its handshake
  std::chrono::seconds mail{300};
  std::chrono::seconds rcpt{300};
  std::chrono::seconds data{120};         ///< until 354
  std::chrono::seconds block{180};        ///< each write of content
  std::chrono::seconds end_of_data{600};  ///< the reply to the dot
  /// After it an attempt begins nothing more, neither a connection nor a transaction; what has
  /// begun keeps its own limits.
  std::chrono::seconds whole{1800};
};

struct RetryPolicy {
  /// Waiting time after the 1st, 2nd, … attempt; the last one repeats. Not empty.
  std::vector<std::chrono::seconds> schedule{std::chrono::minutes{1},  std::chrono::minutes{5},
                                             std::chrono::minutes{15}, std::chrono::minutes{30},
                                             std::chrono::hours{1},    std::chrono::hours{2},
                                             std::chrono::hours{4}};
  std::chrono::seconds expire = std::chrono::hours{120};
  std::chrono::seconds warn_after = std::chrono::hours{4};  ///< 0: no delay notices
};

/// An address with the number of its leading bits that count.
struct AddressBlock {
  boost::asio::ip::address address;
  unsigned prefix = 0;
};

/// Where doubtful mail leaves, so that what receivers think of it stays apart from all other mail:
/// own addresses, own connections, own speed.
struct RiskPool {
  /// None at all: those of ordinary mail. Otherwise a family without one is not used.
  std::optional<boost::asio::ip::address> source_v4;
  std::optional<boost::asio::ip::address> source_v6;
  std::size_t connections = 2;                                      ///< per destination
  base::Rate rate{.count = 600, .span = std::chrono::seconds{60}};  ///< copies, per destination
};

/// Who may be told of a failure: anybody can put a stranger's address into MAIL.
enum class BounceTo : std::uint8_t {
  Authenticated,  ///< only a sender that SPF or an aligned signature vouches for
  Anyone,
};

/// Who hears when only a part of the mailboxes behind an alias could not be reached.
enum class PartialFailures : std::uint8_t { Sender, Postmaster, Nobody };

struct Policy {
  mail::Domain hostname;  ///< said in EHLO; MAILER-DAEMON@hostname writes the DSNs
  RetryPolicy retry;
  std::optional<std::chrono::seconds> signature_lifetime;  ///< of a DSN's; nullopt: no x=
  Timeouts timeouts;
  std::shared_ptr<const forward::NextHopTable> routes;  ///< null: everything goes by MX

  /// Roll-up rules for the MX hosts of large receivers; null: each list of hosts is a group.
  std::shared_ptr<const forward::ProviderTable> providers;

  std::size_t connections_per_destination = 20;  ///< of a group
  std::size_t connections_total = 200;
  std::size_t messages_per_connection = 100;
  std::size_t recipients_per_transaction = 100;  ///< RFC 5321 §4.5.3.1.8
  std::size_t addresses_per_attempt = 5;         ///< that are dialled
  std::size_t hosts_per_attempt = 3;             ///< that are spoken to
  std::chrono::seconds keep_open{5};             ///< an idle connection
  std::uint16_t port = 25;                       ///< of every MX

  std::optional<boost::asio::ip::address> source_v4;
  std::optional<boost::asio::ip::address> source_v6;
  RiskPool risk;
  BounceTo bounce_to = BounceTo::Authenticated;
  /// Under which we can be reached, behind NAT too: never dialled.
  std::vector<boost::asio::ip::address> own_addresses;
  std::vector<std::uint16_t> own_ports;
  bool allow_private = false;                ///< MX hosts in private networks are dialled, too
  std::vector<AddressBlock> allowed_blocks;  ///< or only those in here

  bool hide_targets = true;  ///< DSNs show the alias, not its target
  PartialFailures partial_failures = PartialFailures::Sender;
  std::optional<mail::Mailbox> postmaster;  ///< hears of partial failures, where policy says so
  /// Where our own aliases lead, so that a DSN to one of our own addresses is not sent to
  /// ourselves; {} for an address that is not ours. May be empty.
  std::function<std::vector<mail::Mailbox>(const mail::Mailbox&)> own_targets;
};

}  // namespace relay::delivery
