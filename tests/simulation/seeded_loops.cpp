#include "tests/simulation/seeded_loops.hpp"

#include <algorithm>
#include <numeric>

namespace relay::simulation {

SeededLoops::SeededLoops(std::size_t count, Order order, Random random)
    : loops_(count), order_(order), random_(random), ranks_(count) {
  std::iota(ranks_.begin(), ranks_.end(), 0U);
}

SeededLoops::~SeededLoops() { halt(); }

std::vector<base::Executor> SeededLoops::executors() {
  std::vector<base::Executor> all;
  for (Loop& loop : loops_) all.push_back(loop.io.get_executor());
  return all;
}

/// Puts the loops into the order in which they are polled; returns where to begin.
std::size_t SeededLoops::first_choice() {
  if (ranks_.size() == 1) return 0;
  if (order_ == Order::Any) return random_.below(ranks_.size());
  if (until_change_ > 0) {
    --until_change_;
    return 0;
  }
  until_change_ = static_cast<std::size_t>(random_.between(1, order_ == Order::Sticky ? 12 : 200));
  for (std::size_t i = ranks_.size(); i > 1; --i) {
    std::swap(ranks_[i - 1], ranks_[random_.below(i)]);
  }
  return 0;
}

bool SeededLoops::run_one() {
  const std::size_t first = first_choice();
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    Loop& loop = loops_[ranks_[(first + i) % ranks_.size()]];
    if (!loop.delayed && loop.io.poll_one() > 0) return true;
  }
  return false;
}

std::optional<std::size_t> SeededLoops::run_dry(std::size_t limit) {
  std::size_t run = 0;
  while (run_one()) {
    if (++run > limit) return std::nullopt;
  }
  return run;
}

bool SeededLoops::run_some(std::size_t handlers) {
  for (std::size_t run = 0; run < handlers; ++run) {
    if (!run_one()) return true;
  }
  return false;
}

void SeededLoops::halt() {
  // Destroying a coroutine in one loop may wake one in another.
  for (int round = 0; round < 3; ++round) {
    for (Loop& loop : loops_) loop.io.halt();
  }
}

}  // namespace relay::simulation
