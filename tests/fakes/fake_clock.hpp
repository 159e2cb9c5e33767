// Time under the test's control: five days of retries pass in milliseconds.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "relay/base/timer.hpp"
#include "relay/ports/clock.hpp"

namespace relay::fakes {

/// Stands still until advanced. sleep_until() waiters are released in the order of their times,
/// ties in the order they came, and when their bell rings. steady() starts at the real steady time,
/// so that a Deadline made from this clock is also sound for code that asks the real one.
/// Thread-safe.
class FakeClock : public ports::Clock {
 public:
  /// 2026-11-24T03:00:00Z.
  static constexpr base::WallTime kStart{std::chrono::milliseconds{1'795'489'200'000}};

  explicit FakeClock(base::WallTime start = kStart);
  ~FakeClock() override;

  base::WallTime wall() const override;
  base::SteadyTime steady() const override;
  base::Task<> sleep_until(base::SteadyTime at) override;
  base::Task<> sleep_until(base::SteadyTime at, base::Bell& bell) override;

  /// Jumps ahead; everything due is released with the clock already at its new time.
  void advance(std::chrono::nanoseconds span);

  /// Advances waiter by waiter: each sees the very time it slept for, and the handlers of `io` run
  /// dry (poll) before and after each. A task that wakes and sleeps again within `span` runs again.
  void run_for(boost::asio::io_context& io, std::chrono::nanoseconds span);

  /// Moves only the wall clock, as an operator or NTP does.
  void jump_wall(std::chrono::milliseconds by);

  std::size_t sleepers() const;
  std::optional<base::SteadyTime> next_due() const;

 private:
  struct Sleeper {
    Sleeper(base::Executor runs_on, base::SteadyTime wakes)
        : executor(runs_on), timer(runs_on), at(wakes) {}

    base::Executor executor;
    base::Timer timer;  ///< never rings by itself; cancelling it wakes the coroutine
    base::SteadyTime at;
    bool released = false;
  };

  using Sleepers = std::list<std::shared_ptr<Sleeper>>;

  /// Takes the sleeper off the list however the coroutine ends.
  struct Registration;
  struct Armed;

  static base::Task<> sleep(std::shared_ptr<Sleeper> sleeper);
  static void release(std::shared_ptr<Sleeper> sleeper);

  void move_to(base::SteadyTime at);
  std::shared_ptr<Sleeper> take_due();
  void wake(const std::shared_ptr<Sleeper>& sleeper);

  mutable std::mutex mutex_;
  base::SteadyTime steady_;
  base::WallTime wall_origin_;  ///< wall time at steady_origin_
  const base::SteadyTime steady_origin_;
  Sleepers sleepers_;  ///< by rising time
};

}  // namespace relay::fakes
