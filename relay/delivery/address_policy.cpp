#include "relay/delivery/address_policy.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>

namespace relay::delivery {

namespace {

using boost::asio::ip::address;

bool same_prefix(std::span<const unsigned char> a, std::span<const unsigned char> b,
                 unsigned bits) {
  for (std::size_t i = 0; i < a.size() && bits > 0; ++i) {
    const unsigned here = std::min(bits, 8U);
    const unsigned mask = 0xFFU << (8U - here) & 0xFFU;
    if ((a[i] & mask) != (b[i] & mask)) return false;
    bits -= here;
  }
  return true;
}

bool contains(const AddressBlock& block, const address& given) {
  if (block.address.is_v4() != given.is_v4()) return false;
  if (given.is_v4()) {
    return same_prefix(block.address.to_v4().to_bytes(), given.to_v4().to_bytes(), block.prefix);
  }
  return same_prefix(block.address.to_v6().to_bytes(), given.to_v6().to_bytes(), block.prefix);
}

/// The blocks of the IANA special-purpose registries that are not globally reachable. Documentation
/// blocks are left out: nobody answers there.
const std::vector<AddressBlock>& special_blocks() {
  static const std::vector<AddressBlock> blocks = [] {
    std::vector<AddressBlock> made;
    const auto add = [&made](const char* text, unsigned prefix) {
      made.push_back({boost::asio::ip::make_address(text), prefix});
    };
    add("0.0.0.0", 8);
    add("10.0.0.0", 8);
    add("100.64.0.0", 10);
    add("127.0.0.0", 8);
    add("169.254.0.0", 16);
    add("172.16.0.0", 12);
    add("192.0.0.0", 24);    // protocol assignments
    add("192.88.99.0", 24);  // deprecated 6to4 relays (RFC 7526)
    add("192.168.0.0", 16);
    add("198.18.0.0", 15);    // benchmarks between test devices
    add("224.0.0.0", 3);      // multicast, reserved, broadcast
    add("::", 96);            // unspecified, loopback, deprecated IPv4-compatible
    add("::ffff:0:0:0", 96);  // deprecated IPv4-translated (RFC 2765)
    add("64:ff9b:1::", 48);   // local-use translators (RFC 8215)
    add("100::", 64);         // discard-only (RFC 6666)
    add("100:0:0:1::", 64);   // dummy prefix (RFC 9780)
    add("2001::", 23);        // protocol assignments, including Teredo (RFC 4380)
    add("5f00::", 16);        // segment routing (RFC 9602)
    add("fc00::", 7);
    add("fe80::", 10);
    add("fec0::", 10);
    add("ff00::", 8);
    return made;
  }();
  return blocks;
}

/// The IPv4 address that dialling `given` really reaches: of a mapped address (RFC 4291 §2.5.5.2),
/// through a translator (RFC 6052), or through a 6to4 router (RFC 3056). Otherwise `given` itself.
address dialled_with(const address& given) {
  if (!given.is_v6()) return given;

  struct Wrapping {
    AddressBlock block;
    std::size_t at;  ///< octet at which the IPv4 address begins
  };

  static const std::array<Wrapping, 3> wrappings{{
      {{boost::asio::ip::make_address("::ffff:0:0"), 96}, 12},
      {{boost::asio::ip::make_address("64:ff9b::"), 96}, 12},
      {{boost::asio::ip::make_address("2002::"), 16}, 2},
  }};
  const auto bytes = given.to_v6().to_bytes();
  for (const auto& [block, at] : wrappings) {
    if (!contains(block, given)) continue;
    return boost::asio::ip::address_v4({bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]});
  }
  return given;
}

/// A listener on all IPv6 addresses that takes IPv4 as well has an endpoint of each family.
bool listens_on_all(const ports::Endpoint& own, const address& family_of) {
  return own.address.is_unspecified() && own.address.is_v4() == family_of.is_v4();
}

bool in_any(const std::vector<AddressBlock>& blocks, const address& given) {
  return std::ranges::any_of(blocks, [&](const auto& block) { return contains(block, given); });
}

}  // namespace

bool is_special_address(const address& given) {
  return in_any(special_blocks(), dialled_with(given));
}

bool is_own_endpoint(const address& given, std::uint16_t port, const Policy& policy) {
  const address dialled = dialled_with(given);
  return std::ranges::any_of(policy.own_endpoints, [&](const ports::Endpoint& own) {
    if (own.port != port) return false;
    // The system takes one of our addresses for the unspecified one; which one is not known here.
    if (own.address == dialled || dialled.is_unspecified()) return true;
    return dialled.is_loopback() && listens_on_all(own, dialled);  // 127.0.0.2 is ours, too
  });
}

bool leads_to_us(const ports::Endpoint& local, const ports::Endpoint& peer, const Policy& policy) {
  if (is_own_endpoint(peer.address, peer.port, policy)) return true;
  const address dialled = dialled_with(peer.address);
  return local.address == peer.address &&
         std::ranges::any_of(policy.own_endpoints, [&](const ports::Endpoint& own) {
           return own.port == peer.port && listens_on_all(own, dialled);
         });
}

std::vector<address> own_addresses(const Policy& policy) {
  std::vector<address> addresses;
  for (const ports::Endpoint& own : policy.own_endpoints) addresses.push_back(own.address);
  return addresses;
}

bool may_dial(const address& given, std::uint16_t port, const Policy& policy) {
  if (is_own_endpoint(given, port, policy)) return false;
  return policy.outbound.allow_private || !is_special_address(given) ||
         in_any(policy.allowed_blocks, given) || in_any(policy.allowed_blocks, dialled_with(given));
}

bool is_host_name(std::string_view name) {
  boost::system::error_code error;
  boost::asio::ip::make_address(std::string(name), error);
  if (!error) return false;
  const auto domain = mail::Domain::parse(name);
  return domain && !domain->is_literal();
}

}  // namespace relay::delivery
