// A timer of a shard, by steady time.
#pragma once

#include <chrono>

#include <boost/asio/basic_waitable_timer.hpp>

#include "relay/base/task.hpp"

namespace relay::base {

/// asio::steady_timer with the concrete executor of a shard.
using Timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

}  // namespace relay::base
