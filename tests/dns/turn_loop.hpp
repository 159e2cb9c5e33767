// Runs one task on a loop that the test turns itself.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"

namespace relay::dns {

template <class T>
base::Task<> keep_result(base::Task<T> task, std::optional<T>& into) {
  into.emplace(co_await std::move(task));
}

/// What the task returned or threw; throws when it takes longer than ten seconds. The result need
/// not be default-constructible.
template <class T>
T turn_loop(boost::asio::io_context& io, base::Task<T> task) {
  std::optional<T> result;
  std::exception_ptr thrown;
  bool ended = false;
  boost::asio::co_spawn(io.get_executor(), keep_result(std::move(task), result),
                        [&](std::exception_ptr error) {
                          thrown = error;
                          ended = true;
                        });
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!ended) {
    io.restart();
    io.run_one_for(std::chrono::milliseconds(50));
    if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("task hangs");
  }
  if (thrown) std::rethrow_exception(thrown);
  return std::move(*result);
}

inline base::Deadline soon() { return base::Deadline::after(std::chrono::seconds(8)); }

}  // namespace relay::dns
