// What the delivery side keeps in memory: claims, and per destination the work that waits and the
// sessions that do it. Bounded; everything else stays on disk and is found again by polling
// (decision 5). Thread-safe; short critical sections, and nothing foreign is called under the lock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "relay/base/rate_table.hpp"
#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/delivery/policy.hpp"
#include "relay/mail/message.hpp"

namespace relay::delivery {

/// Copies of one message for one lane, claimed.
struct Job {
  mail::MessageId id;
  std::vector<std::uint16_t> indices;
  std::shared_ptr<const mail::QueuedMessage> queued;  ///< of a fresh message
  std::shared_ptr<const std::string> content;         ///< likewise
  base::SteadyTime offered_at;
  std::uint64_t epoch = 0;
  bool risk_pool = false;
};

/// Why nothing is dialled for a while: the answer to all that waits for this destination.
struct Outage {
  base::SteadyTime until;
  mail::Outcome outcome;
};

/// The same, with a sixth of it at once at most: the pool must not show as bursts. Never nothing.
base::Rate evened_out(const base::Rate& rate);

struct Limits {
  std::size_t sessions_per_lane = 20;
  std::size_t sessions_total = 400;
  std::size_t copies_total = 20'000;
  std::size_t copies_per_lane = 1'000;
  std::size_t fresh_octets = std::size_t{32} * 1024 * 1024;
  std::chrono::seconds keep_open{5};
  std::chrono::milliseconds first_outage{30'000};  ///< doubles with each failure, up to 32 times

  // Of the risk pool: what it may take away from everybody else, and how fast it is.
  std::size_t risk_sessions_per_lane = 2;
  std::size_t risk_sessions_total = 100;
  std::size_t risk_copies_total = 2'000;
  base::Rate risk_rate = evened_out(RiskPool().rate);  ///< copies, for each lane
};

/// A copy that waits although it is due: its lane has used up its rate.
struct Pace {
  std::size_t copies_before = 0;
  base::Rate rate;
};

class Lane;

struct StoreTotals {
  std::size_t copies = 0;  ///< claimed: waiting in memory or under way
  std::size_t sessions = 0;
  std::size_t lanes = 0;
};

class WorkStore {
 public:
  using LanePtr = std::shared_ptr<Lane>;

  /// `spawn` starts a session for a lane; `refill` says that there is room for more of the backlog.
  WorkStore(std::function<void(LanePtr)> spawn, std::function<void()> refill)
      : spawn_(std::move(spawn)), refill_(std::move(refill)) {}

  void set_limits(const Limits& limits);

  /// Later: the risk pool has no room for it. It stays on disk until a look from the start, for
  /// which refill() asks when there is room again.
  enum class Added { Claimed, Known, Full, Later };

  /// Claims what is not claimed yet. A job for the message that waits at the end of the lane is
  /// joined: one transaction for all. A lane of the risk pool has jobs of the risk pool only.
  Added add(const std::string& lane, Job job);

  /// The next job for a session of the lane. Waits for one, up to keep_open, when `connected`;
  /// nullopt: the session is to end.
  base::Task<std::optional<Job>> next(LanePtr lane, bool connected, base::SteadyTime now);

  /// A session has ended; its place goes to whoever waits longest.
  void session_ended(const LanePtr& lane);

  void release(const mail::MessageId& id, const std::vector<std::uint16_t>& indices);

  /// Fresh messages offered before must be read again: the operator changed the queue.
  void distrust_fresh();
  std::uint64_t epoch() const;

  /// Nothing could be spoken to: back-off 30 s, doubling to 10 min. One session remains.
  void set_outage(const LanePtr& lane, mail::Outcome outcome, base::SteadyTime now);
  std::optional<mail::Outcome> outage(const LanePtr& lane, base::SteadyTime now) const;
  /// A server answered: one more session at a time may run.
  void clear_outage(const LanePtr& lane);
  void clear_outages();

  /// Why the copy, which waits in this lane, is not tried at once; nullopt: it is not for the rate.
  std::optional<Pace> pace(const std::string& lane, const mail::MessageId& id,
                           std::uint16_t index) const;

  /// Ends idle sessions whose time is over, lets the risk pool go on, forgets empty lanes.
  void tick(base::SteadyTime now);

  void pause(bool paused);  ///< no session gets a new job
  void stop();              ///< for good; idle sessions end

  StoreTotals totals() const;

 private:
  using Resume = std::move_only_function<void(std::optional<Job>)>;
  using Deferred = std::vector<std::move_only_function<void()>>;  ///< to call without the lock

  struct Copy {
    mail::MessageId id;
    std::uint16_t index;
    friend bool operator==(const Copy&, const Copy&) = default;
  };

  struct CopyHash {
    std::size_t operator()(const Copy& copy) const noexcept {
      return std::hash<mail::MessageId>()(copy.id) * 31 + copy.index;
    }
  };

  bool claim(Job& job);
  Added has_room(const Lane& lane, const Job& job) const;
  bool may_go(const Lane& lane) const;
  bool has_place(const Lane& lane) const;
  void keep_back(Lane& lane, Job& job, Deferred& after);
  void dispatch(const LanePtr& lane, Deferred& after);
  void evict_idle(Deferred& after);
  Job pop(Lane& lane, Deferred& after);
  bool must_yield(const Lane& lane) const;
  void ask(const LanePtr& lane, bool connected, base::SteadyTime now, Resume resume);
  static void run(Deferred& after);

  std::function<void(LanePtr)> spawn_;
  std::function<void()> refill_;
  mutable std::mutex mutex_;
  Limits limits_;
  std::unordered_map<std::string, LanePtr> lanes_;
  std::deque<std::weak_ptr<Lane>> waiting_;  ///< lanes that found no place for a session
  std::unordered_set<Copy, CopyHash> claims_;
  mutable base::RateTable risk_used_;  ///< by lane; outlives lanes
  base::SteadyTime now_;               ///< when somebody last said
  std::size_t sessions_ = 0;
  std::size_t risk_sessions_ = 0;
  std::size_t risk_copies_ = 0;   ///< in jobs
  bool risk_overflowed_ = false;  ///< more of the pool is on disk
  std::size_t fresh_octets_ = 0;
  std::uint64_t epoch_ = 0;
  bool paused_ = false;
  bool stopped_ = false;
};

}  // namespace relay::delivery
