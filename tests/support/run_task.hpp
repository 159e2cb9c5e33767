// Runs a coroutine to its end on the thread of the test.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"

namespace relay::support {

/// For what a test waits for in a task that must end.
inline base::Deadline soon() { return base::Deadline::after(std::chrono::seconds(8)); }

/// Turns the loop until `done` holds; false after ten seconds.
inline bool run_until(boost::asio::io_context& io, const std::function<bool()>& done) {
  const auto work = boost::asio::make_work_guard(io);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    io.restart();
    io.run_one_for(std::chrono::milliseconds(50));
    if (std::chrono::steady_clock::now() > limit) return false;
  }
  return true;
}

/// The result need not be default-constructible, which asio::use_future and handlers demand.
template <class T>
base::Task<> keep_result(base::Task<T> task, std::optional<T>& into) {
  into.emplace(co_await std::move(task));
}

/// Turns the loop until the task has ended, and throws what it threw, or after ten seconds.
inline void run_task(boost::asio::io_context& io, base::Task<> task) {
  std::exception_ptr thrown;
  bool ended = false;
  boost::asio::co_spawn(io.get_executor(), std::move(task), [&](std::exception_ptr error) {
    thrown = std::move(error);
    ended = true;
  });
  if (!run_until(io, [&ended] { return ended; })) throw std::runtime_error("task hangs");
  if (thrown) std::rethrow_exception(thrown);
}

/// The same, and returns what the task returned.
template <class T>
  requires(!std::is_void_v<T>)
T run_task(boost::asio::io_context& io, base::Task<T> task) {
  std::optional<T> result;
  run_task(io, keep_result(std::move(task), result));
  return std::move(*result);
}

/// The same on a loop of its own, with what the task left to do there.
template <class T>
T run_task(base::Task<T> task) {
  boost::asio::io_context io;
  if constexpr (std::is_void_v<T>) {
    run_task(io, std::move(task));
    io.poll();
  } else {
    T result = run_task(io, std::move(task));
    io.poll();
    return result;
  }
}

}  // namespace relay::support
