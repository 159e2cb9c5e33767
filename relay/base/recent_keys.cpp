#include "relay/base/recent_keys.hpp"

namespace relay::base {

void RecentKeys::note(std::string_view key, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const auto known = index_.find(key);
  if (known != index_.end()) {
    entries_.splice(entries_.begin(), entries_, known->second);
    entries_.front().at = now;
    return;
  }
  while (!entries_.empty() &&
         (entries_.size() >= max_keys_ || now - entries_.back().at > memory_)) {
    forget_last();
  }
  entries_.push_front({std::string(key), now});
  index_.emplace(entries_.front().key, entries_.begin());
}

void RecentKeys::forget_last() {
  index_.erase(entries_.back().key);
  entries_.pop_back();
}

bool RecentKeys::knows(std::string_view key, SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  const auto known = index_.find(key);
  return known != index_.end() && now - known->second->at <= memory_;
}

std::size_t RecentKeys::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace relay::base
