#include "relay/base/rate_table.hpp"

#include <algorithm>

namespace relay::base {

namespace {

double span_of(const Rate& rate) {
  return std::max<double>(1, static_cast<double>(rate.span.count()));
}

}  // namespace

void RateTable::drain(Bucket& bucket, const Rate& rate, SteadyTime now) {
  // A debt from before a reload to a smaller rate would otherwise last for many spans.
  bucket.used = std::min<double>(bucket.used, rate.count);
  const std::chrono::duration<double> passed = now - bucket.at;
  if (passed.count() > 0) {
    bucket.used = std::max(0.0, bucket.used - passed.count() * rate.count / span_of(rate));
    bucket.at = now;
  }
}

RateTable::Bucket* RateTable::find(std::string_view key) {
  const auto found = buckets_.find(key);
  return found == buckets_.end() ? nullptr : &found->second;
}

RateTable::Bucket& RateTable::add(std::string_view key, SteadyTime now) {
  if (!queue_.empty() && buckets_.size() >= max_keys_) forget_fullest();
  if (queue_.size() == queue_.capacity()) queue_.reserve(2 * queue_.size() + 16);
  const auto made = buckets_.emplace(key, Bucket{.at = now, .full_at = now}).first;
  // Nothing throws from here on, so no bucket is ever without its place in the queue.
  queue_.push_back(&*made);
  made->second.place = queue_.size() - 1;
  restore_order(made->second.place);
  return made->second;
}

RateTable::Bucket& RateTable::fetch(std::string_view key, const Rate& rate, SteadyTime now) {
  Bucket* bucket = find(key);
  if (bucket == nullptr) bucket = &add(key, now);
  drain(*bucket, rate, now);
  return *bucket;
}

void RateTable::use(Bucket& bucket, const Rate& rate, double amount) {
  bucket.used = std::clamp<double>(bucket.used + amount, 0, rate.count);
  const double share = rate.count == 0 ? 0 : bucket.used / rate.count;
  const std::chrono::duration<double> debt(share * span_of(rate));
  bucket.full_at = bucket.at + std::chrono::duration_cast<SteadyTime::duration>(debt);
  restore_order(bucket.place);
}

bool RateTable::take(std::string_view key, const Rate& rate, SteadyTime now) {
  if (rate.count == 0) return false;
  const std::lock_guard lock(mutex_);
  Bucket& bucket = fetch(key, rate, now);
  if (bucket.used + 1 > rate.count) return false;
  use(bucket, rate, 1);
  return true;
}

void RateTable::charge(std::string_view key, const Rate& rate, SteadyTime now, double amount) {
  const std::lock_guard lock(mutex_);
  use(fetch(key, rate, now), rate, amount);
}

bool RateTable::allows(std::string_view key, const Rate& rate, SteadyTime now) {
  if (rate.count == 0) return false;
  const std::lock_guard lock(mutex_);
  Bucket* bucket = find(key);
  if (bucket == nullptr) return true;
  drain(*bucket, rate, now);
  return bucket->used + 1 <= rate.count;
}

void RateTable::give_back(std::string_view key, const Rate& rate, SteadyTime now, double amount) {
  const std::lock_guard lock(mutex_);
  Bucket* bucket = find(key);
  if (bucket == nullptr) return;  // forgotten, with all that it owed
  drain(*bucket, rate, now);
  use(*bucket, rate, -amount);
}

double RateTable::debt(std::string_view key, const Rate& rate, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Bucket* bucket = find(key);
  if (bucket == nullptr) return 0;
  drain(*bucket, rate, now);
  return bucket->used / rate.count;
}

std::size_t RateTable::size() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

// --- the heap

void RateTable::forget_fullest() {
  const Entry* fullest = queue_.front();
  put(0, queue_.back());
  queue_.pop_back();
  if (!queue_.empty()) restore_order(0);
  buckets_.erase(buckets_.find(fullest->first));
}

void RateTable::put(std::size_t place, Entry* entry) {
  queue_[place] = entry;
  entry->second.place = place;
}

/// Moves the entry at `place`, whose full_at has changed, to its place in the heap.
void RateTable::restore_order(std::size_t place) {
  Entry* const moved = queue_[place];
  const auto is_before = [](const Entry* a, const Entry* b) {
    return a->second.full_at < b->second.full_at;
  };
  for (; place > 0 && is_before(moved, queue_[(place - 1) / 2]); place = (place - 1) / 2) {
    put(place, queue_[(place - 1) / 2]);
  }
  for (std::size_t child = 2 * place + 1; child < queue_.size(); child = 2 * place + 1) {
    if (child + 1 < queue_.size() && is_before(queue_[child + 1], queue_[child])) ++child;
    if (!is_before(queue_[child], moved)) break;
    put(place, queue_[child]);
    place = child;
  }
  put(place, moved);
}

}  // namespace relay::base
