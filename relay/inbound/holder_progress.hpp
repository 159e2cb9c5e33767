// Whether a holder does something with what it holds.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "relay/base/time.hpp"

namespace relay::inbound {

/// Octets count twice: a little shows that the holder is there at all (progress), more that it
/// needs as much as it holds (work). Who lacks the first for a while is stalled, who lacks the
/// second is slow. Time stands still while the holder does not wait for its client.
///
/// Written by the holder's task alone. The questions may be asked from anywhere.
class HolderProgress {
 public:
  /// Over this time the progress of a holder is judged.
  static constexpr std::chrono::seconds kPatience{10};

  void begins_to_wait(base::SteadyTime now);

  /// The wait is over.
  void ends_to_wait(base::SteadyTime now);

  /// These octets count, where so many in kPatience are enough.
  void has_come(std::uint64_t octets, std::uint64_t enough, std::uint64_t enough_work,
                base::SteadyTime now);

  void makes_progress(base::SteadyTime now) { progress_.begin_anew(now); }

  void completes(base::SteadyTime now);  ///< counts as progress and as work

  bool waits() const { return waits_.load(); }

  bool is_stalled(base::SteadyTime now) const { return progress_.is_due(now); }

  bool is_slow(base::SteadyTime now) const { return work_.is_due(now); }

  /// Since the last progress.
  base::SteadyTime::duration silence(base::SteadyTime now) const { return now - progress_.time(); }

 private:
  /// When enough octets had come the last time.
  class Pace {
   public:
    void has_come(std::uint64_t octets, std::uint64_t enough, base::SteadyTime now);
    void begin_anew(base::SteadyTime now);
    void postpone(base::SteadyTime::duration span);
    base::SteadyTime time() const;

    bool is_due(base::SteadyTime now) const { return now - time() >= kPatience; }

   private:
    std::atomic<base::SteadyTime::duration> at_{};
    std::uint64_t since_ = 0;  ///< octets
  };

  std::atomic<bool> waits_{false};
  Pace progress_;
  Pace work_;
  base::SteadyTime wait_ended_;
};

}  // namespace relay::inbound
