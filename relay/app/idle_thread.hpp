// A thread for long work, which gets what those who serve leave of the processors.
#pragma once

#include <functional>
#include <semaphore>
#include <thread>

namespace relay::app {

/// Work here must hold no lock that a shard may want (it writes no log line, publishes nothing,
/// posts nothing): whoever is scheduled last would let them wait for him. An unprivileged thread
/// cannot leave this priority again, therefore it is a thread of its own.
class IdleThread {
 public:
  IdleThread();
  ~IdleThread();

  IdleThread(const IdleThread&) = delete;
  IdleThread& operator=(const IdleThread&) = delete;

  /// Runs it there and blocks the caller until its end; an exception of it is thrown here. One
  /// caller at a time.
  void run(const std::function<void()>& work);

  /// Whether the system has granted the priority. Without it the work runs like any other.
  bool is_idle() const { return is_idle_; }

 private:
  void loop();

  // Semaphores and no mutex: a thread that is put aside while it holds one holds up the other.
  std::binary_semaphore begin_{0};
  std::binary_semaphore end_{0};
  const std::function<void()>* work_ = nullptr;  ///< null: the end
  std::exception_ptr error_;
  bool is_idle_ = false;
  std::jthread thread_;
};

}  // namespace relay::app
