// A low-priority thread for long work, so that the threads that serve mail come first.
#pragma once

#include <functional>
#include <semaphore>
#include <thread>

namespace relay::app {

/// The work must not take a lock that a shard may need (no log lines, no publishing, no posting):
/// the shard would have to wait until this thread, which is scheduled last, releases it. A thread
/// of its own, because an unprivileged thread cannot raise its priority again.
class IdleThread {
 public:
  IdleThread();
  ~IdleThread();

  IdleThread(const IdleThread&) = delete;
  IdleThread& operator=(const IdleThread&) = delete;

  /// Runs `work` there and blocks the caller until it ends; rethrows its exception. One caller at a
  /// time.
  void run(const std::function<void()>& work);

  /// Whether the system has granted the low priority; if not, the work runs at normal priority.
  bool is_idle() const { return is_idle_; }

 private:
  void loop();

  // Semaphores instead of a mutex: a thread that is suspended while holding a mutex blocks the
  // other.
  std::binary_semaphore begin_{0};
  std::binary_semaphore end_{0};
  const std::function<void()>* work_ = nullptr;  ///< null: end the thread
  std::exception_ptr error_;
  bool is_idle_ = false;
  std::jthread thread_;
};

}  // namespace relay::app
