// The delivery side as a whole: hears of fresh messages, finds due ones on disk, and has them
// delivered, retried, bounced. Knows no adapter: everything comes through ports.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "relay/delivery/lane_session.hpp"
#include "relay/delivery/queue_scan.hpp"
#include "relay/ports/delivery_feed.hpp"

namespace relay::delivery {

/// What the scheduler works with. Referred things outlive it.
struct SchedulerParts {
  ports::Clock& clock;
  ports::Resolver& resolver;
  ports::Dialer& dialer;
  ports::Spool& spool;
  ports::Signer* signer = nullptr;  ///< null: DSNs go out unsigned
  base::Log& log;
  const base::Published<Policy>& policy;
  base::Watchdog& watchdog;
  std::uint64_t seed = 0;  ///< of jitter and MX order
};

/// Life: construct, start(), …, co_await stop(), destroy. The shards outlive it and are still
/// running when stop() is awaited.
class Scheduler final : public ports::DeliveryFeed {
 public:
  /// `shards`: at least one. Polling runs on the first; lane sessions on all, in turn.
  Scheduler(std::vector<base::Executor> shards, SchedulerParts parts);

  /// Begins to poll; everything due is attempted, the oldest first.
  void start();

  /// Takes no new work, lets running attempts end for up to `grace`. True: all have ended. What
  /// has not is tried again after the next start. Runs on any shard.
  base::Task<bool> stop(std::chrono::seconds grace = std::chrono::seconds{30});

  /// Any thread; never blocks. Without room the message is left to the poll.
  void offer(ports::FreshMessage fresh) override;

  /// Look at the queue now and forget outages: the operator or a reload changed something. Any
  /// thread.
  void wake();

  /// Attempts under way or claimed, for `status`. Any thread.
  StoreTotals totals() const { return shop_.store.totals(); }

  /// Why a due copy waits for the risk pool's rate, for `queue why`. Any thread.
  std::optional<Pace> pace(const mail::MessageId& id, const mail::Route& route) const;

  /// What became of copies since the start. Any thread.
  Tally tally() const;

  /// The spool failed: nothing is sent any more, the process should end (reliability.md §2.3).
  bool poisoned() const { return shop_.poisoned.load(); }

 private:
  base::Task<> poll();
  base::Task<> look();
  void spawn(WorkStore::LanePtr lane);
  void watch_clock();
  void apply_limits();
  base::SteadyTime next_tick() const;
  void expect_due(base::WallTime at);

  std::vector<base::Executor> shards_;
  Workshop shop_;
  QueueScan scan_;
  std::atomic<std::size_t> next_shard_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> poll_ended_{true};
  std::atomic<bool> from_start_{true};  ///< the next look begins at the oldest
  std::atomic<bool> refill_{false};
  std::atomic<base::WallTime::rep> expected_due_{0};  ///< ms; the earliest we know of
  base::SteadyTime full_look_at_;
  std::chrono::milliseconds clock_offset_{0};  ///< wall minus steady, when last seen
};

}  // namespace relay::delivery
