// Whether a client, and what it brings, is welcome: lists in the DNS, greylisting, rates.
// Objections are replies for the session to give: nothing is accepted first and bounced later.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/inbound/dns_lists.hpp"
#include "relay/inbound/greylist.hpp"
#include "relay/inbound/message_rates.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/greylist.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

struct AbusePolicy {
  std::shared_ptr<const DnsListPolicy> dns_lists = std::make_shared<DnsListPolicy>();
  GreylistPolicy greylist;
  RatePolicy rates;
};

/// Thread-safe; bounded. Policies by reference belong to whoever awaits.
class AbuseControl {
 public:
  AbuseControl(ports::Resolver& resolver, ports::GreylistStore& greylist, ports::Clock& clock,
               base::Log& log)
      : greylist_(greylist), clock_(clock), lists_(resolver, clock, log) {}

  /// What the lists say about the client, as far as it is refused for it at this stage.
  base::Task<std::optional<smtp::Reply>> objection_to_client(std::string client, DnsListStage stage,
                                                             const AbusePolicy& policy,
                                                             base::Deadline deadline);

  /// Before an address is looked at.
  std::optional<smtp::Reply> objection_to_guessing(const base::Origin& origin,
                                                   const AbusePolicy& policy);

  /// A recipient that does not exist was refused.
  void note_unknown(const base::Origin& origin, const AbusePolicy& policy);

  /// After everything else about this recipient was found right. A client without address and
  /// network is not counted, nor does it wait.
  base::Task<std::optional<smtp::Reply>> objection_to_admission(Admission admission,
                                                                const AbusePolicy& policy,
                                                                base::Deadline deadline);

  /// The rates alone.
  std::optional<smtp::Reply> objection_to_rate(const Admission& admission,
                                               const AbusePolicy& policy);

  /// Of a message that has come in: its sender's domain sends too often. `claimed_from`:
  /// null where somebody vouches for the domain.
  std::optional<smtp::Reply> objection_to_sender(const std::string& reverse_path,
                                                 const base::Origin* claimed_from,
                                                 const AbusePolicy& policy);

  /// Of a message that has come in: the same signed content goes out too often.
  std::optional<smtp::Reply> objection_to_replay(const std::vector<mail::DkimVerdict>& signatures,
                                                 std::size_t copies, const AbusePolicy& policy);

  struct Totals {
    std::uint64_t listed = 0;         ///< objections to clients
    std::uint64_t list_failures = 0;  ///< lists that did not answer, or nonsense
    std::uint64_t greylisted = 0;     ///< recipients put off
    std::uint64_t passed = 0;         ///< … who came again after the delay
    std::uint64_t over_rate = 0;      ///< recipients, or messages, put off by a rate
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
  FairRate strangers_;
  std::atomic<std::uint64_t> listed_{0};
  std::atomic<std::uint64_t> greylisted_{0};
  std::atomic<std::uint64_t> passed_{0};
  std::atomic<std::uint64_t> over_rate_{0};
};

}  // namespace relay::inbound
