#include "relay/base/errands.hpp"

#include <new>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "relay/base/spawn.hpp"

namespace relay::base {

namespace {

Task<> noting_failure(Task<> task, std::exception_ptr& first) {
  try {
    co_await std::move(task);
  } catch (...) {
    if (!first) first = std::current_exception();
  }
}

}  // namespace

Errands::Errands(Executor executor, std::size_t kinds)
    : executor_(std::move(executor)), tally_(std::make_shared<Tally>()) {
  tally_->open.resize(kinds);
}

void Errands::send(std::string name, Task<> errand, std::size_t kind) {
  auto waiting = waiting_.lock();
  if (!waiting) waiting = std::make_shared<Waiting>();
  waiting_ = waiting;
  std::size_t& open = tally_->open.at(kind);
  ++open;  // it begins at once, and may look
  try {
    spawn(executor_, std::move(errand),
          [told = Errand{executor_, std::move(name), tally_, std::move(waiting), kind}](
              const std::exception_ptr& error) { told.end(error); });
  } catch (...) {
    --open;
    throw;
  }
}

void Errands::Errand::end(const std::exception_ptr& error) const {
  --tally->open[kind];
  if (error) {
    tally->failed = true;
    if (is_lack_of_memory(error)) {
      tally->lacked_memory = true;
    } else {
      report_crash(name, error);
    }
  }
  if (!*waiting) return;
  // Posted, so that everything that ends together with this errand is counted before the waiting
  // task goes on. Without memory to post, the task goes on at once.
  try {
    boost::asio::post(executor, [waiting = waiting] { waiting->go_on(); });
  } catch (const std::bad_alloc&) {
    waiting->go_on();
  }
}

Task<> run_all(std::vector<Task<>> tasks) {
  Errands errands(co_await boost::asio::this_coro::executor);
  std::exception_ptr first;
  try {
    for (Task<>& task : tasks) errands.send("one of many", noting_failure(std::move(task), first));
  } catch (const std::bad_alloc&) {
    first = std::current_exception();
  }
  while (errands.open() > 0) co_await errands.next_end();
  if (!first && errands.lacked_memory()) throw std::bad_alloc();
  if (first) std::rethrow_exception(first);
}

}  // namespace relay::base
