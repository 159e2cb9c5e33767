// Waiting copies by due time and by lane. No address is parsed: a damaged row is found when it is
// loaded, and keeps nobody else waiting. Copies that were held in their place (kHeldInPlace in
// rows.hpp) are met here, and taken away, once.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "relay/ports/delivery_queue.hpp"
#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

class DueCopies {
 public:
  explicit DueCopies(Connection& connection);

  struct Listed {
    ports::DuePage page;
    std::vector<mail::CopyId> held;  ///< stood in between: for take_away()
  };

  Listed due(const std::optional<ports::DueCursor>& after, std::size_t limit, base::WallTime now);
  Listed due_in_lane(const ports::LaneKey& lane, const std::optional<ports::DueCursor>& after,
                     std::size_t limit, base::WallTime now);

  /// Those that are held in their place still; inside a transaction.
  void take_away(const std::vector<mail::CopyId>& held);

  /// Jumps from lane to lane: what waits behind the first copy of each is not looked at. That one
  /// may be held in its place.
  std::vector<ports::WaitingLane> waiting_lanes(const std::optional<ports::LaneKey>& after,
                                                std::size_t limit, base::WallTime now);

  /// The earliest due time that is later than `now`.
  std::optional<base::WallTime> next_due(base::WallTime now);

  /// Makes due at `now` what is due later than `latest`; inside a transaction. How many.
  std::size_t hasten(base::WallTime latest, base::WallTime now, std::size_t limit);

 private:
  std::optional<ports::WaitingLane> first_lane(const std::string& domain, base::WallTime now);
  std::optional<ports::WaitingLane> risk_lane(const std::string& domain, base::WallTime now);

  Connection& connection_;
  Statement due_, due_in_lane_, first_lane_, risk_lane_, next_due_, hasten_, take_away_;
};

}  // namespace relay::spool
