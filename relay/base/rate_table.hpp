// How often something may happen, per key: token buckets in a table that cannot grow without bound.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "relay/base/time.hpp"

namespace relay::base {

/// `count` at once, and as many again spread evenly over `span`. A count of 0 allows nothing.
struct Rate {
  std::uint32_t count = 0;
  std::chrono::seconds span{3600};
};

/// Thread-safe. The rate is an argument, so that a reload changes it for keys already known.
///
/// When the table is full, the key whose bucket is full soonest is forgotten: first those that owe
/// nothing any more, which costs nothing; then, when all are in debt, whoever owes least. So nobody
/// washes a debt away by coming under many other names: each of them must owe more. Where all owe
/// much, newcomers take each other's place and are hardly counted: that is why networks are counted
/// together with the wider ones around them. Each call is O(log n).
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
    double used = 0;  ///< falls to 0 as time passes
    SteadyTime at;
    SteadyTime full_at;     ///< when nothing will be used, at the rate of the last look
    std::size_t place = 0;  ///< in queue_
  };

  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  using Buckets = std::unordered_map<std::string, Bucket, Hash, std::equal_to<>>;
  using Entry = Buckets::value_type;

  static void drain(Bucket& bucket, const Rate& rate, SteadyTime now);
  Bucket* find(std::string_view key);
  Bucket& add(std::string_view key, SteadyTime now);
  /// The bucket of this key as it is now, made when missing.
  Bucket& fetch(std::string_view key, const Rate& rate, SteadyTime now);
  void use(Bucket& bucket, const Rate& rate, double amount);
  void forget_fullest();
  void put(std::size_t place, Entry* entry);
  void restore_order(std::size_t place);

  const std::size_t max_keys_;
  mutable std::mutex mutex_;
  Buckets buckets_;
  std::vector<Entry*> queue_;  ///< a heap: in front who is full soonest
};

}  // namespace relay::base
