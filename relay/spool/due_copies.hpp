// Waiting copies by due time and by lane. Addresses are not parsed: a damaged row is noticed when
// it is loaded, and does not delay others. Copies held in place (kHeldInPlace in rows.hpp) are met
// here once and then taken away.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "relay/ports/due_copies.hpp"
#include "relay/ports/lane_key.hpp"
#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

class DueCopies {
 public:
  explicit DueCopies(Connection& connection);

  struct Listed {
    ports::DuePage page;
    std::vector<mail::CopyId> held;  ///< copies held in place among them: for take_away()
  };

  Listed due(const std::optional<ports::DueCursor>& after, std::size_t limit, base::WallTime now);
  Listed due_in_lane(const ports::LaneKey& lane, const std::optional<ports::DueCursor>& after,
                     std::size_t limit, base::WallTime now);

  /// Moves those still held in place to state Held. Inside a transaction.
  void take_away(const std::vector<mail::CopyId>& held);

  /// Jumps from lane to lane, reading only the first copy of each, which may be held in place.
  std::vector<ports::WaitingLane> waiting_lanes(const std::optional<ports::LaneKey>& after,
                                                std::size_t limit, base::WallTime now);

  /// The earliest due time after `now`.
  std::optional<base::WallTime> next_due(base::WallTime now);

  /// Makes copies due at `now` that are due after `latest`. Inside a transaction. Returns how many.
  std::size_t hasten(base::WallTime latest, base::WallTime now, std::size_t limit);

 private:
  std::optional<ports::WaitingLane> first_lane(const std::string& domain, base::WallTime now);
  std::optional<ports::WaitingLane> risk_lane(const std::string& domain, base::WallTime now);

  Connection& connection_;
  Statement due_, due_in_lane_, first_lane_, risk_lane_, next_due_, hasten_, take_away_;
};

}  // namespace relay::spool
