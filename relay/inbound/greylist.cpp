#include "relay/inbound/greylist.hpp"

#include <initializer_list>
#include <string_view>

#include "relay/base/sha256.hpp"

namespace relay::inbound {

namespace {

constexpr std::size_t kKeyOctets = 16;

/// NUL separates the parts: neither an address nor a path contains one.
std::string digest(std::initializer_list<std::string_view> parts) {
  base::Sha256 hash;
  for (const std::string_view part : parts) {
    hash.update(part);
    hash.update(std::string_view("\0", 1));
  }
  return hash.finish().substr(0, kKeyOctets);
}

}  // namespace

ports::GreylistKey greylist_key(const base::Origin& origin, const std::string& reverse_path,
                                const std::string& forward_path) {
  return {.sender = digest({"sender", origin.network, reverse_path, forward_path}),
          .network = digest({"network", origin.network}),
          .counted_under = digest({"share", origin.wider.empty() ? origin.network : origin.wider})};
}

}  // namespace relay::inbound
