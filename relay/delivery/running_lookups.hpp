// The look-ups of hosts that are under way, so that a stop can end them. Thread-safe.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <utility>

#include <boost/asio/post.hpp>

#include "relay/base/cut.hpp"
#include "relay/base/task.hpp"

namespace relay::delivery {

class RunningLookups {
  using Running = std::pair<base::Executor, std::shared_ptr<base::Cut>>;

 public:
  /// Belongs to the task of a look-up, on whose shard it lives.
  class Entry {
   public:
    Entry(std::shared_ptr<RunningLookups> all, base::Executor shard)
        : all_(std::move(all)), at_(all_->add({std::move(shard), cut_})) {}

    ~Entry() { all_->remove(at_); }

    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    base::Cut* cut() { return cut_.get(); }

   private:
    std::shared_ptr<RunningLookups> all_;
    std::shared_ptr<base::Cut> cut_ = std::make_shared<base::Cut>();
    std::list<Running>::iterator at_;
  };

  /// Ends all of them, and those that begin later.
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    for (const Running& one : running_) {
      boost::asio::post(one.first, [cut = one.second] { cut->make(); });
    }
  }

 private:
  std::list<Running>::iterator add(Running one) {
    const std::lock_guard lock(mutex_);
    if (ended_) one.second->make();
    return running_.insert(running_.end(), std::move(one));
  }

  void remove(std::list<Running>::iterator one) {
    const std::lock_guard lock(mutex_);
    running_.erase(one);
  }

  std::mutex mutex_;
  std::list<Running> running_;
  bool ended_ = false;
};

}  // namespace relay::delivery
