#include "relay/dns/rdata.hpp"

#include <algorithm>
#include <tuple>

#include "relay/base/text.hpp"

namespace relay::dns {

namespace {

using boost::asio::ip::address;
using ports::DnsError;
using ports::Resolver;

constexpr std::size_t kMaxLabelOctets = 63;
constexpr std::size_t kMaxNameOctets = 253;  // in text
constexpr std::size_t kMaxWireOctets = 255;

std::uint8_t octet(char c) { return static_cast<std::uint8_t>(c); }

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabelOctets &&
         std::ranges::all_of(label, [](char c) {
           return base::is_alpha(c) || base::is_digit(c) || c == '-' || c == '_';
         });
}

/// \DDD (RFC 1035 §5.1).
std::string decimal_escape(char c) {
  const unsigned value = octet(c);
  return {'\\', static_cast<char>('0' + value / 100), static_cast<char>('0' + value / 10 % 10),
          static_cast<char>('0' + value % 10)};
}

bool ends_like_an_address(std::string_view name) {
  const auto last = name.substr(name.rfind('.') + 1);
  return std::ranges::all_of(last, base::is_digit);
}

template <std::size_t N>
std::array<std::uint8_t, N> octets_of(std::string_view rdata) {
  std::array<std::uint8_t, N> octets;
  std::ranges::transform(rdata, octets.begin(), octet);
  return octets;
}

template <class T, class Parse>
std::vector<T> usable(std::span<const std::string> records, Parse parse) {
  std::vector<T> all;
  for (const std::string& rdata : records) {
    if (auto record = parse(rdata)) all.push_back(std::move(*record));
  }
  return all;
}

template <class T>
void cap(std::vector<T>& records, std::size_t limit) {
  while (records.size() > limit) records.pop_back();
}

}  // namespace

bool is_queryable(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxNameOctets) return false;
  while (true) {
    const auto dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

std::optional<std::string> question_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxNameOctets) return std::nullopt;
  if (is_queryable(name)) return std::string(name);
  std::string escaped;
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '\0' || (c == '.' && label == 0) || label > kMaxLabelOctets) return std::nullopt;
    label = c == '.' ? 0 : label + 1;
    if (c == '.' || is_label(std::string_view(&c, 1))) {
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

std::optional<std::string> parse_name(std::string_view wire) {
  std::string name;
  while (!wire.empty()) {
    const std::size_t size = octet(wire.front());
    wire.remove_prefix(1);
    if (size == 0) {
      if (!wire.empty()) return std::nullopt;
      if (name.empty()) return ".";
      if (name.size() > kMaxNameOctets || ends_like_an_address(name)) return std::nullopt;
      return name;
    }
    if (size > wire.size() || !is_label(wire.substr(0, size))) return std::nullopt;
    if (!name.empty()) name += '.';
    name += base::lower(wire.substr(0, size));
    wire.remove_prefix(size);
  }
  return std::nullopt;
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

// An IPv4-mapped address has no business in DNS; it would walk around checks on IPv4 addresses.
std::optional<address> parse_aaaa(std::string_view rdata) {
  if (rdata.size() != 16) return std::nullopt;
  const boost::asio::ip::address_v6 parsed(octets_of<16>(rdata));
  if (parsed.is_v4_mapped()) return std::nullopt;
  return address(parsed);
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
  auto hosts = usable<ports::MxHost>(records, parse_mx);
  const auto is_null = [](const ports::MxHost& host) { return host.name == "."; };
  if (hosts.size() == records.size() && std::ranges::all_of(hosts, is_null)) {
    return std::unexpected(DnsError::NullMx);
  }
  // RFC 7505 §3: a null MX stands alone. Beside other records, damaged ones too, it means nothing.
  std::erase_if(hosts, is_null);
  if (hosts.empty()) return std::unexpected(DnsError::Malformed);
  std::ranges::sort(hosts, [](const auto& a, const auto& b) {
    return std::tie(a.preference, a.name) < std::tie(b.preference, b.name);
  });
  cap(hosts, Resolver::kMaxMxHosts);
  return hosts;
}

std::expected<std::vector<address>, DnsError> select_addresses(std::span<const std::string> aaaa,
                                                               std::span<const std::string> a) {
  auto all = usable<address>(aaaa, parse_aaaa);
  const auto v4 = usable<address>(a, parse_a);
  // Many addresses of one family must not crowd out the other.
  const auto room_beside_v4 =
      Resolver::kMaxAddresses - std::min(v4.size(), Resolver::kMaxAddresses);
  cap(all, std::max(Resolver::kMaxAddresses / 2, room_beside_v4));
  all.insert(all.end(), v4.begin(), v4.end());
  cap(all, Resolver::kMaxAddresses);
  if (all.empty()) return std::unexpected(DnsError::Malformed);
  return all;
}

std::expected<std::vector<std::string>, DnsError> select_names(
    std::span<const std::string> records) {
  auto names = usable<std::string>(records, parse_name);
  std::erase(names, ".");
  if (names.empty()) return std::unexpected(DnsError::Malformed);
  std::ranges::sort(names);
  cap(names, Resolver::kMaxNames);
  return names;
}

std::expected<std::vector<std::string>, DnsError> select_txt(std::span<const std::string> records) {
  auto texts = usable<std::string>(records, parse_txt);
  std::erase_if(texts, [](const auto& text) { return text.size() > Resolver::kMaxTxtOctets; });
  if (texts.empty()) return std::unexpected(DnsError::Malformed);
  cap(texts, Resolver::kMaxTxtRecords);
  return texts;
}

}  // namespace relay::dns
