// Judges which hosts were asked, and in which order.
#pragma once

#include <array>
#include <vector>

#include "relay/ports/delivery_queue.hpp"
#include "tests/simulation/book.hpp"
#include "tests/simulation/verdicts.hpp"

namespace relay::simulation {

class HostJudge {
 public:
  HostJudge(Book& book, Verdicts& verdicts, SimClock& clock);

  /// An attempt at this copy, however it ended.
  void recorded(const CopyTruth& copy, const ports::CopyUpdate& update);

  /// The same attempt put it off.
  void put_off(CopyTruth& copy, const ports::CopyUpdate& update);

  /// The store could not read a piece of content: the attempt it was for ends there.
  void content_unreadable() { unreadable_at_ = clock_.steady(); }

 private:
  /// An attempt that asked a host.
  struct Turn {
    base::SteadyTime began;  ///< at the earliest
    base::SteadyTime recorded;
    bool answered = false;  ///< so that no other host was asked
  };

  using Turns = std::vector<Turn>;  ///< by host: the latest that was recorded

  bool moves(const CopyTruth& copy) const;
  bool was_passed_over(std::size_t host, const CopyTruth& copy, const Turns& turns) const;

  Book& book_;
  Verdicts& verdicts_;
  SimClock& clock_;
  std::array<Turns, 2> turns_;  ///< of ordinary mail and of the risk pool, which fail apart
  base::SteadyTime unreadable_at_ = base::SteadyTime::min();
};

/// Its session gave up its place because others waited for it.
bool was_cut_off(const mail::DeliveryAttempt& attempt);

/// Whether the next host must be asked after one that ended like this. The copy was put off.
bool turns_to_next_host(const mail::DeliveryAttempt& attempt);

}  // namespace relay::simulation
