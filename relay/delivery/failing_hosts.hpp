// Addresses that failed lately, so that the next attempt begins with others.
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "relay/delivery/dice.hpp"
#include "relay/delivery/host_list.hpp"

namespace relay::delivery {

/// A failing address is asked last until every other one of a list has been asked, however long
/// that takes; one that could not be spoken to also for ten minutes. Bounded, thread-safe.
class FailingHosts {
 public:
  static constexpr std::chrono::minutes kAskedLast{10};
  static constexpr std::size_t kMaxKnown = 50'000;

  explicit FailingHosts(Dice& dice) : dice_(dice) {}

  enum class Failure {
    Session,    ///< no connection, no greeting, or the session broke: the host is in trouble
    Recipient,  ///< it said 4xx to a recipient: perhaps another host does not
  };

  void failed(const Candidate& host, Failure failure, base::SteadyTime now);

  /// It took a message: its turn has been, and it is not failing.
  void took(const Candidate& host, base::SteadyTime now);

  /// The list in the order of asking, equal preferences shuffled. Positions in list.hosts.
  std::vector<std::size_t> order_of(const HostList& list, base::SteadyTime now);

  /// Whether no host of the list is to be asked before this one.
  bool is_best(const Candidate& host, const HostList& list, base::SteadyTime now);

 private:
  struct Known {
    std::string key;
    base::SteadyTime asked_at;    ///< for the last time
    base::SteadyTime failed_at;   ///< min: it is not failing
    base::SteadyTime last_until;  ///< at least so long it is asked last
  };

  using Entries = std::list<Known>;  ///< the one used last in front

  static std::string key_of(const Candidate& host);
  const Known* find(const Candidate& host) const;
  Known& fetch(const Candidate& host);
  bool is_last(const Candidate& host, const HostList& list, base::SteadyTime now) const;

  Dice& dice_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::unordered_map<std::string, Entries::iterator> index_;
};

}  // namespace relay::delivery
