// Child tasks of one task, and its wait for them.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include "relay/base/task.hpp"

namespace relay::base {

/// Used on one shard only. An errand counts as open until it ends, in whatever way: normally, by an
/// exception, or because there is no memory to go on with it. Exceptions are reported as by
/// spawn_supervised(); lack of memory is not, but shows in lacked_memory(). Only the errands keep
/// the waiting task alive, never the reverse: when the shard ends, what is left is destroyed, and
/// no cycle keeps itself alive.
class Errands {
 public:
  /// Errands are counted by kind: 0 to `kinds` - 1.
  explicit Errands(Executor executor, std::size_t kinds = 1);
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;
  ~Errands() = default;

  /// Starts `errand` at once on the shard of the executor. It may outlive this object. Throws when
  /// there is no memory to start it.
  void send(std::string name, Task<> errand, std::size_t kind = 0);

  /// How many errands of this kind are under way.
  std::size_t open(std::size_t kind = 0) const { return tally_->open.at(kind); }

  bool any_failed() const { return tally_->failed; }

  bool lacked_memory() const { return tally_->lacked_memory; }

  /// To be awaited while an errand is open: until the next one of any kind ends. Only one task at a
  /// time may wait. Not cancellable. Takes no memory, so that the wait cannot fail: errands may
  /// work on what belongs to the waiting task.
  auto next_end() {
    return boost::asio::async_initiate<const boost::asio::deferred_t, void(bool)>(
        [waiting = waiting_](auto handler) { waiting.lock()->begin(std::move(handler)); },
        boost::asio::deferred);
  }

 private:
  struct Tally {
    std::vector<std::size_t> open;
    bool failed = false;
    bool lacked_memory = false;
  };

  class Waiting {
   public:
    template <class Handler>
    void begin(Handler handler) {
      // Otherwise std::move_only_function would allocate memory for it.
      static_assert(sizeof(handler) <= 2 * sizeof(void*));
      static_assert(std::is_nothrow_move_constructible_v<Handler>);
      task_ = std::move(handler);
    }

    explicit operator bool() const { return static_cast<bool>(task_); }

    void go_on() {
      if (auto task = std::exchange(task_, nullptr)) std::move(task)(true);
    }

   private:
    std::move_only_function<void(bool) &&> task_;
  };

  struct Errand {
    Executor executor;
    std::string name;
    std::shared_ptr<Tally> tally;
    std::shared_ptr<Waiting> waiting;
    std::size_t kind;

    void end(const std::exception_ptr& error) const;
  };

  const Executor executor_;
  const std::shared_ptr<Tally> tally_;
  std::weak_ptr<Waiting> waiting_;  ///< made before the wait, with the first errand
};

/// Runs all tasks concurrently on the caller's shard; the caller goes on when the last one that has
/// begun has ended, so they may work on what belongs to the caller. Then the first exception that
/// one of them ended with is thrown, or std::bad_alloc if there was no memory for all of them.
Task<> run_all(std::vector<Task<>> tasks);

}  // namespace relay::base
