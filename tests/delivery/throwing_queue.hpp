// A queue that throws where a program that has run out of memory would.
#pragma once

#include <new>
#include <utility>

#include "tests/controls/passing_queue.hpp"

namespace relay::delivery {

class ThrowingQueue final : public controls::PassingQueue {
 public:
  using PassingQueue::PassingQueue;

  bool throws_next = true;  ///< the next record(), before it has done anything

  Answer<ports::RecordAnswer> record(ports::Update update) override {
    if (std::exchange(throws_next, false)) throw std::bad_alloc();
    return below().record(std::move(update));
  }
};

}  // namespace relay::delivery
