// Runs a coroutine to its end on one thread.
#pragma once

#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "relay/base/task.hpp"

namespace relay::delivery {

template <class T>
base::Task<> keep_result(base::Task<T> task, std::optional<T>& into) {
  into.emplace(co_await std::move(task));
}

/// The result need not be default-constructible, which asio::use_future demands.
template <class T>
T run_task(base::Task<T> task) {
  boost::asio::io_context io;
  std::optional<T> value;
  auto done =
      boost::asio::co_spawn(io, keep_result(std::move(task), value), boost::asio::use_future);
  io.run();
  done.get();
  return std::move(*value);
}

inline void run_task(base::Task<> task) {
  boost::asio::io_context io;
  auto done = boost::asio::co_spawn(io, std::move(task), boost::asio::use_future);
  io.run();
  done.get();
}

}  // namespace relay::delivery
