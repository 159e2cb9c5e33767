#include "relay/base/errands.hpp"

#include <exception>
#include <new>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace relay::base {

Errands::Errands(Executor executor, std::size_t kinds)
    : executor_(std::move(executor)), tally_(std::make_shared<Tally>()) {
  tally_->open.resize(kinds);
}

void Errands::send(std::string name, Task<> errand, std::size_t kind) {
  auto waiting = waiting_.lock();
  if (!waiting) waiting = std::make_shared<Waiting>();
  waiting_ = waiting;
  std::size_t& open = tally_->open.at(kind);
  const std::size_t before = open++;
  try {
    spawn_supervised(executor_, std::move(name),
                     run(tally_, std::move(waiting), kind, std::move(errand)));
  } catch (...) {
    open = before;
    throw;
  }
}

Task<> Errands::run(std::shared_ptr<Tally> tally, std::shared_ptr<Waiting> waiting,
                    std::size_t kind, Task<> errand) {
  // Tells the waiting task when this coroutine ends, even where Asio destroys it: Asio does so,
  // instead of throwing, when a wait cannot begin for lack of memory. When the shard itself ends,
  // coroutines are destroyed outside of its thread; then nobody is resumed.
  struct End {
    const Executor executor;
    const std::shared_ptr<Tally> tally;
    const std::shared_ptr<Waiting> waiting;
    const std::size_t kind;
    bool is_told = false;

    void tell() {
      is_told = true;
      --tally->open[kind];
      if (!waiting->task) return;
      // Posted, so that everything that ends together with this errand is counted before the
      // waiting task goes on. Without memory to post, the task goes on at once.
      try {
        boost::asio::post(executor, [waiting = waiting] { go_on(*waiting); });
      } catch (const std::bad_alloc&) {
        go_on(*waiting);
      }
    }

    static void go_on(Waiting& waiting) {
      if (auto task = std::exchange(waiting.task, std::nullopt)) std::move (*task)(true);
    }

    ~End() {
      if (is_told || !executor.running_in_this_thread()) return;
      tally->failed = tally->lacked_memory = true;
      tell();
    }
  };

  const Executor executor = co_await boost::asio::this_coro::executor;
  End end{.executor = executor, .tally = tally, .waiting = waiting, .kind = kind};
  std::exception_ptr crash;
  try {
    co_await std::move(errand);
  } catch (const std::bad_alloc&) {
    tally->failed = tally->lacked_memory = true;
  } catch (...) {
    tally->failed = true;
    crash = std::current_exception();
  }
  end.tell();
  if (crash) std::rethrow_exception(crash);
}

Task<> Errands::next_end() {
  if (waiting_.expired()) co_return;
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void(bool)>(
      [waiting = waiting_](auto handler) { waiting.lock()->task.emplace(std::move(handler)); },
      use_task);
}

}  // namespace relay::base
