// Decides whether a client and its mail are welcome: DNS lists, greylisting, rates. An objection is
// a reply that the session gives at once: nothing is accepted first and bounced later.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/inbound/dns_lists.hpp"
#include "relay/inbound/fair_rate.hpp"
#include "relay/inbound/greylist.hpp"
#include "relay/inbound/message_rates.hpp"
#include "relay/inbound/rcpt_attempts.hpp"
#include "relay/ports/clock.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::ports {
class GreylistStore;
}

namespace relay::inbound {

struct AbusePolicy {
  std::shared_ptr<const DnsListPolicy> dns_lists = std::make_shared<DnsListPolicy>();
  GreylistPolicy greylist;
  RatePolicy rates;
  AttemptLimits attempts;
};

/// Thread-safe; bounded. A policy passed by reference must live until the caller's await ends.
class AbuseControl {
 public:
  AbuseControl(ports::Resolver& resolver, ports::GreylistStore& greylist, ports::Clock& clock,
               base::Log& log)
      : greylist_(greylist), clock_(clock), lists_(resolver, clock, log) {}

  /// Charges one RCPT, whatever its answer will be; the reply if there were too many. To be asked
  /// before anything else. Attempts at postmaster are counted apart, so that a client which has
  /// used up all others can reach him.
  std::optional<smtp::Reply> objection_to_attempt(const base::Origin& origin, bool is_postmaster,
                                                  const AbusePolicy& policy);

  /// So many attempts, none of them at postmaster, ended in accepted mail, or in trouble of ours.
  /// Allocates nothing.
  void forgive_attempts(const base::Origin& origin, std::uint32_t attempts,
                        const AbusePolicy& policy);

  /// The refusal of a client that the DNS lists score too high; nullopt if it is welcome, or if the
  /// policy asks the lists at another stage.
  base::Task<std::optional<smtp::Reply>> objection_to_client(std::string client, DnsListStage stage,
                                                             const AbusePolicy& policy,
                                                             base::Deadline deadline);

  /// Too many unknown recipients came from this origin. To be asked before the address is resolved.
  std::optional<smtp::Reply> objection_to_guessing(const base::Origin& origin,
                                                   const AbusePolicy& policy);

  /// Counts a recipient that was refused because it does not exist.
  void note_unknown(const base::Origin& origin, const AbusePolicy& policy);

  /// Greylisting, then the rates. To be asked last, when nothing else speaks against the recipient.
  /// A client with an empty origin is neither counted nor greylisted.
  base::Task<std::optional<smtp::Reply>> objection_to_admission(Admission admission,
                                                                const AbusePolicy& policy,
                                                                base::Deadline deadline);

  /// The rates alone, without greylisting.
  std::optional<smtp::Reply> objection_to_rate(const Admission& admission,
                                               const AbusePolicy& policy);

  /// For a message whose content has arrived: its sender domain sends too often. `claimed_from`:
  /// null if SPF or DKIM proves the domain.
  std::optional<smtp::Reply> objection_to_sender(const std::string& reverse_path,
                                                 const base::Origin* claimed_from,
                                                 const AbusePolicy& policy);

  /// For a message whose content has arrived: its signed content was sent too often already.
  std::optional<smtp::Reply> objection_to_replay(const std::vector<mail::DkimVerdict>& signatures,
                                                 std::size_t copies, const AbusePolicy& policy);

  struct Totals {
    std::uint64_t listed = 0;         ///< objections to clients
    std::uint64_t list_failures = 0;  ///< lists that did not answer, or answered nonsense
    std::uint64_t greylisted = 0;     ///< recipients answered with 4xx
    std::uint64_t passed = 0;         ///< … that came again after the delay
    std::uint64_t over_rate = 0;      ///< recipients or messages answered with 4xx
  };

  Totals totals() const;

 private:
  base::Task<std::optional<smtp::Reply>> greylisted(Admission admission, const AbusePolicy& policy,
                                                    base::Deadline deadline);
  std::optional<smtp::Reply> counted(std::optional<smtp::Reply> over_rate);

  ports::GreylistStore& greylist_;
  ports::Clock& clock_;
  DnsLists lists_;
  MessageRates rates_;
  RcptAttempts attempts_;
  RcptAttempts attempts_at_postmaster_;
  FairRate strangers_;
  std::atomic<std::uint64_t> listed_{0};
  std::atomic<std::uint64_t> greylisted_{0};
  std::atomic<std::uint64_t> passed_{0};
  std::atomic<std::uint64_t> over_rate_{0};
};

}  // namespace relay::inbound
