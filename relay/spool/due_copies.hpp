// Waiting copies by due time and by lane. No address is parsed: a damaged row is found when it is
// loaded, and keeps nobody else waiting.
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

  std::vector<ports::DueCopy> due(const std::optional<ports::DueCursor>& after, std::size_t limit,
                                  base::WallTime now);
  std::vector<ports::DueCopy> due_in_lane(const ports::LaneKey& lane,
                                          const std::optional<ports::DueCursor>& after,
                                          std::size_t limit, base::WallTime now);

  /// Jumps from lane to lane: what waits behind the first copy of each is not looked at.
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
  Statement due_, due_in_lane_, first_lane_, risk_lane_, next_due_, hasten_;
};

}  // namespace relay::spool
