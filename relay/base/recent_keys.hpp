// Keys that were seen lately, in a table of bounded size.
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "relay/base/time.hpp"

namespace relay::base {

/// Thread-safe. When the table is full, the key that was seen longest ago is forgotten.
class RecentKeys {
 public:
  /// `memory`: how long a key stays known after it was last seen.
  explicit RecentKeys(std::chrono::seconds memory, std::size_t max_keys = 16'384)
      : memory_(memory), max_keys_(max_keys) {}

  /// Records that the key was seen at `now`.
  void note(std::string_view key, SteadyTime now);

  /// Whether the key was seen within `memory` before `now`.
  bool knows(std::string_view key, SteadyTime now) const;

  std::size_t size() const;

 private:
  struct Entry {
    std::string key;
    SteadyTime at;
  };

  using Entries = std::list<Entry>;  ///< most recently seen first

  void forget_last();

  const std::chrono::seconds memory_;
  const std::size_t max_keys_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> index_;  ///< keys live in entries_
};

}  // namespace relay::base
