#include "relay/dns/rdata.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "relay/base/text.hpp"

namespace relay::dns {

namespace {

using boost::asio::ip::address;
using ports::DnsError;

constexpr std::size_t kMaxLabelOctets = 63;
constexpr std::size_t kMaxNameOctets = 253;  // in text
constexpr std::size_t kMaxWireOctets = 255;

std::uint8_t octet(char c) { return static_cast<std::uint8_t>(c); }

/// \DDD (RFC 1035 §5.1).
std::string decimal_escape(char c) {
  const unsigned value = octet(c);
  return {'\\', static_cast<char>('0' + value / 100), static_cast<char>('0' + value / 10 % 10),
          static_cast<char>('0' + value % 10)};
}

template <std::size_t N>
std::array<std::uint8_t, N> octets_of(std::string_view rdata) {
  std::array<std::uint8_t, N> octets;
  std::ranges::transform(rdata, octets.begin(), octet);
  return octets;
}

/// The distinct records (RFC 2181 §5), in their order.
std::vector<std::string_view> distinct(std::span<const std::string> records) {
  std::set<std::string_view> seen;
  std::vector<std::string_view> all;
  for (const std::string& rdata : records) {
    if (seen.insert(rdata).second) all.push_back(rdata);
  }
  return all;
}

template <class T, class Parse>
std::vector<T> readable(std::span<const std::string_view> records, Parse parse) {
  std::vector<T> all;
  for (const std::string_view rdata : records) {
    if (auto record = parse(rdata)) all.push_back(std::move(*record));
  }
  return all;
}

}  // namespace

std::optional<std::string> question_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxNameOctets) return std::nullopt;
  if (ports::is_plain_name(name)) return std::string(name);
  std::string escaped;
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '\0' || (c == '.' && label == 0) || label > kMaxLabelOctets) return std::nullopt;
    label = c == '.' ? 0 : label + 1;
    if (c == '.' || ports::is_plain_name({&c, 1})) {
      escaped += c;
    } else {
      escaped += decimal_escape(c);
    }
  }
  if (label == 0 || label > kMaxLabelOctets) return std::nullopt;
  return escaped;
}

std::string reverse_name(const address& address) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string name;
  if (address.is_v4()) {
    const auto octets = address.to_v4().to_bytes();
    for (auto at = octets.rbegin(); at != octets.rend(); ++at) name += std::to_string(*at) + '.';
    return name + "in-addr.arpa";
  }
  const auto octets = address.to_v6().to_bytes();
  for (auto at = octets.rbegin(); at != octets.rend(); ++at) {
    name += {kHex[*at & 0x0FU], '.', kHex[*at >> 4U], '.'};
  }
  return name + "ip6.arpa";
}

std::optional<std::string> presentation_name(std::string_view wire) {
  if (wire.size() > kMaxWireOctets) return std::nullopt;
  std::string name;
  while (!wire.empty()) {
    const std::size_t size = octet(wire.front());
    wire.remove_prefix(1);
    if (size == 0) {
      if (!wire.empty()) return std::nullopt;
      return name.empty() ? "." : name;
    }
    if (size > wire.size() || size > kMaxLabelOctets) return std::nullopt;
    if (!name.empty()) name += '.';
    for (const char c : base::lower(wire.substr(0, size))) {
      const bool special = c <= ' ' || c > '~' || c == '.' || c == '\\' || c == '"';
      name += special ? decimal_escape(c) : std::string(1, c);
    }
    wire.remove_prefix(size);
  }
  return std::nullopt;
}

std::optional<ports::MxHost> parse_mx(std::string_view rdata) {
  if (rdata.size() < 3) return std::nullopt;
  auto name = presentation_name(rdata.substr(2));
  if (!name) return std::nullopt;
  const auto preference = static_cast<std::uint16_t>(octet(rdata[0]) << 8U | octet(rdata[1]));
  return ports::MxHost{preference, std::move(*name)};
}

std::optional<address> parse_a(std::string_view rdata) {
  if (rdata.size() != 4) return std::nullopt;
  return boost::asio::ip::address_v4(octets_of<4>(rdata));
}

std::optional<address> parse_aaaa(std::string_view rdata) {
  if (rdata.size() != 16) return std::nullopt;
  return boost::asio::ip::address_v6(octets_of<16>(rdata));
}

std::optional<std::string> parse_txt(std::string_view rdata) {
  if (rdata.empty()) return std::nullopt;
  std::string text;
  while (!rdata.empty()) {
    const std::size_t size = octet(rdata.front());
    rdata.remove_prefix(1);
    if (size > rdata.size()) return std::nullopt;
    text += rdata.substr(0, size);
    rdata.remove_prefix(size);
  }
  return text;
}

std::expected<std::vector<ports::MxHost>, DnsError> select_mx(
    std::span<const std::string> records) {
  const auto all = distinct(records);
  auto hosts = readable<ports::MxHost>(all, parse_mx);
  if (hosts.empty()) return std::unexpected(DnsError::Malformed);
  const bool damaged = hosts.size() < all.size();
  auto arranged = ports::arranged_hosts(std::move(hosts));
  // A damaged record next to a null MX may have named a host.
  if (!arranged && damaged) return std::unexpected(DnsError::Malformed);
  return arranged;
}

ports::Addresses select_addresses(ports::IpFamily family, std::span<const std::string> records) {
  const bool v6 = family == ports::IpFamily::V6;
  auto addresses = readable<address>(distinct(records), v6 ? parse_aaaa : parse_a);
  if (addresses.empty()) return std::unexpected(DnsError::Malformed);
  return ports::arranged_addresses(std::move(addresses));
}

std::expected<std::vector<std::string>, DnsError> select_names(
    std::span<const std::string> records) {
  auto names = readable<std::string>(distinct(records), presentation_name);
  if (names.empty()) return std::unexpected(DnsError::Malformed);
  return ports::arranged_names(std::move(names));
}

std::expected<std::vector<std::string>, DnsError> select_txt(std::span<const std::string> records) {
  auto texts = readable<std::string>(distinct(records), parse_txt);
  if (texts.empty()) return std::unexpected(DnsError::Malformed);
  return ports::arranged_texts(std::move(texts));
}

}  // namespace relay::dns
