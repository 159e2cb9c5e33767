// Limits how often something may happen per key: token buckets in a table of bounded size
// (guarantee "A rate puts off, and debts are not washed away").
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

/// Allows `count` at once, and `count` more spread evenly over `span`. A count of 0 allows nothing.
struct Rate {
  std::uint32_t count = 0;
  std::chrono::seconds span{3600};

  friend bool operator==(const Rate&, const Rate&) = default;
};

/// Thread-safe. The rate is an argument, so that a reload changes it for keys that are known
/// already. Nobody owes more than a whole bucket of the new rate.
///
/// When the table is full, the key whose bucket will be full soonest is forgotten: first keys that
/// owe nothing, whose loss changes nothing; then, when all are in debt, the key with the least
/// debt. So nobody gets rid of a debt by appearing under many other names, because each of these
/// would have to owe more. When all keys owe much, new keys replace each other and are hardly
/// counted; therefore callers also count the wider network of each client (origin.hpp). Each call
/// is O(log n).
class RateTable {
 public:
  explicit RateTable(std::size_t max_keys = 16'384) : max_keys_(max_keys) {}

  /// Takes one token; false when none is left.
  bool take(std::string_view key, const Rate& rate, SteadyTime now);

  /// Adds `amount` to what is used, even beyond the limit; `used` is capped at the full bucket, so
  /// the debt is gone after `rate.span` at the latest.
  void charge(std::string_view key, const Rate& rate, SteadyTime now, double amount);

  /// Whether take() would succeed. Takes nothing.
  bool allows(std::string_view key, const Rate& rate, SteadyTime now);

  /// Gives back `amount` of what was taken, or what is left of it. Allocates nothing.
  void give_back(std::string_view key, const Rate& rate, SteadyTime now, double amount);

  /// The part of the bucket that is used: 0 (nothing is owed) to 1. Precondition: the count is not
  /// 0.
  double debt(std::string_view key, const Rate& rate, SteadyTime now);

  std::size_t size() const;

 private:
  struct Bucket {
    double used = 0;  ///< falls to 0 as time passes
    SteadyTime at;
    SteadyTime full_at;     ///< when `used` will have fallen to 0, at the rate of the last call
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
  /// The bucket of this key, drained up to `now`; made when missing.
  Bucket& fetch(std::string_view key, const Rate& rate, SteadyTime now);
  void use(Bucket& bucket, const Rate& rate, double amount);
  void forget_fullest();
  void put(std::size_t place, Entry* entry);
  void restore_order(std::size_t place);

  const std::size_t max_keys_;
  mutable std::mutex mutex_;
  Buckets buckets_;
  std::vector<Entry*> queue_;  ///< a heap; in front the entry whose bucket is full soonest
};

}  // namespace relay::base
