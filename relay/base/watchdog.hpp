// Finds tasks that should have ended long ago (guarantee "No task outlives its deadlines"): a task
// that lost its wake-up becomes older than all its deadlines. It only reports; it ends no task,
// because a stuck task cannot be trusted to clean up.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/time.hpp"

namespace relay::base {

/// Thread-safe. Outlives its watches.
class Watchdog {
 public:
  struct Overdue {
    std::string_view what;
    std::string detail;
    std::chrono::seconds late{0};
  };

  /// How long a task may take to tidy up after its last deadline.
  static constexpr std::chrono::seconds kGrace{60};

  /// Watches a task from construction to destruction. `what` is a literal; `ends_by` is the latest
  /// moment at which the task may still be busy.
  class Watch {
   public:
    Watch(Watchdog& dog, std::string_view what, std::string detail, SteadyTime ends_by);
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();

   private:
    friend class Watchdog;

    struct Entry {
      std::string_view what;
      std::string detail;
      SteadyTime ends_by;
      bool told = false;
    };

    Watchdog& dog_;
    std::list<Entry>::iterator entry_;
  };

  /// Tasks that are overdue by more than kGrace and that no earlier call has returned.
  std::vector<Overdue> newly_overdue(SteadyTime now);

  /// How many tasks newly_overdue() has returned since the start.
  std::uint64_t found() const;

 private:
  mutable std::mutex mutex_;
  std::list<Watch::Entry> watched_;
  std::uint64_t found_ = 0;
};

}  // namespace relay::base
