#include "relay/base/rate_table.hpp"

#include <algorithm>

namespace relay::base {

void RateTable::drain(Bucket& bucket, const Rate& rate, SteadyTime now) {
  const std::chrono::duration<double> passed = now - bucket.at;
  const double span = std::max<double>(1, static_cast<double>(rate.span.count()));
  if (passed.count() > 0) {
    bucket.used = std::max(0.0, bucket.used - passed.count() * rate.count / span);
    bucket.at = now;
  }
}

RateTable::Bucket* RateTable::find(std::string_view key) {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &*found->second;
}

RateTable::Bucket& RateTable::add(std::string_view key, SteadyTime now) {
  if (buckets_.size() >= max_keys_) {
    index_.erase(buckets_.back().key);
    buckets_.pop_back();
  }
  buckets_.push_front({std::string(key), 0, now});
  index_.emplace(buckets_.front().key, buckets_.begin());
  return buckets_.front();
}

RateTable::Bucket& RateTable::fetch(std::string_view key, const Rate& rate, SteadyTime now) {
  Bucket* bucket = find(key);
  if (bucket == nullptr) bucket = &add(key, now);
  buckets_.splice(buckets_.begin(), buckets_, index_.at(bucket->key));
  drain(*bucket, rate, now);
  return *bucket;
}

bool RateTable::take(std::string_view key, const Rate& rate, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Bucket& bucket = fetch(key, rate, now);
  if (bucket.used + 1 > rate.count) return false;
  bucket.used += 1;
  return true;
}

void RateTable::charge(std::string_view key, const Rate& rate, SteadyTime now, double amount) {
  const std::lock_guard lock(mutex_);
  Bucket& bucket = fetch(key, rate, now);
  bucket.used = std::min<double>(rate.count, bucket.used + amount);
}

bool RateTable::allows(std::string_view key, const Rate& rate, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Bucket* bucket = find(key);
  if (bucket == nullptr) return rate.count > 0;
  drain(*bucket, rate, now);
  return bucket->used + 1 <= rate.count;
}

std::size_t RateTable::size() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

}  // namespace relay::base
