#include "relay/inbound/resend_guard.hpp"

#include "relay/base/sha256.hpp"

namespace relay::inbound {

ResendKey resend_key(const std::string& client_address, const std::string& reverse_path,
                     const std::vector<std::string>& forward_paths,
                     const std::string& content_sha256) {
  base::Sha256 hash;
  const auto add = [&hash](const std::string& field) {
    hash.update(std::to_string(field.size()) + ':');  // no field can run into the next
    hash.update(field);
  };
  add(client_address);
  add(reverse_path);
  for (const auto& path : forward_paths) add(path);
  add(content_sha256);
  return hash.finish();
}

void ResendGuard::remember(const ResendKey& key, const ports::CommitProof& proof,
                           base::SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const auto known = index_.find(key);
  if (known != index_.end()) {
    if (now - known->second->at <= kMemory) return;
    entries_.erase(known->second);
    index_.erase(known);
  }
  if (entries_.size() >= kMaxEntries) {
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({key, proof, now});
  index_.emplace(key, entries_.begin());
}

void ResendGuard::forget(const ResendKey& key) {
  const std::lock_guard lock(mutex_);
  const auto known = index_.find(key);
  if (known == index_.end()) return;
  entries_.erase(known->second);
  index_.erase(known);
}

std::optional<ports::CommitProof> ResendGuard::find(const ResendKey& key, base::SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const auto known = index_.find(key);
  if (known == index_.end()) return std::nullopt;
  if (now - known->second->at <= kMemory) return known->second->proof;
  entries_.erase(known->second);
  index_.erase(known);
  return std::nullopt;
}

std::size_t ResendGuard::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace relay::inbound
