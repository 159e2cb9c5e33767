// Listings of copies that are due.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/lane_key.hpp"

namespace relay::ports {

/// A lane that holds waiting copies.
struct WaitingLane {
  LaneKey key;
  std::chrono::milliseconds due_in{0};  ///< until its earliest copy is due; zero or less: it is due
};

/// A waiting copy that is due.
struct DueCopy {
  mail::CopyId copy;
  LaneKey lane;
  std::string alias;        ///< the forward-path as the client gave it, as text
  base::WallTime next_due;  ///< by the store's clock; with `copy` the place in a listing
};

/// Where a listing of due copies continues: after this key.
struct DueCursor {
  base::WallTime next_due;
  mail::CopyId copy;
};

/// A page of a listing of due copies. It may be short or empty although more pages follow.
struct DuePage {
  std::vector<DueCopy> copies;
  std::optional<DueCursor> next;  ///< nullopt: this was the last page
};

}  // namespace relay::ports
