// Finds the next step for each lane: a look-up of its hosts, a clerk that answers its jobs, or the
// ring of its group. Internal to the dispatcher, whose lock guards it.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "relay/delivery/connections.hpp"
#include "relay/delivery/lanes.hpp"
#include "relay/delivery/lookups.hpp"
#include "relay/delivery/pause_rules.hpp"
#include "relay/ports/delivery_control.hpp"

namespace relay::delivery {

class LaneSteps {
 public:
  struct Hooks {
    std::function<void(LanePtr, std::chrono::seconds within)> start_lookup;
    std::function<void(LanePtr)> start_clerk;
  };

  /// All outlive it.
  LaneSteps(Hooks hooks, Lanes& lanes, Connections& connections, const PauseRules& pauses)
      : hooks_(std::move(hooks)), lanes_(lanes), connections_(connections), pauses_(pauses) {}

  void set_limits(const Limits& limits);

  /// No look-up begins any more.
  void stop() { stopped_ = true; }

  /// Finds the next step for the lane's jobs. While its hosts are paused, the lane waits.
  void arrange(const LanePtr& lane, Deferred& after);

  // Results of look-ups.

  void found(const LanePtr& lane, HostList hosts, Deferred& after);
  void not_found(const LanePtr& lane, mail::Outcome why, Deferred& after);
  /// Failed look-ups are repeated at once.
  static void forget_failures(Lane& lane);

  // Clerks answer for copies that are not tried.

  /// nullopt: the clerk must end.
  std::optional<Assignment> next_for_clerk(const LanePtr& lane, Deferred& after);
  void clerk_ended(const LanePtr& lane, Deferred& after);

  /// nullopt: nothing holds the copy up, or it is not in memory.
  std::optional<ports::Waiting> why_waiting(const mail::CopyId& copy, const ports::LaneKey& key,
                                            const std::string& alias, base::SteadyTime now) const;

 private:
  void want_lookup(const LanePtr& lane, Deferred& after);
  void tell_twin(const Lane& answered);
  void next_lookups(Deferred& after);
  void start_clerk(const LanePtr& lane, Deferred& after);
  void next_clerks(Deferred& after);

  Hooks hooks_;
  Lanes& lanes_;
  Connections& connections_;
  const PauseRules& pauses_;
  Limits limits_;
  Lookups lookups_;
  std::deque<std::weak_ptr<Lane>> clerks_wanted_;
  std::size_t clerks_ = 0;
  bool stopped_ = false;
};

}  // namespace relay::delivery
