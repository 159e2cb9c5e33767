// n tasks that one task has started, and its wait for them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/task.hpp"

namespace relay::base {

/// All of it on one shard. An errand counts as open until it has ended, however: its end, any
/// exception (reported as spawn_supervised does, but for a lack of memory, of which the sender is
/// told), and a start that fails leave the count as it was.
/// The errands alone keep the task that waits for them alive, and not the other way round: what is
/// left when the shard ends is destroyed, and nothing keeps itself.
class Errands {
 public:
  /// `kinds` kinds of errands are counted apart, from 0.
  explicit Errands(Executor executor, std::size_t kinds = 1);
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;
  ~Errands() = default;

  /// Begins one, at once on its own shard. May outlive this object. Throws when there is no memory
  /// for it.
  void send(std::string name, Task<> errand, std::size_t kind = 0);

  /// Of that kind, how many are under way.
  std::size_t open(std::size_t kind = 0) const { return tally_->open.at(kind); }

  bool any_failed() const { return tally_->failed; }

  bool lacked_memory() const { return tally_->lacked_memory; }

  /// Waits until the next one has ended; at once when none is under way. One task at a time. Not
  /// cancellable.
  Task<> next_end();

 private:
  struct Tally {
    std::vector<std::size_t> open;
    bool failed = false;
    bool lacked_memory = false;
  };

  /// Needs no memory: what fails while a task is put to sleep would be thrown into one that sleeps.
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
