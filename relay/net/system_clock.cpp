#include "relay/net/system_clock.hpp"

#include <chrono>
#include <memory>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "relay/base/timer.hpp"

namespace relay::net {

namespace asio = boost::asio;

namespace {

/// Lets a bell end the wait for a timer early. The ringing thread posts to the sleeper's shard; if
/// that arrives after the sleep is over, it finds no timer.
class ArmedBell {
 public:
  ArmedBell(base::Bell& bell, base::Timer& timer)
      : bell_(bell), sleep_(std::make_shared<Sleep>(&timer)) {
    armed_ = bell_.arm([sleep = sleep_, executor = timer.get_executor()] {
      asio::post(executor, [sleep] {
        sleep->rung = true;
        if (sleep->timer != nullptr) sleep->timer->cancel();
      });
    });
  }

  ~ArmedBell() {
    sleep_->timer = nullptr;
    if (armed_) bell_.disarm();
  }

  ArmedBell(const ArmedBell&) = delete;
  ArmedBell& operator=(const ArmedBell&) = delete;

  /// False: the bell had rung before.
  bool armed() const { return armed_; }

  bool rung() const { return sleep_->rung; }

 private:
  /// Used on the sleeper's shard only.
  struct Sleep {
    explicit Sleep(base::Timer* waits) : timer(waits) {}

    base::Timer* timer;
    bool rung = false;
  };

  base::Bell& bell_;
  std::shared_ptr<Sleep> sleep_;
  bool armed_ = false;
};

}  // namespace

base::WallTime SystemClock::wall() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

base::SteadyTime SystemClock::steady() const { return std::chrono::steady_clock::now(); }

base::Task<> SystemClock::sleep_until(base::SteadyTime at) {
  const auto executor = co_await asio::this_coro::executor;
  base::Timer timer(executor, at);
  co_await timer.async_wait(base::use_task);
}

base::Task<> SystemClock::sleep_until(base::SteadyTime at, base::Bell& bell) {
  const auto executor = co_await asio::this_coro::executor;
  base::Timer timer(executor, at);
  const ArmedBell armed(bell, timer);
  if (!armed.armed()) co_return;
  // A ring from here on is posted to this shard and runs after the wait has begun.
  const auto [error] = co_await timer.async_wait(asio::as_tuple(base::use_task));
  if (error && !armed.rung()) throw boost::system::system_error(error);
}

}  // namespace relay::net
