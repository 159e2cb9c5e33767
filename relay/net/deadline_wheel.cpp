#include "relay/net/deadline_wheel.hpp"

#include <algorithm>
#include <new>

#include <boost/asio/as_tuple.hpp>

#include "relay/base/timer.hpp"

namespace relay::net {

namespace asio = boost::asio;

DeadlineWheel::DeadlineWheel(asio::io_context& io)
    : io_(io), origin_(std::chrono::steady_clock::now()) {}

std::uint64_t DeadlineWheel::tick_of(base::SteadyTime at) const {
  return at <= origin_ ? 0 : static_cast<std::uint64_t>((at - origin_) / kTick);
}

void DeadlineWheel::arm(Alarm& alarm) {
  if (!ticking_) last_tick_ = tick_of(std::chrono::steady_clock::now());
  // One tick later, so that the slot is checked after the deadline, not just before it.
  const std::uint64_t due = std::max(tick_of(alarm.at_), last_tick_) + 1;
  Link& head = slots_[due % kSlots];
  alarm.previous = head.previous;
  alarm.next = &head;
  head.previous->next = &alarm;
  head.previous = &alarm;
  alarm.linked_ = true;
  ++armed_;
  if (ticking_) return;
  // Do this last: on the shard itself the new task begins at once, and ends if nothing is armed.
  // It may end for lack of memory: the next alarm starts another.
  ticking_ = true;
  try {
    base::spawn_supervised(io_.get_executor(), "deadlines", tick());
    if (!ticking_) throw std::bad_alloc();  // it began, but had no memory to wait
  } catch (...) {
    ticking_ = false;
    disarm(alarm);
    throw;
  }
}

void DeadlineWheel::disarm(Alarm& alarm) noexcept {
  if (!alarm.linked_) return;
  alarm.previous->next = alarm.next;
  alarm.next->previous = alarm.previous;
  alarm.linked_ = false;
  --armed_;
}

// Runs only while an alarm is armed, so that an idle daemon does not wake up.
base::Task<> DeadlineWheel::tick() {
  // If there is no memory to begin a wait, Asio destroys the coroutine instead of throwing.
  struct Ticking {
    DeadlineWheel& wheel;

    ~Ticking() { wheel.stop_ticking(); }
  };

  const Ticking ticking{*this};
  try {
    base::Timer timer(io_.get_executor());
    while (armed_ > 0) {
      timer.expires_after(kTick);
      co_await timer.async_wait(asio::as_tuple(base::use_task));
      ring_due(std::chrono::steady_clock::now());
    }
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): ~Ticking ends what waits
  }
}

void DeadlineWheel::stop_ticking() noexcept {
  ticking_ = false;
  if (ended_) return;
  // Nothing would ring these alarms later, so end their waits now, as if their time were over.
  for (Link& slot : slots_) ring_slot(slot, base::SteadyTime::max());
}

void DeadlineWheel::ring_due(base::SteadyTime now) {
  const std::uint64_t reached = tick_of(now);
  // After a long stall, one lap checks every slot.
  const std::uint64_t first = reached - std::min(reached - last_tick_, kSlots);
  last_tick_ = reached;
  for (std::uint64_t at = first + 1; at <= reached; ++at) ring_slot(slots_[at % kSlots], now);
}

void DeadlineWheel::ring_slot(Link& slot, base::SteadyTime now) {
  for (Link* link = slot.next; link != &slot;) {
    auto& alarm = static_cast<Alarm&>(*link);
    link = link->next;
    if (alarm.at_ > now) continue;  // due in a later lap
    disarm(alarm);
    alarm.ring();
  }
}

DeadlineWheel::Alarm::Alarm(DeadlineWheel& wheel, base::Deadline deadline, Interruptible& target)
    : wheel_(wheel), at_(deadline.at), target_(target) {
  if (deadline.cut != nullptr) cut_.emplace(deadline.cut, [this] { ring(); });
  if (at_ != base::SteadyTime::max()) wheel_.arm(*this);
}

void DeadlineWheel::Alarm::ring() noexcept {
  rang_ = true;
  target_.interrupt();
}

DeadlineWheel::Alarm::~Alarm() { wheel_.disarm(*this); }

}  // namespace relay::net
