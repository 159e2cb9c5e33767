// Finds what should have ended long ago: a lost wake-up shows as a task that is older than every
// deadline it has. Nothing is killed: what is stuck cannot be trusted to clean up.
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

  /// Beyond its last deadline, a task has so long to tidy up.
  static constexpr std::chrono::seconds kGrace{60};

  /// `what` is a literal; `ends_by` the latest moment at which the task may still be busy.
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

  /// What has become overdue by more than kGrace since the last call.
  std::vector<Overdue> newly_overdue(SteadyTime now);

  /// How many have been so since the start.
  std::uint64_t found() const;

 private:
  mutable std::mutex mutex_;
  std::list<Watch::Entry> watched_;
  std::uint64_t found_ = 0;
};

}  // namespace relay::base
