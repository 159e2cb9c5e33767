#pragma once

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "relay/base/task.hpp"

namespace relay::app {

/// Runs a task on `executor` and blocks this thread, which must not be a shard, until its result.
template <class T>
T await_blocking(const base::Executor& executor, base::Task<T> task) {
  auto result = boost::asio::co_spawn(executor, std::move(task), boost::asio::use_future);
  return result.get();
}

}  // namespace relay::app
