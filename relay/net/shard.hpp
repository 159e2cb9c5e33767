// A shard: one thread, one event loop, one set of deadlines. A session or delivery stays on its
// shard, so data of a shard needs no lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "relay/base/task.hpp"
#include "relay/net/deadline_wheel.hpp"
#include "relay/net/lingering.hpp"

namespace relay::net {

class Shard {
 public:
  Shard();
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  boost::asio::io_context& io() { return io_; }

  base::Executor executor() { return io_.get_executor(); }

  DeadlineWheel& deadlines() { return deadlines_; }

  Lingering& lingering() { return lingering_; }

  /// Posts a probe to the loop unless one is pending; returns how long the pending one has waited,
  /// 0 if none was pending. From one thread only.
  std::chrono::nanoseconds silence(base::SteadyTime now);

 private:
  // Order matters: destroying the loop destroys coroutines, which take their alarms off the wheel.
  DeadlineWheel deadlines_;
  Lingering lingering_;
  boost::asio::io_context io_;
  std::atomic<bool> answered_{true};
  base::SteadyTime asked_at_;
};

/// The shards of the process and their threads. Coroutines may be spawned before run(). To end:
/// stop(), join(), and only then destroy what the coroutines use; they die with the pool.
class ShardPool {
 public:
  /// Precondition: count >= 1.
  explicit ShardPool(std::size_t count);
  ~ShardPool();  ///< stops and joins
  ShardPool(const ShardPool&) = delete;
  ShardPool& operator=(const ShardPool&) = delete;

  std::size_t size() const { return shards_.size(); }

  Shard& at(std::size_t index) { return *shards_.at(index); }

  std::vector<base::Executor> executors();

  /// The longest silence of all shards. To be called regularly, from one thread.
  std::chrono::nanoseconds silence(base::SteadyTime now);

  void run();            ///< starts one thread per shard; once
  void stop() noexcept;  ///< from any thread, also from a shard; handlers not yet run are kept
  void join();           ///< not from a shard

 private:
  using Work = boost::asio::executor_work_guard<base::Executor>;

  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<Work> work_;
  std::vector<std::jthread> threads_;
};

}  // namespace relay::net
