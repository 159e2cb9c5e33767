#include "tests/simulation/sim_clock.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

namespace relay::simulation {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

struct Armed {
  explicit Armed(base::Bell* rung) : bell(rung) {}

  ~Armed() {
    if (bell != nullptr) bell->disarm();
  }

  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;

  base::Bell* bell;
};

}  // namespace

base::Task<> SimClock::sleep(base::SteadyTime until, base::Bell* bell) {
  const Armed armed(bell);
  const auto begin = [this, until, bell](auto handler) {
    const auto executor = asio::get_associated_executor(handler);
    const auto slot = asio::get_associated_cancellation_slot(handler);
    Slot filled;
    filled.sleeper = [executor, handler = std::move(handler)](error_code error) mutable {
      asio::post(executor,
                 [handler = std::move(handler), error]() mutable { std::move(handler)(error); });
    };
    const EventId id = add(until, std::move(filled));
    if (slot.is_connected()) {
      auto cancel_slot = slot;
      cancel_slot.assign(
          [this, id](asio::cancellation_type) { wake(id, asio::error::operation_aborted); });
    }
    if (bell != nullptr && !bell->arm([this, id] { wake(id, {}); })) wake(id, {});
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<base::Executor>, void(error_code)>(
      begin, base::use_task);
}

base::Task<> SimClock::sleep_until(base::SteadyTime at) {
  if (at > now_) co_await sleep(at, nullptr);
}

base::Task<> SimClock::sleep_until(base::SteadyTime at, base::Bell& bell) {
  if (at > now_) co_await sleep(at, &bell);
}

SimClock::EventId SimClock::add(base::SteadyTime when, Slot filled) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t at = free_.back();
  free_.pop_back();
  Slot& slot = slots_[at];
  slot.action = std::move(filled.action);
  slot.sleeper = std::move(filled.sleeper);
  ++slot.generation;
  if (when != base::SteadyTime::max()) {  // which never comes
    heap_.push_back({std::max(when, now_), ++made_, at, slot.generation});
    std::push_heap(heap_.begin(), heap_.end());
  }
  return (std::uint64_t{slot.generation} << 32U) | at;
}

SimClock::EventId SimClock::at(base::SteadyTime when, Action action) {
  Slot filled;
  filled.action = std::move(action);
  return add(when, std::move(filled));
}

std::optional<SimClock::Slot> SimClock::take(EventId event) {
  const auto at = static_cast<std::uint32_t>(event);
  if (event == 0 || slots_[at].generation != event >> 32U) return std::nullopt;
  Slot& slot = slots_[at];
  Slot taken{std::exchange(slot.action, nullptr), std::exchange(slot.sleeper, nullptr), 0};
  ++slot.generation;
  free_.push_back(at);
  return taken;
}

void SimClock::cancel(EventId event) {
  const auto destroyed = take(event);
  if (destroyed) tidy();
}

void SimClock::wake(EventId sleeper, error_code error) {
  auto slot = take(sleeper);
  if (slot) slot->sleeper(error);
}

/// Events that were cancelled stay in the heap until they are most of it.
void SimClock::tidy() {
  const std::size_t live = slots_.size() - free_.size();
  if (heap_.size() < 2 * live + 64) return;
  std::erase_if(heap_, [this](const Entry& entry) { return stale(entry); });
  std::make_heap(heap_.begin(), heap_.end());
}

std::optional<base::SteadyTime> SimClock::next() {
  while (!heap_.empty() && stale(heap_.front())) {
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
  }
  if (heap_.empty()) return std::nullopt;
  return heap_.front().at;
}

bool SimClock::step() {
  const auto at_time = next();
  if (!at_time) return false;
  const Entry entry = heap_.front();
  std::pop_heap(heap_.begin(), heap_.end());
  heap_.pop_back();
  now_ = *at_time;
  auto slot = take((std::uint64_t{entry.generation} << 32U) | entry.slot);
  if (slot->sleeper) {
    slot->sleeper({});
  } else {
    slot->action();
  }
  return true;
}

void SimClock::forget_sleepers() {
  std::vector<Slot> gone;
  for (std::uint32_t at = 0; at < slots_.size(); ++at) {
    if (!slots_[at].sleeper) continue;
    gone.push_back(*take((std::uint64_t{slots_[at].generation} << 32U) | at));
  }
}

}  // namespace relay::simulation
