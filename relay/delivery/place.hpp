// A session's place among the connections of this host, and its state visible to the dispatcher.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <utility>

#include "relay/base/cut.hpp"
#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/ports/clock.hpp"

namespace relay::delivery {

class Group;

/// The share of the connections that a place counts in. Look-ups of hosts have the same shares.
enum class Share {
  Proven,   ///< groups that took mail within the hour; domains whose hosts were found last time
  Unknown,  ///< all others
  Slow,     ///< those waiting long for their peers; not counted in the two above
};

/// Shared by the session that has it and the dispatcher that gave it.
struct Place {
  Place(base::Executor runs_on, std::shared_ptr<Group> serves, Share begins_in)
      : executor(std::move(runs_on)), group(std::move(serves)), share(begins_in) {}

  /// Exists while the session awaits its peer. On the session's shard.
  class Wait {
   public:
    Wait(Place& place, ports::Clock& clock) : place_(place), clock_(clock), begun_(clock.steady()) {
      const auto since = begun_ - place_.waited_;
      place_.waits_since_.store(since.time_since_epoch().count(), std::memory_order_relaxed);
    }

    ~Wait() {
      place_.waited_ += clock_.steady() - begun_;
      place_.waits_since_.store(kBusy, std::memory_order_relaxed);
    }

    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    Place& place_;
    ports::Clock& clock_;
    base::SteadyTime begun_;
  };

  /// Waiting times add up over a job: a peer that answers late every time holds the place as long
  /// as one that is silent. On the session's shard, while not waiting.
  void begin_job() { waited_ = {}; }

  /// Start of the present wait, moved back by all earlier waits of this job; nullopt: the session
  /// is not waiting. Any thread.
  std::optional<base::SteadyTime> waits_since() const {
    const auto since = waits_since_.load(std::memory_order_relaxed);
    if (since == kBusy) return std::nullopt;
    return base::SteadyTime(base::SteadyTime::duration(since));
  }

  const base::Executor executor;
  base::Cut cut;                          ///< the session's shard only
  std::atomic<bool> is_past_dot = false;  ///< the outcome must be awaited: no cut

  // Guarded by the dispatcher's lock.
  std::shared_ptr<Group> group;
  Share share;
  bool has_begun = false;        ///< has asked for its first job
  bool is_at_work = false;       ///< has an assignment
  bool cut_off = false;          ///< was told to end its wait
  bool ends_for_others = false;  ///< was idle and was ended for a group in line
  bool has_full_time = false;    ///< began in Share::Slow: never cut off
  std::list<std::shared_ptr<Place>>::iterator entry;  ///< in the pool's list

 private:
  static constexpr base::SteadyTime::rep kBusy = base::SteadyTime::min().time_since_epoch().count();

  std::atomic<base::SteadyTime::rep> waits_since_ = kBusy;
  base::SteadyTime::duration waited_{};  ///< in this job; on the session's shard only
};

}  // namespace relay::delivery
