// What is paced together because it is one mail system: a provider, or a list of MX hosts. Internal
// to the dispatcher, whose lock guards every member.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "relay/delivery/lane.hpp"
#include "relay/delivery/place.hpp"
#include "relay/ports/stream.hpp"

namespace relay::delivery {

/// What a group's servers have let us know of their limits; 0: nothing yet.
struct Learnt {
  std::size_t recipients = 0;   ///< a transaction
  std::size_t messages = 0;     ///< a connection
  std::size_t connections = 0;  ///< at once
};

/// The smaller of two limits, of which 0 is none.
std::size_t tighter(std::size_t a, std::size_t b);

/// What one attempt found out about the group.
struct Feedback {
  bool took = false;       ///< a message, at least for one recipient
  bool throttled = false;  ///< 4.7.x: slower, please
  bool is_full = false;    ///< 421 to a new connection: no more at once
  bool timed_out = false;
  std::optional<ports::IoError> trouble_here;  ///< of this host: it says nothing of the group
  Learnt stated;                             ///< limits that were stated, or shown, in this attempt
  std::optional<mail::Outcome> unreachable;  ///< no host of the list could be spoken to: Deferred
};

/// What a session is to do next.
struct Assignment {
  LanePtr lane;
  Job job;
  std::shared_ptr<const HostList> hosts;
  std::optional<mail::Outcome> answer;  ///< instead of an attempt
};

/// A session that waits for work with an open connection.
struct IdleSession {
  std::shared_ptr<Place> place;
  Candidate connected_to;
  base::SteadyTime until;
  std::move_only_function<void(std::optional<Assignment>)> resume;
};

class Group {
 public:
  static constexpr std::chrono::hours kProvenFor{1};
  static constexpr std::size_t kFirstWindow = 5;  ///< once it is proven

  /// `list`: of the lane that is first to lead here.
  Group(const HostList& list, bool of_risk_pool);

  bool is_proven(base::SteadyTime now) const { return now < proven_until; }

  /// Sessions it may have at once, of at most `most`.
  std::size_t window_at(base::SteadyTime now, std::size_t most) const;

  /// `living`: its sessions, the one that reports not counted. `first_outage` doubles with each
  /// failure in a row.
  void hear(const Feedback& feedback, const std::string& list_key, std::size_t living,
            std::size_t most, std::chrono::milliseconds first_outage, base::SteadyTime now);

  /// What copies for this list of hosts hear while nothing there answers; nullptr: they are tried.
  const Answer* outage_of(const std::string& list_key, base::SteadyTime now) const;

  void forget_outages() { outages_.clear(); }

  /// A session was cut off before its server had the time that RFC 5321 §4.5.3.2 gives it.
  void was_cut_off() { needs_full_time = true; }

  /// Worth keeping although nothing of it is in memory.
  bool is_worth_keeping(base::SteadyTime now) const;

  const std::string key;
  const bool risk_pool;
  const bool is_provider;     ///< of many lists of hosts: an outage of one is none of the others
  std::deque<LanePtr> ready;  ///< lanes with jobs that may be tried, served in turn
  std::size_t ready_jobs = 0;
  std::vector<std::list<IdleSession>::iterator> idle;  ///< in the pool's list, the newest last
  std::size_t sessions = 0;                            ///< idle ones included
  std::size_t starting = 0;                ///< … that have not asked for their first job yet
  std::atomic<std::size_t> connected = 0;  ///< … that have been greeted; not under the lock
  /// learnt.recipients and .messages as they are now, for sessions; not under the lock.
  std::atomic<std::size_t> most_recipients = 0;
  std::atomic<std::size_t> most_messages = 0;
  bool waits_in_line = false;  ///< for a place
  bool is_paced = false;       ///< has used up its rate
  Learnt learnt;
  bool has_timeouts = false;     ///< its last attempt ran into one: it keeps few copies in memory
  bool needs_full_time = false;  ///< its next session is a slow one from the beginning, never cut
  base::SteadyTime used_at;

 private:
  void learn(const Feedback& feedback, std::size_t living, base::SteadyTime now);
  void grow_limits();
  void tell_limits();

  struct Outage {
    Answer answer;
    unsigned failures = 0;
  };

  base::SteadyTime proven_until = base::SteadyTime::min();
  std::size_t window_ = 1;
  unsigned taken_since_limit_ = 0;         ///< transactions, for limits to grow slowly
  unsigned taken_to_grow_;                 ///< so many until they do
  bool has_grown_ = false;                 ///< … and nothing has been said against it yet
  std::map<std::string, Outage> outages_;  ///< by key of the list of hosts
};

using GroupPtr = std::shared_ptr<Group>;

}  // namespace relay::delivery
