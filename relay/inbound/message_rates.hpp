// Limits how many messages may come: from a client, from its network, to an address of ours, from a
// sender domain, with one DKIM signature, to a target. Over a limit the reply is 4xx, never 5xx.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "relay/base/origin.hpp"
#include "relay/base/rate_table.hpp"
#include "relay/inbound/fair_rate.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

/// A count of 0: no limit.
struct RatePolicy {
  base::Rate per_client;
  base::Rate per_network;        ///< IPv4 /24, IPv6 /64
  base::Rate per_alias;          ///< an address of ours, with all its sub-addresses
  base::Rate per_sender_domain;  ///< of the envelope; per network unless SPF or DKIM proves it
  base::Rate per_signature;      ///< copies (not messages) with one DKIM signature
  base::Rate per_target;         ///< a target mailbox, with all its sub-addresses
  base::Rate unknown;            ///< recipients that do not exist, from one network
  char tag = 0;                  ///< separates the sub-address; 0: there are none
};

/// A recipient about to be accepted, and its client and sender.
struct Admission {
  base::Origin origin;               ///< of the client
  std::string reverse_path;          ///< folded; "" for the null sender; for the greylist
  std::string forward_path;          ///< folded
  std::vector<std::string> targets;  ///< folded, without sub-address
  bool first = true;       ///< of its message: only this one counts for client and network
  bool is_bounce = false;  ///< to an SRS address; BounceGuard limits those
  bool is_postmaster = false;
};

/// Thread-safe; bounded.
class MessageRates {
 public:
  static constexpr std::size_t kMaxKeys = 65'536;  ///< per table

  /// Counts the recipient, or says which limit is reached.
  std::optional<smtp::Reply> take(const Admission& admission, const RatePolicy& policy,
                                  base::SteadyTime now);

  /// For a message whose content has arrived. `reverse_path`: folded; "" is not counted.
  /// `claimed_from`: null if the domain is proven; otherwise this network's messages under the
  /// domain are counted, because anybody can claim any domain.
  std::optional<smtp::Reply> take_sender(const std::string& reverse_path,
                                         const base::Origin* claimed_from, const RatePolicy& policy,
                                         base::SteadyTime now);

  /// Against replay of one signed message to many recipients, which ruins our reputation. Counts
  /// `copies` for each signature that passed, or names the domain that signed too many. A message
  /// that finds room is accepted whole, however many copies it has.
  std::optional<smtp::Reply> take_signed(const std::vector<mail::DkimVerdict>& signatures,
                                         std::size_t copies, const RatePolicy& policy,
                                         base::SteadyTime now);

  /// To be asked before an address is resolved: after too many unknown recipients a network learns
  /// no more about which exist.
  std::optional<smtp::Reply> objection_to_guessing(const base::Origin& origin,
                                                   const RatePolicy& policy, base::SteadyTime now);

  void note_unknown(const base::Origin& origin, const RatePolicy& policy, base::SteadyTime now);

  /// Buckets in all tables together.
  std::size_t size() const;

 private:
  base::RateTable clients_{kMaxKeys};
  FairRate networks_{kMaxKeys};
  base::RateTable aliases_{kMaxKeys};
  FairRate sender_domains_{kMaxKeys};
  base::RateTable signatures_{kMaxKeys};
  base::RateTable targets_{kMaxKeys};
  FairRate unknown_{kMaxKeys};
};

}  // namespace relay::inbound
