#include "relay/app/reload_thread.hpp"

#include <exception>
#include <string>
#include <utility>

#include "relay/base/stderr_line.hpp"

namespace relay::app {

namespace {

ops::ReloadResult not_applied(std::string why) {
  ops::ReloadResult result;
  result.problems.push_back(std::move(why));
  return result;
}

ops::ReloadResult too_late() { return not_applied("the relay is shutting down"); }

/// If the work throws, for example for lack of memory, it is skipped.
void supervised(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& problem) {
    base::say_on_stderr(base::Severity::Error,
                        std::string("srs-relay: reload thread: ") + problem.what());
  }
}

}  // namespace

ReloadThread::ReloadThread(Work work) : work_(std::move(work)), thread_([this] { loop(); }) {}

ReloadThread::~ReloadThread() {
  give_up();
  const std::lock_guard lock(mutex_);
  ended_ = true;
  wake_.notify_one();
}

void ReloadThread::ask(ops::Asker asker, Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    if (!gave_up_) {
      waiting_.push_back({std::move(asker), std::move(answer)});
      wake_.notify_one();
      return;
    }
  }
  answer(too_late());
}

void ReloadThread::give_up() {
  std::vector<Request> left;
  {
    const std::lock_guard lock(mutex_);
    gave_up_ = true;
    left.swap(waiting_);
    for (Request& request : under_way_) left.push_back(std::move(request));
    under_way_.clear();
  }
  tell(std::move(left), too_late());
}

bool ReloadThread::has_given_up() const {
  const std::lock_guard lock(mutex_);
  return gave_up_;
}

bool ReloadThread::is_busy() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

void ReloadThread::loop() {
  supervised(work_.at_start);
  std::unique_lock lock(mutex_);
  busy_ = false;
  while (!ended_) {
    const auto wanted = [this] { return ended_ || !waiting_.empty(); };
    if (untidy_) {
      wake_.wait_for(lock, kTidyStep, wanted);
    } else {
      wake_.wait(lock, wanted);
    }
    busy_ = true;
    if (!waiting_.empty()) serve(lock);
    lock.unlock();
    bool untidy = false;
    supervised([&] { untidy = work_.tidy(); });
    lock.lock();
    untidy_ = untidy;
    busy_ = false;
  }
}

void ReloadThread::serve(std::unique_lock<std::mutex>& lock) {
  under_way_ = std::exchange(waiting_, {});
  std::vector<ops::Asker> asked_by;
  for (const Request& request : under_way_) asked_by.push_back(request.asker);
  lock.unlock();
  ops::ReloadResult result;
  try {
    result = work_.reload(asked_by);
  } catch (const std::exception& problem) {
    result = not_applied(problem.what());
  }
  lock.lock();
  auto served = std::exchange(under_way_, {});
  lock.unlock();
  tell(std::move(served), result);
  lock.lock();
}

void ReloadThread::tell(std::vector<Request> requests, const ops::ReloadResult& result) {
  for (Request& request : requests) request.answer(result);
}

}  // namespace relay::app
