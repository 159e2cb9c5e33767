#include "relay/app/idle_thread.hpp"

#include <exception>
#include <utility>

#include <sys/resource.h>

namespace relay::app {

IdleThread::IdleThread() : thread_([this] { loop(); }) { end_.acquire(); }

IdleThread::~IdleThread() {
  work_ = nullptr;
  begin_.release();
}

void IdleThread::run(const std::function<void()>& work) {
  work_ = &work;
  begin_.release();
  end_.acquire();
  if (auto error = std::exchange(error_, nullptr)) std::rethrow_exception(error);
}

void IdleThread::loop() {
  // Not SCHED_IDLE: a reload would take minutes on a host that is never idle.
  constexpr int kLast = 19;
  is_idle_ = ::setpriority(PRIO_PROCESS, 0, kLast) == 0;  // on Linux for this thread only
  end_.release();
  while (true) {
    begin_.acquire();
    if (work_ == nullptr) return;
    try {
      (*work_)();
    } catch (...) {
      error_ = std::current_exception();
    }
    end_.release();
  }
}

}  // namespace relay::app
