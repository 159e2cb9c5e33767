#include "relay/app/idle_thread.hpp"

#include <exception>
#include <utility>

#include <sched.h>

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
  const sched_param none{};
  is_idle_ = ::sched_setscheduler(0, SCHED_IDLE, &none) == 0;
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
