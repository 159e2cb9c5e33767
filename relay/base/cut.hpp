// Ends a wait from outside, as a deadline that comes early does.
#pragma once

#include <functional>
#include <utility>

namespace relay::base {

/// Belongs to a task; deadlines carry it to whatever the task waits for (time.hpp). Once made, the
/// operation in flight and all later ones end as at their deadline. Used on the task's own shard
/// only.
class Cut {
 public:
  bool made() const { return made_; }

  void make() {
    made_ = true;
    if (interrupt_) interrupt_();
  }

  /// While an operation waits. Must not resume anybody before it returns.
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
