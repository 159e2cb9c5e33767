// Addresses that failed lately, so that the next attempt begins with others (guarantee "A failing
// host does not hide the others").
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "relay/delivery/dice.hpp"
#include "relay/delivery/host_list.hpp"

namespace relay::delivery {

/// A failing address is tried last until every other address of the list has been tried; after
/// Failure::Session for at least kAskedLast. Hosts behind one that does not fail have no turn: then
/// kAskedLast is enough. Bounded, thread-safe.
class FailingHosts {
 public:
  static constexpr std::chrono::minutes kAskedLast{10};
  static constexpr std::size_t kMaxKnown = 50'000;

  explicit FailingHosts(Dice& dice) : dice_(dice) {}

  enum class Failure {
    Session,  ///< no connection, no greeting, or a broken session: the host is in trouble
    Mail,     ///< it does not take this mail, or not now: another host may
  };

  void failed(const Candidate& host, Failure failure, base::SteadyTime now);

  /// It wants a slower pace, which is no failure. Its addresses of the other family are next,
  /// unless they fail: the complaint may be about our address of this family.
  void throttled(const Candidate& host, const HostList& list, base::SteadyTime now);

  /// It took a message, so it is not failing.
  void took(const Candidate& host, base::SteadyTime now);

  /// Its turn is over, whatever it said: failing hosts need not wait for it.
  void asked(const Candidate& host, base::SteadyTime now);

  /// Positions in list.hosts in the order of trying; equal preferences are shuffled.
  std::vector<std::size_t> order_of(const HostList& list, base::SteadyTime now);

  /// Whether no host of the list should be tried before this one.
  bool is_best(const Candidate& host, const HostList& list, base::SteadyTime now);

 private:
  struct Known {
    std::string key;
    base::SteadyTime asked_at;    ///< last time
    base::SteadyTime failed_at;   ///< min: it is not failing
    base::SteadyTime last_until;  ///< tried last at least until then
  };

  using Entries = std::list<Known>;  ///< most recently used first

  static std::string key_of(const Candidate& host);
  const Known* find(const Candidate& host) const;
  Known& fetch(const Candidate& host);
  void note_failed(const Candidate& host, base::SteadyTime last_until, base::SteadyTime now);
  Known* note_asked(const Candidate& host, base::SteadyTime now);
  bool is_last(const Candidate& host, const HostList& list, base::SteadyTime now) const;

  Dice& dice_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::unordered_map<std::string, Entries::iterator> index_;
};

}  // namespace relay::delivery
