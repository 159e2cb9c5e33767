// How many messages may come: from a client, from its network, to an address of ours, from a sender
// domain, under one and the same signature. What is over a limit is put off with a 4xx, never
// refused for good.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "relay/base/origin.hpp"
#include "relay/base/rate_table.hpp"
#include "relay/inbound/fair_share.hpp"
#include "relay/mail/authentication.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

/// A count of 0: no limit.
struct RatePolicy {
  base::Rate per_client;
  base::Rate per_network;        ///< IPv4 /24, IPv6 /64
  base::Rate per_alias;          ///< an address of ours, sub-addresses with it
  base::Rate per_sender_domain;  ///< of the envelope, where SPF or DKIM stands behind it
  base::Rate per_signature;      ///< copies, not messages
  base::Rate per_target;         ///< a mailbox that aliases lead to, sub-addresses with it
  base::Rate unknown;            ///< recipients that do not exist, from one network
  char tag = '+';                ///< begins a sub-address; 0: there are none
};

/// A recipient of ours who is to be accepted, and from whom.
struct Admission {
  base::Origin origin;               ///< of the client
  std::string reverse_path;          ///< folded; "" for the null sender; for the greylist
  std::string forward_path;          ///< folded
  std::vector<std::string> targets;  ///< folded, without sub-address
  bool first = true;                 ///< of its message: a message counts once for who sends it
  bool is_bounce = false;            ///< to an SRS address: those have limits of their own
  bool is_postmaster = false;
};

/// Thread-safe; bounded.
class MessageRates {
 public:
  static constexpr std::size_t kMaxKeys = 65'536;  ///< for each kind

  /// Counts it, or says which limit is reached.
  std::optional<smtp::Reply> take(const Admission& admission, const RatePolicy& policy,
                                  base::SteadyTime now);

  /// Of a message that has come in. `reverse_path`: folded, "" is not counted. `claimed_from`:
  /// null where the domain is proven; else the count is that of this network's messages under the
  /// domain, for anybody may claim any domain.
  std::optional<smtp::Reply> take_sender(const std::string& reverse_path,
                                         const base::Origin* claimed_from, const RatePolicy& policy,
                                         base::SteadyTime now);

  /// Whoever sends one signed message again and again to others wears out our name. Counts
  /// `copies` for each signature that passed, or says whose is sent too often. A message that finds
  /// room is taken whole, however many copies it has: half of it could not be.
  std::optional<smtp::Reply> take_signed(const std::vector<mail::DkimVerdict>& signatures,
                                         std::size_t copies, const RatePolicy& policy,
                                         base::SteadyTime now);

  /// Before an address is looked at: who tried too many that do not exist learns nothing more.
  std::optional<smtp::Reply> objection_to_guessing(const base::Origin& origin,
                                                   const RatePolicy& policy, base::SteadyTime now);

  void note_unknown(const base::Origin& origin, const RatePolicy& policy, base::SteadyTime now);

  /// Buckets in all tables.
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
