// A session's place among the connections of this host, and what others may know of the session.
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

/// Which share of the connections a place belongs to.
enum class Share {
  Proven,   ///< of groups that took mail within the hour
  Unknown,  ///< of all others
  Slow,     ///< of sessions that wait for their peers for long; counted apart from the two above
};

/// Shared by the session that has it and the dispatcher that gave it.
struct Place {
  Place(base::Executor runs_on, std::shared_ptr<Group> serves, Share begins_in)
      : executor(std::move(runs_on)), group(std::move(serves)), share(begins_in) {}

  /// While the session awaits its peer. On the session's shard.
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

  /// Waiting adds up over a job: a peer that answers late each time holds the place as much as one
  /// that says nothing. On the session's shard, which waits for nobody.
  void begin_job() { waited_ = {}; }

  /// Since when the session waits for its peer, as if all it has waited in this job had been
  /// without a break; nullopt: it does not wait now. Any thread.
  std::optional<base::SteadyTime> waits_since() const {
    const auto since = waits_since_.load(std::memory_order_relaxed);
    if (since == kBusy) return std::nullopt;
    return base::SteadyTime(base::SteadyTime::duration(since));
  }

  const base::Executor executor;
  base::Cut cut;                          ///< the session's shard only
  std::atomic<bool> is_past_dot = false;  ///< what happened must be heard: it is not cut off

  // Guarded by the dispatcher's lock.
  std::shared_ptr<Group> group;
  Share share;
  bool has_begun = false;                             ///< asked for its first job
  bool cut_off = false;                               ///< told to end its wait
  bool ends_for_others = false;                       ///< was idle, and told to end
  bool has_full_time = false;                         ///< began slow: it is never cut off
  std::list<std::shared_ptr<Place>>::iterator entry;  ///< in the pool's list

 private:
  static constexpr base::SteadyTime::rep kBusy = base::SteadyTime::min().time_since_epoch().count();

  std::atomic<base::SteadyTime::rep> waits_since_ = kBusy;
  base::SteadyTime::duration waited_{};  ///< in this job; the session's shard only
};

}  // namespace relay::delivery
