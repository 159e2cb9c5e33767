// How often something may happen, per key: token buckets in a table that cannot grow without bound.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "relay/base/time.hpp"

namespace relay::base {

/// `count` at once, and as many again spread evenly over `span`. A count of 0 allows nothing.
struct Rate {
  std::uint32_t count = 0;
  std::chrono::seconds span{3600};
};

/// Thread-safe. The rate is an argument, so that a reload changes it for keys already known. When
/// the table is full, the key that was quiet for longest is forgotten: its bucket is the fullest.
class RateTable {
 public:
  explicit RateTable(std::size_t max_keys = 16'384) : max_keys_(max_keys) {}

  /// Takes one; false when there is none left.
  bool take(std::string_view key, const Rate& rate, SteadyTime now);

  /// Adds `amount` to what is used, whether there was room or not; then nothing is left for as long
  /// as a full bucket takes to drain, at most.
  void charge(std::string_view key, const Rate& rate, SteadyTime now, double amount);

  /// Whether take() would succeed.
  bool allows(std::string_view key, const Rate& rate, SteadyTime now);

  std::size_t size() const;

 private:
  struct Bucket {
    std::string key;
    double used = 0;  ///< falls to 0 as time passes
    SteadyTime at;
  };

  using Buckets = std::list<Bucket>;  ///< most recently used first

  static void drain(Bucket& bucket, const Rate& rate, SteadyTime now);
  Bucket* find(std::string_view key);
  Bucket& add(std::string_view key, SteadyTime now);
  /// The bucket of this key as it is now, made when missing, and in front of all others.
  Bucket& fetch(std::string_view key, const Rate& rate, SteadyTime now);

  const std::size_t max_keys_;
  mutable std::mutex mutex_;
  Buckets buckets_;
  std::unordered_map<std::string_view, Buckets::iterator> index_;  ///< keys live in buckets_
};

}  // namespace relay::base
