#include "relay/net/system_clock.hpp"

#include <chrono>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace relay::net {

namespace asio = boost::asio;

base::WallTime SystemClock::wall() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

base::SteadyTime SystemClock::steady() const { return std::chrono::steady_clock::now(); }

base::Task<> SystemClock::sleep_until(base::SteadyTime at) {
  using Timer =
      asio::basic_waitable_timer<std::chrono::steady_clock,
                                 asio::wait_traits<std::chrono::steady_clock>, base::Executor>;
  const auto executor = co_await asio::this_coro::executor;
  Timer timer(executor, at);
  co_await timer.async_wait(base::use_task);
}

}  // namespace relay::net
