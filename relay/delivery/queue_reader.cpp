#include "relay/delivery/queue_reader.hpp"

#include <utility>

#include "relay/ports/delivery_queue.hpp"

namespace relay::delivery {

namespace {

constexpr std::size_t kPage = 500;
constexpr std::size_t kPagesAtOnce = 8;
constexpr std::size_t kLanesAtOnce = 32;

/// A cursor after everything due at `now`.
ports::DueCursor end_of(base::WallTime now) {
  std::array<std::uint8_t, 16> last{};
  last.fill(0xFF);
  return {now, {mail::MessageId(last), 0xFFFF}};
}

}  // namespace

base::Task<std::expected<bool, ports::SpoolError>> QueueReader::look_at_lanes(bool from_the_start) {
  if (from_the_start) {
    // look_at_new() finds what becomes due from here on; this round finds the rest.
    newest_ = end_of(queue_.now());
    lane_.reset();
    is_round_over_ = false;
  }
  for (std::size_t page = 0; !is_round_over_ && page < kPagesAtOnce; ++page) {
    auto lanes = co_await queue_.waiting_lanes(lane_, kPage);
    if (!lanes) co_return std::unexpected(lanes.error());
    for (auto& lane : *lanes) {
      if (lane.due_in.count() <= 0) dispatcher_.note_backlog(lane.key);
      lane_ = std::move(lane.key);
    }
    is_round_over_ = lanes->size() < kPage;
  }
  co_return is_round_over_;
}

base::Task<std::expected<bool, ports::SpoolError>> QueueReader::look_at_new() {
  for (std::size_t page = 0; page < kPagesAtOnce; ++page) {
    const base::WallTime before = queue_.now();
    const auto found = co_await queue_.due(newest_, kPage);
    if (!found) co_return std::unexpected(found.error());
    for (const auto& due : found->copies) {
      dispatcher_.add_new(due, clock_.steady());
      newest_ = ports::DueCursor{due.next_due, due.copy};
    }
    if (found->next) {
      newest_ = found->next;
    } else {
      // Continue just before the time of the query: a copy that became due in the same millisecond
      // must not be missed.
      const auto reached = end_of(before - std::chrono::milliseconds(1));
      if (!newest_ || newest_->next_due < reached.next_due) newest_ = reached;
      co_return true;
    }
  }
  co_return false;
}

base::Task<std::expected<bool, ports::SpoolError>> QueueReader::refill() {
  const auto wanted = dispatcher_.wants_refill(kLanesAtOnce);
  std::optional<ports::SpoolError> failed;
  for (const Refill& lane : wanted) {
    if (failed) {  // refilled() must be called for each lane, or it would never ask again
      dispatcher_.refilled(lane.lane, lane.after);
      continue;
    }
    const std::size_t limit = std::min(lane.room, kPage);
    const auto found = co_await queue_.due_in_lane(lane.lane, lane.after, limit);
    if (found) {
      for (const auto& due : found->copies) dispatcher_.add(due, clock_.steady());
    } else {
      failed = found.error();
    }
    dispatcher_.refilled(lane.lane, found ? found->next : lane.after);
  }
  if (failed) co_return std::unexpected(*failed);
  co_return wanted.size() < kLanesAtOnce;
}

}  // namespace relay::delivery
