// Shards without threads: the ready handlers of several loops run one at a time, in an order that
// the seed chooses.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "relay/base/task.hpp"
#include "tests/simulation/random.hpp"

namespace relay::simulation {

/// Handlers of one loop run in the order in which they became ready, as those of a thread do. A
/// delayed loop runs nothing until it is let go: a thread that gets no processor.
class SeededLoops {
 public:
  /// How the next loop is chosen. Different choices reveal different mistakes.
  enum class Order {
    Any,     ///< each time anew
    Sticky,  ///< goes on with the same loop for a while
    Ranked,  ///< the first of a list that is shuffled now and then: one loop falls far behind
  };

  SeededLoops(std::size_t count, Order order, Random random);
  SeededLoops(const SeededLoops&) = delete;
  SeededLoops& operator=(const SeededLoops&) = delete;

  /// Handlers that are still waiting are destroyed, not run. Owners of handlers kept elsewhere must
  /// drop them between halt() and this.
  ~SeededLoops();

  std::size_t count() const { return loops_.size(); }

  base::Executor executor(std::size_t loop) { return loops_[loop].io.get_executor(); }

  std::vector<base::Executor> executors();

  void delay(std::size_t loop, bool delayed) { loops_[loop].delayed = delayed; }

  bool delayed(std::size_t loop) const { return loops_[loop].delayed; }

  /// Runs until no loop has a handler that may run. Returns how many ran; nullopt: more than
  /// `limit`.
  std::optional<std::size_t> run_dry(std::size_t limit);

  /// Runs at most so many handlers. True: none is left that may run.
  bool run_some(std::size_t handlers);

  /// Destroys all waiting handlers, repeatedly while that creates new ones.
  void halt();

 private:
  struct Context : boost::asio::io_context {
    // One thread for all loops: no locks.
    Context() : io_context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE) {}

    void halt() { shutdown(); }
  };

  struct Loop {
    Context io;
    boost::asio::executor_work_guard<base::Executor> open{io.get_executor()};
    bool delayed = false;
  };

  bool run_one();
  std::size_t first_choice();

  std::deque<Loop> loops_;
  Order order_;
  Random random_;
  std::vector<std::size_t> ranks_;
  std::size_t until_change_ = 0;
};

}  // namespace relay::simulation
