// Ends a wait early, from outside of the waiting task.
#pragma once

#include <functional>
#include <utility>

namespace relay::base {

/// Belongs to one task; each Deadline of the task points to it (time.hpp). After make(), the
/// operation in flight and all later ones end as if their deadline had passed. Used on the task's
/// own shard only.
class Cut {
 public:
  bool made() const { return made_; }

  void make() {
    made_ = true;
    if (interrupt_) interrupt_();
  }

  /// Exists while an operation waits. make() calls `interrupt`, which must not resume a coroutine
  /// before it returns.
  class Wait {
   public:
    /// `cut` may be null: nobody can end this wait early.
    Wait(Cut* cut, std::function<void()> interrupt) : cut_(cut) {
      if (cut_ != nullptr) cut_->interrupt_ = std::move(interrupt);
    }

    ~Wait() {
      if (cut_ != nullptr) cut_->interrupt_ = nullptr;
    }

    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    Cut* cut_;
  };

 private:
  bool made_ = false;
  std::function<void()> interrupt_;
};

}  // namespace relay::base
