#include "relay/auth/dkim/recent_keys.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace relay::auth::dkim {

namespace {

struct RecentKey {
  std::string octets;
  PublicKey key;
};

}  // namespace

std::expected<PublicKey, KeyFault> recent_key(KeyType type, std::string_view octets) {
  thread_local std::vector<RecentKey> recent;  // the most recently used one first
  const auto known = std::ranges::find_if(
      recent, [&](const RecentKey& one) { return one.key.type() == type && one.octets == octets; });
  if (known != recent.end()) {
    std::rotate(recent.begin(), known, known + 1);
    return recent.front().key;
  }
  auto key = PublicKey::parse(type, octets);
  if (!key) return key;
  if (recent.size() == kMaxRecentKeys) recent.pop_back();
  recent.insert(recent.begin(), {std::string(octets), *key});
  return key;
}

}  // namespace relay::auth::dkim
