#include "relay/delivery/queue_scan.hpp"

#include "relay/delivery/destination.hpp"
#include "relay/delivery/retry_schedule.hpp"

namespace relay::delivery {

namespace {

constexpr std::size_t kPageRows = 500;
constexpr std::size_t kPagesPerLook = 8;
constexpr std::chrono::hours kFarFuture{24 * 365 * 100};

ports::QueueCursor end_of(base::WallTime until) {
  std::array<std::uint8_t, 16> last{};
  last.fill(0xFF);
  return {until, mail::MessageId(last), 0xFFFF};
}

}  // namespace

bool is_due(base::WallTime next_due, base::WallTime now, const RetryPolicy& policy) {
  return next_due <= now || next_due > now + longest_wait(policy);
}

base::Task<std::expected<bool, ports::SpoolError>> QueueScan::pages(
    base::WallTime until, std::optional<ports::QueueCursor>& cursor) {
  const auto policy = policy_.get();
  for (std::size_t page = 0; page < kPagesPerLook; ++page) {
    auto items = co_await spool_.due(until, cursor, kPageRows);
    if (!items) co_return std::unexpected(items.error());
    for (const auto& item : *items) {
      Job job;
      job.id = item.id;
      job.indices = {item.index};
      job.risk_pool = item.risk_pool;
      const auto destination = destination_of(item.destination, item.risk_pool, *policy);
      const auto added = store_.add(destination.key, std::move(job));
      if (added == WorkStore::Added::Full) skipped_ = true;
      if (added == WorkStore::Added::Later) left_behind_ = true;
      cursor = ports::QueueCursor{item.next_due, item.id, item.index};
    }
    if (items->size() < kPageRows) co_return true;
  }
  co_return false;
}

base::Task<std::expected<void, ports::SpoolError>> QueueScan::look(base::WallTime now,
                                                                   bool from_the_start) {
  std::expected<void, ports::SpoolError> ok;
  if (from_the_start) {
    newest_.reset();
    left_behind_ = false;
    std::optional<ports::QueueCursor> far = end_of(now + longest_wait(policy_.get()->retry));
    const auto found = co_await pages(now + kFarFuture, far);
    if (!found) co_return std::unexpected(found.error());
  }
  const bool had_backlog = backlog_;
  skipped_ = false;
  const auto reached = co_await pages(now, newest_);
  if (!reached) co_return std::unexpected(reached.error());
  if (*reached) newest_ = end_of(now);
  if (skipped_ || !*reached) backlog_ = true;
  if (!had_backlog) co_return ok;

  // A round from the oldest on. What is claimed already costs a row read and nothing else.
  const auto round_done = co_await pages(now, round_);
  if (!round_done) co_return std::unexpected(round_done.error());
  if (*round_done) {
    round_.reset();
    backlog_ = skipped_ || !*reached;
  }
  co_return ok;
}

}  // namespace relay::delivery
