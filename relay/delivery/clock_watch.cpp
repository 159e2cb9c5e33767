#include "relay/delivery/clock_watch.hpp"

#include "relay/ports/delivery_queue.hpp"

namespace relay::delivery {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kClockJump = 60s;  // smaller changes are NTP at work and do no harm
constexpr auto kTogether = 1s;
constexpr int kMaxLooks = 5;

}  // namespace

/// Reads both clocks within kTogether: a thread that is suspended between the two readings must not
/// take that for a jump.
ClockWatch::Moment ClockWatch::look() const {
  Moment moment;
  for (int i = 0; i < kMaxLooks; ++i) {
    const auto before = clock_.steady();
    moment.wall = queue_.now();
    moment.offset = moment.wall.time_since_epoch() -
                    std::chrono::duration_cast<milliseconds>(before.time_since_epoch());
    if (clock_.steady() - before < kTogether) break;
  }
  return moment;
}

ClockWatch::Reading ClockWatch::read() {
  milliseconds jump{0};
  Reading reading;
  {
    // Read the clocks under the lock, so that a later reading is also applied later.
    const std::lock_guard lock(mutex_);
    const Moment moment = look();
    if (!has_begun_) {
      trust_.since = moment.wall;
    } else if (const auto by = moment.offset - offset_; by >= kClockJump || by <= -kClockJump) {
      jump = by;
      trust_ = {.since = moment.wall, .jumped_at = moment.wall};
    }
    has_begun_ = true;
    offset_ = moment.offset;
    reading = {.now = moment.wall, .trust = trust_};
  }
  if (jump != 0ms) on_jump_(reading.now, jump);
  return reading;
}

}  // namespace relay::delivery
