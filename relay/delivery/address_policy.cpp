#include "relay/delivery/address_policy.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string>

namespace relay::delivery {

namespace {

using boost::asio::ip::address;

address unmapped(const address& given) {
  if (given.is_v6() && given.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, given.to_v6());
  }
  return given;
}

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
    add("192.0.0.0", 24);  // protocol assignments
    add("192.168.0.0", 16);
    add("198.18.0.0", 15);   // between test devices
    add("224.0.0.0", 3);     // multicast, reserved, broadcast
    add("::", 96);           // unspecified, loopback, and IPv4 in IPv6 as of old
    add("64:ff9b:1::", 48);  // translators of a site (RFC 8215)
    add("fc00::", 7);
    add("fe80::", 10);
    add("fec0::", 10);
    add("ff00::", 8);
    return made;
  }();
  return blocks;
}

/// The IPv4 address that a translator (RFC 6052) or a 6to4 router (RFC 3056) behind `given` dials.
std::optional<address> dialled_behind(const address& given) {
  if (!given.is_v6()) return std::nullopt;
  static const AddressBlock translated{boost::asio::ip::make_address("64:ff9b::"), 96};
  static const AddressBlock six_to_four{boost::asio::ip::make_address("2002::"), 16};
  const auto bytes = given.to_v6().to_bytes();
  const auto v4_at = [&](std::size_t at) {
    return boost::asio::ip::address_v4({bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]});
  };
  if (contains(translated, given)) return v4_at(12);
  if (contains(six_to_four, given)) return v4_at(2);
  return std::nullopt;
}

bool in_any(const std::vector<AddressBlock>& blocks, const address& given) {
  return std::ranges::any_of(blocks, [&](const auto& block) { return contains(block, given); });
}

}  // namespace

bool is_special_address(const address& given) {
  const address plain = unmapped(given);
  return in_any(special_blocks(), dialled_behind(plain).value_or(plain));
}

bool is_own_endpoint(const address& given, std::uint16_t port, const Policy& policy) {
  const address plain = unmapped(given);
  return (std::ranges::find(policy.own_ports, port) != policy.own_ports.end()) &&
         (plain.is_unspecified() ||
          (std::ranges::find(policy.own_addresses, plain) != policy.own_addresses.end()));
}

bool may_dial(const address& given, std::uint16_t port, const Policy& policy) {
  const address plain = unmapped(given);
  if (is_own_endpoint(plain, port, policy)) return false;
  return policy.allow_private || !is_special_address(plain) || in_any(policy.allowed_blocks, plain);
}

bool is_host_name(std::string_view name) {
  boost::system::error_code error;
  boost::asio::ip::make_address(std::string(name), error);
  if (!error) return false;
  const auto domain = mail::Domain::parse(name);
  return domain && !domain->is_literal();
}

}  // namespace relay::delivery
