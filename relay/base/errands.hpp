// Child tasks of one task, and its wait for them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/task.hpp"

namespace relay::base {

/// Used on one shard only. An errand counts as open until it ends, in whatever way: normally, by an
/// exception, or because it could not be started. Exceptions are reported as by spawn_supervised();
/// lack of memory is not, but shows in lacked_memory().
/// Only the errands keep the waiting task alive, never the reverse: when the shard ends, what is
/// left is destroyed, and no cycle keeps itself alive.
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

  /// Waits until the next errand of any kind ends; returns at once when none is under way. Only one
  /// task at a time may wait. Not cancellable.
  Task<> next_end();

 private:
  struct Tally {
    std::vector<std::size_t> open;
    bool failed = false;
    bool lacked_memory = false;
  };

  /// Made before the wait: allocating while a task is being suspended could throw into a task that
  /// sleeps already.
  struct Waiting {
    std::optional<
        boost::asio::async_result<boost::asio::use_awaitable_t<Executor>, void(bool)>::handler_type>
        task;
  };

  static Task<> run(std::shared_ptr<Tally> tally, std::shared_ptr<Waiting> waiting,
                    std::size_t kind, Task<> errand);

  const Executor executor_;
  const std::shared_ptr<Tally> tally_;
  std::weak_ptr<Waiting> waiting_;
};

}  // namespace relay::base
