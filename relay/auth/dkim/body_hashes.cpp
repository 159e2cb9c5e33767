#include "relay/auth/dkim/body_hashes.hpp"

#include <algorithm>

namespace relay::auth::dkim {

std::size_t BodyHashes::want(Canon canon, std::optional<std::uint64_t> length) {
  const auto known = std::ranges::find_if(
      wishes_, [&](const Wish& wish) { return wish.canon == canon && wish.length == length; });
  if (known != wishes_.end()) return static_cast<std::size_t>(known - wishes_.begin());
  auto body = std::ranges::find(bodies_, canon, &CanonicalBody::canon);
  if (body == bodies_.end()) body = bodies_.emplace(bodies_.end(), canon);
  if (length) body->mark(*length);
  wishes_.push_back({canon, length, {}});
  return wishes_.size() - 1;
}

void BodyHashes::update(std::string_view octets) {
  for (CanonicalBody& body : bodies_) body.update(octets);
}

void BodyHashes::finish() {
  for (CanonicalBody& body : bodies_) body.finish();
  for (Wish& wish : wishes_) {
    const auto body = std::ranges::find(bodies_, wish.canon, &CanonicalBody::canon);
    wish.digest = wish.length ? body->digest_at(*wish.length) : body->digest();
  }
}

bool BodyHashes::covers_all(std::size_t number) const {
  const Wish& wish = wishes_.at(number);
  return !wish.length || *wish.length >= octets_of(wish.canon);
}

bool BodyHashes::falls_short(std::size_t number) const {
  const Wish& wish = wishes_.at(number);
  return wish.length && *wish.length > octets_of(wish.canon);
}

std::uint64_t BodyHashes::octets_of(Canon canon) const {
  return std::ranges::find(bodies_, canon, &CanonicalBody::canon)->octets();
}

}  // namespace relay::auth::dkim
