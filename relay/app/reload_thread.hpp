// Reloads, one after another, on a thread that serves nobody.
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
    /// May throw; those who asked are told.
    std::function<ops::ReloadResult(const std::vector<ops::Asker>& asked_by)> reload;
    /// From time to time, as long as it says that there is more to do.
    std::function<bool()> tidy;
  };

  explicit ReloadThread(Work work);
  /// Waits for what is under way.
  ~ReloadThread();

  /// Who asks while a reload is under way cannot know whether it has seen his file: he is answered
  /// by the next one, together with all others who wait then. `answer` is called on this thread or,
  /// after give_up(), on the caller's.
  void ask(ops::Asker asker, Answer answer);

  /// Nothing is applied from now on, and everybody is told so at once; a reload under way ends in
  /// its own time.
  void give_up();

  bool has_given_up() const;

  /// Whether something is under way, which the destructor would wait for.
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
