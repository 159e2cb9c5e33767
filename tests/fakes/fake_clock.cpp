#include "tests/fakes/fake_clock.hpp"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

namespace relay::fakes {

namespace asio = boost::asio;

struct FakeClock::Registration {
  Registration(FakeClock& owner, std::shared_ptr<Sleeper> entry)
      : clock(owner), sleeper(std::move(entry)) {
    const std::lock_guard lock(clock.mutex_);
    auto& all = clock.sleepers_;
    const auto later = std::find_if(all.begin(), all.end(),
                                    [&](const auto& other) { return other->at > sleeper->at; });
    all.insert(later, sleeper);
  }

  ~Registration() {
    const std::lock_guard lock(clock.mutex_);
    clock.sleepers_.remove(sleeper);
  }

  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  FakeClock& clock;
  std::shared_ptr<Sleeper> sleeper;
};

/// Lets a bell release the sleeper, as long as it lives.
struct FakeClock::Armed {
  Armed(FakeClock& clock, base::Bell& rings, const std::shared_ptr<Sleeper>& sleeper)
      : bell(rings), armed(rings.arm([&clock, sleeper] { clock.wake(sleeper); })) {}

  ~Armed() {
    if (armed) bell.disarm();
  }

  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;

  base::Bell& bell;
  const bool armed;  ///< false: it had rung before
};

FakeClock::FakeClock(base::WallTime start)
    : steady_(std::chrono::steady_clock::now()), wall_origin_(start), steady_origin_(steady_) {}

FakeClock::~FakeClock() = default;

base::WallTime FakeClock::wall() const {
  const std::lock_guard lock(mutex_);
  return wall_origin_ +
         std::chrono::duration_cast<std::chrono::milliseconds>(steady_ - steady_origin_);
}

base::SteadyTime FakeClock::steady() const {
  const std::lock_guard lock(mutex_);
  return steady_;
}

base::Task<> FakeClock::sleep_until(base::SteadyTime at) {
  if (at <= steady()) co_return;
  auto sleeper = std::make_shared<Sleeper>(co_await asio::this_coro::executor, at);
  const Registration registration(*this, sleeper);
  co_await sleep(sleeper);
}

base::Task<> FakeClock::sleep_until(base::SteadyTime at, base::Bell& bell) {
  if (at <= steady()) co_return;
  auto sleeper = std::make_shared<Sleeper>(co_await asio::this_coro::executor, at);
  const Registration registration(*this, sleeper);
  const Armed armed(*this, bell, sleeper);
  if (armed.armed) co_await sleep(sleeper);
}

base::Task<> FakeClock::sleep(std::shared_ptr<Sleeper> sleeper) {
  sleeper->timer.expires_at(base::SteadyTime::max());
  const auto woken = co_await sleeper->timer.async_wait(asio::as_tuple(base::use_task));
  if (!sleeper->released) throw boost::system::system_error(std::get<0>(woken));
}

/// The timer is only touched on its own shard.
void FakeClock::release(std::shared_ptr<Sleeper> sleeper) {
  const base::Executor executor = sleeper->executor;
  asio::post(executor, [sleeper = std::move(sleeper)] {
    sleeper->released = true;
    sleeper->timer.cancel();
  });
}

void FakeClock::advance(std::chrono::nanoseconds span) {
  move_to(steady() + span);
  while (take_due()) {
  }
}

void FakeClock::run_for(asio::io_context& io, std::chrono::nanoseconds span) {
  const auto poll = [&io] {
    io.restart();
    io.poll();
  };
  const base::SteadyTime target = steady() + span;
  poll();
  for (auto due = next_due(); due && *due <= target; due = next_due()) {
    move_to(std::max(*due, steady()));
    take_due();
    poll();
  }
  move_to(target);
}

void FakeClock::jump_wall(std::chrono::milliseconds by) {
  const std::lock_guard lock(mutex_);
  wall_origin_ += by;
}

std::size_t FakeClock::sleepers() const {
  const std::lock_guard lock(mutex_);
  return sleepers_.size();
}

std::optional<base::SteadyTime> FakeClock::next_due() const {
  const std::lock_guard lock(mutex_);
  if (sleepers_.empty()) return std::nullopt;
  return sleepers_.front()->at;
}

void FakeClock::move_to(base::SteadyTime at) {
  const std::lock_guard lock(mutex_);
  steady_ = at;
}

void FakeClock::wake(const std::shared_ptr<Sleeper>& sleeper) {
  {
    const std::lock_guard lock(mutex_);
    sleepers_.remove(sleeper);
  }
  release(sleeper);
}

// Releases the first sleeper that is due.
std::shared_ptr<FakeClock::Sleeper> FakeClock::take_due() {
  std::shared_ptr<Sleeper> first;
  {
    const std::lock_guard lock(mutex_);
    if (sleepers_.empty() || sleepers_.front()->at > steady_) return nullptr;
    first = sleepers_.front();
    sleepers_.pop_front();
  }
  release(first);
  return first;
}

}  // namespace relay::fakes
