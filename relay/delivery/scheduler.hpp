// The delivery side as a whole: takes fresh messages, finds due ones on disk, and has them
// delivered, retried, and reported to their senders. Uses only ports, no adapters.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "relay/delivery/queue_reader.hpp"
#include "relay/delivery/report_clerk.hpp"
#include "relay/delivery/running_lookups.hpp"
#include "relay/delivery/workshop.hpp"
#include "relay/ports/delivery_control.hpp"
#include "relay/ports/delivery_feed.hpp"

namespace relay::ports {
class DeliveryQueue;
}

namespace relay::delivery {

/// What the scheduler works with. References must outlive it.
struct SchedulerParts {
  ports::Clock& clock;
  ports::Resolver& resolver;
  ports::Dialer& dialer;
  ports::DeliveryQueue& queue;
  ports::Signer* signer = nullptr;  ///< null: DSNs go out unsigned
  base::Log& log;
  const base::Published<Policy>& policy;
  base::Watchdog& watchdog;
  std::uint64_t seed = 0;                        ///< for jitter and MX order
  std::function<mail::MessageId()> new_id = {};  ///< of a DSN; empty: a random one
  OnTaken on_taken = {};                         ///< called on any shard; may be empty
};

/// Life cycle: construct, start(), …, co_await stop(), destroy. The shards outlive it and must
/// still run when stop() is awaited.
class Scheduler final : public ports::DeliveryFeed, public ports::DeliveryControl {
 public:
  /// `shards`: at least one. The queue is read on the first; sessions run on all, in turn.
  Scheduler(std::vector<base::Executor> shards, SchedulerParts parts);

  /// Begins to read the queue: everything due is tried, the oldest of each lane first.
  void start();

  /// Takes no new work and waits up to `grace` for running attempts. True: all have ended. The
  /// others are tried again after the next start. Any shard.
  base::Task<bool> stop(std::chrono::seconds grace = std::chrono::seconds{30});

  void expect(const mail::MessageId& id) override;
  void offer(ports::FreshMessage fresh) override;
  void give_up(const mail::MessageId& id) noexcept override;

  std::size_t withdraw(const std::vector<mail::CopyId>& copies) override;
  void wake() override;
  void set_pauses(std::vector<ports::PauseRule> rules) override;
  std::optional<ports::Waiting> why_waiting(const mail::CopyId& copy, const ports::LaneKey& lane,
                                            const std::string& alias) const override;

  /// Any thread.
  Totals totals() const { return shop_.dispatcher.totals(); }

  const Metrics& metrics() const { return shop_.metrics; }

  /// The queue failed: nothing is sent any more, and the process should end.
  bool poisoned() const { return shop_.poisoned.load(); }

 private:
  base::Task<> look_for_work();
  base::Task<> keep_time();
  base::Task<std::expected<bool, ports::SpoolError>> look();
  base::Task<> look_up(LanePtr lane, std::chrono::seconds within);
  void start_session(PlacePtr place);
  void start_lookup(LanePtr lane, std::chrono::seconds within);
  void start_clerk(LanePtr lane);
  base::Executor next_shard();
  template <class Begin, class Done>
  void spawn(const base::Executor& shard, const char* name, Begin begin, const Done& done);
  void clock_jumped(base::WallTime now, std::chrono::milliseconds by);
  void expect_due(std::chrono::milliseconds after);
  Dispatcher::Hooks hooks();

  std::vector<base::Executor> shards_;
  Workshop shop_;
  QueueReader reader_;
  ReportClerk reports_;
  std::shared_ptr<RunningLookups> lookups_ = std::make_shared<RunningLookups>();
  std::atomic<std::size_t> next_shard_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<int> running_{0};                 ///< tasks of this object
  std::atomic<bool> from_start_{true};          ///< the next look reads all lanes
  std::atomic<base::SteadyTime::rep> look_at_;  ///< when the next look is due
  base::Bell look_bell_;
  base::Bell tick_bell_;
  std::atomic<bool> ticks_slowly_{false};  ///< a new session must ring tick_bell_
  base::SteadyTime full_look_at_;
  std::atomic<bool> far_due_times_{true};  ///< there may be due times set by a wrong clock
};

}  // namespace relay::delivery
