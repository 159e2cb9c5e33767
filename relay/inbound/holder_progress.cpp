#include "relay/inbound/holder_progress.hpp"

namespace relay::inbound {

void HolderProgress::begins_to_wait(base::SteadyTime now) {
  const auto busy = now - wait_ended_;
  progress_.postpone(busy);
  work_.postpone(busy);
  waits_.store(true, std::memory_order_release);
}

void HolderProgress::ends_to_wait(base::SteadyTime now) {
  waits_.store(false, std::memory_order_relaxed);
  wait_ended_ = now;
}

void HolderProgress::has_come(std::uint64_t octets, std::uint64_t enough, std::uint64_t enough_work,
                              base::SteadyTime now) {
  progress_.has_come(octets, enough, now);
  work_.has_come(octets, enough_work, now);
}

void HolderProgress::completes(base::SteadyTime now) {
  progress_.begin_anew(now);
  work_.begin_anew(now);
  wait_ended_ = now;
}

void HolderProgress::Pace::has_come(std::uint64_t octets, std::uint64_t enough,
                                    base::SteadyTime now) {
  since_ += octets;
  if (since_ >= enough) begin_anew(now);
}

void HolderProgress::Pace::begin_anew(base::SteadyTime now) {
  since_ = 0;
  at_.store(now.time_since_epoch(), std::memory_order_relaxed);
}

void HolderProgress::Pace::postpone(base::SteadyTime::duration span) {
  at_.store(at_.load(std::memory_order_relaxed) + span, std::memory_order_relaxed);
}

base::SteadyTime HolderProgress::Pace::time() const {
  return base::SteadyTime(at_.load(std::memory_order_relaxed));
}

}  // namespace relay::inbound
