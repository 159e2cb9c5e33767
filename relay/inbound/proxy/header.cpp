#include "relay/inbound/proxy/header.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "relay/base/network.hpp"

namespace relay::inbound::proxy {

namespace ip = boost::asio::ip;

namespace {

constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::string_view kLineStart = "PROXY ";
constexpr std::string_view kLineEnd = "\r\n";

constexpr std::size_t kBlockOctets4 = 12;  // two addresses and two ports
constexpr std::size_t kBlockOctets6 = 36;
constexpr std::size_t kBlockOctetsUnix = 216;

/// `octets` and `whole` agree in their common length.
bool begins_as(std::string_view octets, std::string_view whole) {
  const std::size_t common = std::min(octets.size(), whole.size());
  return octets.substr(0, common) == whole.substr(0, common);
}

/// Takes the word before the next space, and the space; nullopt if there is none.
std::optional<std::string_view> take_word(std::string_view& rest) {
  const std::size_t space = rest.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view word = rest.substr(0, space);
  rest.remove_prefix(space + 1);
  return word;
}

/// §2.1: decimal, no leading zero, 0 to 65535.
std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<ip::address> address_of(std::string_view text, bool v6) {
  const auto address = base::parse_address(text);
  return address && address->is_v6() == v6 ? address : std::nullopt;
}

/// `text`: between "PROXY " and the line end.
std::expected<std::optional<Source>, Fault> source_in_line(std::string_view text) {
  const std::unexpected malformed(Fault::Malformed);
  // §2.1: the receiver ignores the rest of the line.
  if (text == "UNKNOWN" || text.starts_with("UNKNOWN ")) return std::nullopt;
  const auto family = take_word(text);
  if (!family || (*family != "TCP4" && *family != "TCP6")) return malformed;
  const bool v6 = *family == "TCP6";
  const auto source = take_word(text);
  const auto destination = take_word(text);
  const auto source_port = take_word(text);
  if (!source || !destination || !source_port) return malformed;
  const auto address = address_of(*source, v6);
  const auto port = port_of(*source_port);
  if (!address || !port || !address_of(*destination, v6) || !port_of(text)) return malformed;
  return Source{*address, *port};
}

std::expected<Header, Fault> parse_line(std::string_view octets) {
  const std::string_view front = octets.substr(0, kMaxLineOctets);
  const std::size_t end = front.find(kLineEnd);
  if (end == std::string_view::npos) {
    const bool is_full = front.size() == kMaxLineOctets;
    return std::unexpected(is_full ? Fault::TooLong : Fault::Incomplete);
  }
  const auto source = source_in_line(front.substr(kLineStart.size(), end - kLineStart.size()));
  if (!source) return std::unexpected(source.error());
  return Header{.octets = end + kLineEnd.size(), .source = *source};
}

std::uint8_t octet(std::string_view octets, std::size_t at) {
  return static_cast<std::uint8_t>(octets[at]);
}

std::uint16_t number(std::string_view octets, std::size_t at) {
  return static_cast<std::uint16_t>(octet(octets, at) << 8U | octet(octets, at + 1));
}

template <class Address>
ip::address address_in(std::string_view octets) {
  typename Address::bytes_type bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = octet(octets, i);
  return Address(bytes);
}

/// `block`: what follows the fixed part, TLVs included. `protocol`: the 14th octet.
std::expected<std::optional<Source>, Fault> source_in_block(std::uint8_t protocol,
                                                            std::string_view block) {
  const std::unexpected malformed(Fault::Malformed);
  switch (protocol) {
    case 0x00:  // UNSPEC: §2.2, the receiver ignores the rest
      return std::nullopt;
    case 0x11:  // TCP over IPv4
      if (block.size() < kBlockOctets4) return malformed;
      return Source{address_in<ip::address_v4>(block), number(block, 8)};
    case 0x21:  // TCP over IPv6
      if (block.size() < kBlockOctets6) return malformed;
      return Source{address_in<ip::address_v6>(block), number(block, 32)};
    case 0x31:  // Unix stream sockets: no host
      if (block.size() < kBlockOctetsUnix) return malformed;
      return std::nullopt;
    default:  // datagrams and unknown values
      return malformed;
  }
}

std::expected<Header, Fault> parse_binary(std::string_view octets) {
  constexpr std::uint8_t kLocal = 0x20;
  constexpr std::uint8_t kProxy = 0x21;
  // Check this octet before the rest has come: a wrong one must not make us wait.
  if (octets.size() > 12 && octet(octets, 12) != kLocal && octet(octets, 12) != kProxy) {
    return std::unexpected(Fault::Malformed);
  }
  if (octets.size() < kFixedOctets) return std::unexpected(Fault::Incomplete);
  const std::size_t whole = kFixedOctets + number(octets, 14);
  if (whole > kMaxOctets) return std::unexpected(Fault::TooLong);
  if (octets.size() < whole) return std::unexpected(Fault::Incomplete);
  if (octet(octets, 12) == kLocal) return Header{.octets = whole, .source = std::nullopt};
  const auto source =
      source_in_block(octet(octets, 13), octets.substr(kFixedOctets, whole - kFixedOctets));
  if (!source) return std::unexpected(source.error());
  return Header{.octets = whole, .source = *source};
}

}  // namespace

bool begins_header(std::string_view octets) {
  return !octets.empty() && (begins_as(octets, kLineStart) || begins_as(octets, kSignature));
}

std::expected<Header, Fault> parse_header(std::string_view octets) {
  if (octets.empty()) return std::unexpected(Fault::Incomplete);
  if (!begins_header(octets)) return std::unexpected(Fault::NoHeader);
  if (octets.front() == kLineStart.front()) {
    if (octets.size() < kLineStart.size()) return std::unexpected(Fault::Incomplete);
    return parse_line(octets);
  }
  if (octets.size() < kSignature.size()) return std::unexpected(Fault::Incomplete);
  return parse_binary(octets);
}

}  // namespace relay::inbound::proxy
