// The time of a simulated world, and what happens in it at which moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <boost/system/error_code.hpp>

#include "relay/ports/clock.hpp"

namespace relay::simulation {

/// Stands still until step(). Its steady time begins a hundred years after that of the machine: no
/// result depends on when the program was started, and code that asks the machine instead of this
/// clock is wrong by so much that it shows. For one thread.
class SimClock final : public ports::Clock {
 public:
  /// 2026-11-24T03:00:00Z.
  static constexpr base::WallTime kWallStart{std::chrono::milliseconds{1'795'489'200'000}};
  static constexpr base::SteadyTime kSteadyStart{std::chrono::hours{24 * 365 * 100}};

  using Action = std::move_only_function<void()>;
  using EventId = std::uint64_t;  ///< 0: none

  SimClock() = default;
  SimClock(const SimClock&) = delete;
  SimClock& operator=(const SimClock&) = delete;

  base::WallTime wall() const override { return wall_at_zero_ + since_start_ms(); }

  base::SteadyTime steady() const override { return now_; }

  base::Task<> sleep_until(base::SteadyTime at) override;
  base::Task<> sleep_until(base::SteadyTime at, base::Bell& bell) override;

  /// Runs `action` at that time, or at the next step if it is past; never, if it is the end of
  /// time. Events of one moment run in the order in which they were made.
  EventId at(base::SteadyTime when, Action action);

  EventId in(std::chrono::nanoseconds span, Action action) {
    return at(now_ + span, std::move(action));
  }

  /// Does nothing if it has run.
  void cancel(EventId event);

  /// When the next event is; nullopt: there is none.
  std::optional<base::SteadyTime> next();

  /// Goes to the next event and runs it. False: there is none.
  bool step();

  /// Moves only the wall clock, as an operator or NTP does.
  void jump_wall(std::chrono::milliseconds by) { wall_at_zero_ += by; }

  /// The process has died: destroys all sleeping coroutines.
  void forget_sleepers();

  std::chrono::milliseconds since_start_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now_ - kSteadyStart);
  }

 private:
  using Sleeper = std::move_only_function<void(boost::system::error_code)>;

  struct Slot {
    Action action;    ///< of the world
    Sleeper sleeper;  ///< or of a coroutine
    std::uint32_t generation = 0;
  };

  struct Entry {
    base::SteadyTime at;
    std::uint64_t number = 0;
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;

    friend bool operator<(const Entry& a, const Entry& b) {  // for a heap with the earliest on top
      return a.at != b.at ? a.at > b.at : a.number > b.number;
    }
  };

  EventId add(base::SteadyTime when, Slot filled);
  std::optional<Slot> take(EventId event);
  void wake(EventId sleeper, boost::system::error_code error);
  base::Task<> sleep(base::SteadyTime until, base::Bell* bell);

  bool stale(const Entry& entry) const { return slots_[entry.slot].generation != entry.generation; }

  void tidy();

  base::SteadyTime now_ = kSteadyStart;
  base::WallTime wall_at_zero_ = kWallStart;
  std::uint64_t made_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<Entry> heap_;
};

}  // namespace relay::simulation
