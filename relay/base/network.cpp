#include "relay/base/network.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include <fmt/compile.h>
#include <fmt/format.h>

namespace relay::base {

namespace ip = boost::asio::ip;

namespace {

constexpr unsigned kOctetBits = 8;

/// 4 or 16 octets, in network order.
class Octets {
 public:
  explicit Octets(const ip::address& address) {
    if (address.is_v4()) {
      const auto bytes = address.to_v4().to_bytes();
      std::ranges::copy(bytes, octets_.begin());
      count_ = bytes.size();
    } else {
      const auto bytes = address.to_v6().to_bytes();
      std::ranges::copy(bytes, octets_.begin());
      count_ = bytes.size();
    }
  }

  unsigned bits() const { return static_cast<unsigned>(count_) * kOctetBits; }

  /// A copy with all bits after the first `bits` set to 0.
  Octets masked(unsigned bits) const {
    Octets out = *this;
    for (unsigned i = 0; i < count_; ++i) {
      const unsigned before = i * kOctetBits;
      const unsigned kept = bits <= before ? 0 : std::min(bits - before, kOctetBits);
      out.octets_[i] = static_cast<std::uint8_t>(out.octets_[i] & (0xFF00U >> kept));
    }
    return out;
  }

  ip::address address() const {
    if (count_ == ip::address_v4::bytes_type{}.size()) {
      ip::address_v4::bytes_type bytes{};
      std::copy_n(octets_.begin(), bytes.size(), bytes.begin());
      return ip::address_v4(bytes);
    }
    ip::address_v6::bytes_type bytes{};
    std::copy_n(octets_.begin(), bytes.size(), bytes.begin());
    return ip::address_v6(bytes);
  }

  friend bool operator==(const Octets&, const Octets&) = default;

 private:
  std::array<std::uint8_t, 16> octets_{};
  std::size_t count_ = 0;
};

std::optional<unsigned> bits_in(std::string_view text, unsigned most) {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || bits > most) return std::nullopt;
  return bits;
}

}  // namespace

ip::address plain_address(const ip::address& address) {
  if (!address.is_v6()) return address;
  ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, v6);
  v6.scope_id(0);
  return v6;
}

std::string text_of(const ip::address& address) {
  if (!address.is_v4()) return address.to_string();
  const auto octets = address.to_v4().to_bytes();
  return fmt::format(FMT_COMPILE("{}.{}.{}.{}"), octets[0], octets[1], octets[2], octets[3]);
}

std::optional<ip::address> parse_address(std::string_view text) {
  // The system's parser stops at a NUL, and accepts an interface name after "%".
  if (text.find_first_not_of("0123456789abcdefABCDEF.:") != std::string_view::npos) {
    return std::nullopt;
  }
  boost::system::error_code error;
  ip::address address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  return address;
}

Network Network::around(const ip::address& address, unsigned bits) {
  return {Octets(plain_address(address)).masked(bits).address(), bits};
}

std::expected<Network, std::string> Network::parse(std::string_view text) {
  const auto wrong = [&] {
    return std::unexpected(
        fmt::format("expected a network as \"10.0.0.0/8\" or an address, not \"{}\"", text));
  };
  const std::size_t slash = text.find('/');
  const auto named = parse_address(text.substr(0, slash));
  if (!named) return wrong();
  const ip::address plain = plain_address(*named);
  const Octets octets(plain);
  if (slash == std::string_view::npos) return Network(plain, octets.bits());
  if (plain.is_v4() != named->is_v4()) {
    return std::unexpected(fmt::format("write \"{}\" as an IPv4 network", text));
  }
  const auto bits = bits_in(text.substr(slash + 1), octets.bits());
  if (!bits) return wrong();
  const Octets first = octets.masked(*bits);
  if (first != octets) {
    return std::unexpected(fmt::format("\"{}\" has bits behind its {}: did you mean \"{}/{}\"?",
                                       text, *bits, first.address().to_string(), *bits));
  }
  return Network(plain, *bits);
}

bool Network::contains(const ip::address& address) const {
  const ip::address plain = plain_address(address);
  if (plain.is_v4() != first_.is_v4()) return false;
  return Octets(plain).masked(bits_) == Octets(first_);
}

std::string Network::text() const {
  if (bits_ == Octets(first_).bits()) return text_of(first_);
  return fmt::format(FMT_COMPILE("{}/{}"), text_of(first_), bits_);
}

bool contains(const Networks& networks, const ip::address& address) {
  return std::ranges::any_of(networks,
                             [&](const Network& network) { return network.contains(address); });
}

}  // namespace relay::base
