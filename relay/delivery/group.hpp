// A group is paced as one mail system: a provider, or a list of MX hosts. Internal to the
// dispatcher, whose lock guards every member unless noted.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "relay/delivery/lane.hpp"
#include "relay/delivery/place.hpp"
#include "relay/ports/stream.hpp"

namespace relay::delivery {

/// Limits of the group's servers, as far as known; 0: none known.
struct Learnt {
  std::size_t recipients = 0;   ///< per transaction
  std::size_t messages = 0;     ///< per connection
  std::size_t connections = 0;  ///< at once
};

/// The smaller of two limits; 0 means no limit.
std::size_t tighter(std::size_t a, std::size_t b);

/// What one attempt learned about the group.
struct Feedback {
  bool took = false;       ///< a message was taken for at least one recipient
  bool throttled = false;  ///< 4.7.x: the server wants a slower pace
  /// … of all mail: said before any, or to the first on a connection. Deferred.
  std::optional<mail::Outcome> slow_down;
  bool is_full = false;  ///< 421 to a new connection while others are open
  bool timed_out = false;
  std::optional<ports::IoError> trouble_here;  ///< trouble of this host; says nothing of the group
  Learnt stated;                               ///< limits stated or shown in this attempt
  std::optional<mail::Outcome> unreachable;    ///< no host of the list could be used: Deferred
};

/// The next work of a session or clerk.
struct Assignment {
  LanePtr lane;
  Job job;
  std::shared_ptr<const HostList> hosts;
  std::optional<mail::Outcome> answer;  ///< set: no attempt, this is the outcome
};

/// A session that waits for work with its connection open.
struct IdleSession {
  std::shared_ptr<Place> place;
  Candidate connected_to;
  base::SteadyTime until;
  std::move_only_function<void(std::optional<Assignment>)> resume;
};

class Group {
 public:
  static constexpr std::chrono::hours kProvenFor{1};
  static constexpr std::size_t kFirstWindow = 5;  ///< the window after the first message taken
  /// So often in a row a server may want a slower pace before it counts as one in trouble, behind
  /// which others have their turn.
  static constexpr unsigned kPatience = 3;

  /// `list`: of the first lane in this group.
  Group(const HostList& list, bool of_risk_pool);

  bool is_proven(base::SteadyTime now) const { return now < proven_until; }

  /// How many sessions it may have at once, at most `most`.
  std::size_t window_at(base::SteadyTime now, std::size_t most) const;

  /// `living`: number of its connections, without the one that reports. `first_outage`: length of
  /// an outage; it doubles with each failure in a row.
  void hear(const Feedback& feedback, const std::string& list_key, std::size_t living,
            std::size_t most, std::chrono::milliseconds first_outage, base::SteadyTime now);

  /// The outcome for copies with this host list during its outage; nullptr: there is no outage.
  const Answer* outage_of(const std::string& list_key, base::SteadyTime now) const;

  void forget_outages() { outages_.clear(); }

  /// A session was cut off before its server had all the time that RFC 5321 §4.5.3.2 grants.
  void was_cut_off() { needs_full_time = true; }

  /// It knows something worth keeping although no lane uses it.
  bool is_worth_keeping(base::SteadyTime now) const;

  const std::string key;
  const bool risk_pool;
  const bool is_provider;    ///< one group for many host lists, each with outages of its own
  std::list<LanePtr> ready;  ///< lanes with jobs that may be tried, served in turn
  std::size_t ready_jobs = 0;
  std::vector<std::list<IdleSession>::iterator> idle;  ///< in the pool's list, the newest last
  std::size_t sessions = 0;                            ///< including idle ones
  std::size_t starting = 0;                            ///< … that have not asked for a job yet
  std::atomic<std::size_t> connected = 0;  ///< … connected or connecting; not guarded by the lock
  /// Attempts in a row in which a server wanted a slower pace, and none took anything; read by
  /// sessions, and not guarded by the lock.
  std::atomic<unsigned> throttled_in_row = 0;
  /// Copies of learnt.recipients and .messages for sessions; not guarded by the lock.
  std::atomic<std::size_t> most_recipients = 0;
  std::atomic<std::size_t> most_messages = 0;
  bool waits_in_line = false;  ///< for a place
  bool is_paced = false;       ///< it has used up its rate
  Learnt learnt;
  /// Its last attempt ended in silence, and none of its hosts took anything: its lanes keep few
  /// copies in memory.
  bool has_timeouts = false;
  bool needs_full_time = false;  ///< its next session begins in Share::Slow and is never cut off
  base::SteadyTime used_at;

 private:
  void learn(const Feedback& feedback, std::size_t living, base::SteadyTime now);
  void rest(const mail::Outcome& why, const std::string& list_key,
            std::chrono::milliseconds first_outage, base::SteadyTime now);
  void grow_limits();
  void tell_limits();

  struct Outage {
    Answer answer;
    unsigned failures = 0;
  };

  base::SteadyTime proven_until = base::SteadyTime::min();
  std::size_t window_ = 1;
  unsigned taken_since_limit_ = 0;         ///< transactions since limits changed
  unsigned taken_to_grow_;                 ///< at which limits grow
  bool has_grown_ = false;                 ///< … and no limit was stated since
  std::map<std::string, Outage> outages_;  ///< by HostList::key
};

using GroupPtr = std::shared_ptr<Group>;

}  // namespace relay::delivery
