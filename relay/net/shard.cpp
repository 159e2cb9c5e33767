#include "relay/net/shard.hpp"

#include <algorithm>
#include <new>

#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/post.hpp>
#include <pthread.h>
#include <signal.h>

#include "relay/base/lost_handler.hpp"
#include "relay/base/spawn.hpp"

namespace relay::net {

namespace {

// Signals go to the main thread only: they must not interrupt system calls of a shard.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }

  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

/// Runs the loop. A handler that throws std::bad_alloc is lost; its task ends, the others go on.
/// Other exceptions do not get here: supervised tasks report them.
void run_loop(boost::asio::io_context& io) {
  while (true) {
    try {
      io.run();
      return;
    } catch (const std::bad_alloc&) {
      base::note_lost_handler();
    } catch (const boost::asio::multiple_exceptions& several) {  // within one turn of the loop
      if (!base::is_lack_of_memory(several.first_exception())) throw;
      base::note_lost_handler();
    }
  }
}

}  // namespace

// Concurrency hint 1: one thread runs the loop, though any thread may post to it.
Shard::Shard() : deadlines_(io_), lingering_(io_), io_(1) {}

// What is closed while the loop is destroyed must not start anything on it.
Shard::~Shard() {
  deadlines_.end();
  lingering_.end();
}

std::chrono::nanoseconds Shard::silence(base::SteadyTime now) {
  if (!answered_.load(std::memory_order_acquire)) return now - asked_at_;
  asked_at_ = now;
  answered_.store(false, std::memory_order_relaxed);
  boost::asio::post(io_, [this] { answered_.store(true, std::memory_order_release); });
  return std::chrono::nanoseconds(0);
}

ShardPool::ShardPool(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    shards_.push_back(std::make_unique<Shard>());
    work_.emplace_back(shards_.back()->executor());
  }
}

ShardPool::~ShardPool() {
  stop();
  join();
}

std::vector<base::Executor> ShardPool::executors() {
  std::vector<base::Executor> all;
  all.reserve(shards_.size());
  for (const auto& shard : shards_) all.push_back(shard->executor());
  return all;
}

std::chrono::nanoseconds ShardPool::silence(base::SteadyTime now) {
  std::chrono::nanoseconds longest{0};
  for (const auto& shard : shards_) longest = std::max(longest, shard->silence(now));
  return longest;
}

void ShardPool::run() {
  const SignalsBlocked blocked;
  for (const auto& shard : shards_) {
    threads_.emplace_back([&io = shard->io()] { run_loop(io); });
  }
}

void ShardPool::stop() noexcept {
  for (const auto& shard : shards_) shard->io().stop();
}

void ShardPool::join() { threads_.clear(); }

}  // namespace relay::net
