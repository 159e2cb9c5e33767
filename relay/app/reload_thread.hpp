// Makes reloads, one after another, on its own thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "relay/ops/controls.hpp"

namespace relay::app {

/// Thread-safe.
class ReloadThread {
 public:
  using Answer = std::move_only_function<void(ops::ReloadResult)>;

  struct Work {
    std::function<void()> at_start;
    /// May throw; the error is passed on to those who asked.
    std::function<ops::ReloadResult(const std::vector<ops::Asker>& asked_by)> reload;
    /// Called from time to time while it returns true (there is more to do).
    std::function<bool()> tidy;
  };

  explicit ReloadThread(Work work);
  /// Waits for the reload under way.
  ~ReloadThread();

  /// Requests that come during a reload are answered by the next one, all together, because the
  /// reload under way may have read the files before they changed. `answer` is called on this
  /// thread, or on the caller's after give_up().
  void ask(ops::Asker asker, Answer answer);

  /// No reload is applied after this, and all who wait are told so at once. A reload under way ends
  /// by itself.
  void give_up();

  bool has_given_up() const;

  /// Whether work is under way that the destructor would wait for.
  bool is_busy() const;

 private:
  struct Request {
    ops::Asker asker;
    Answer answer;
  };

  static constexpr std::chrono::seconds kTidyStep{1};

  void loop();
  void serve(std::unique_lock<std::mutex>& lock);
  static void tell(std::vector<Request> requests, const ops::ReloadResult& result);

  const Work work_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Request> waiting_;
  std::vector<Request> under_way_;
  bool gave_up_ = false;
  bool busy_ = true;
  bool untidy_ = false;
  bool ended_ = false;
  std::jthread thread_;
};

}  // namespace relay::app
