#include "relay/settings/units.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include <boost/asio/ip/address_v4.hpp>

namespace relay::settings {

using base::Unit;

std::expected<std::uint64_t, std::string> parse_size(std::string_view text) {
  static constexpr std::array<Unit, 5> kUnits = {{{"B", 1},
                                                  {"KiB", 1ULL << 10},
                                                  {"MiB", 1ULL << 20},
                                                  {"GiB", 1ULL << 30},
                                                  {"TiB", 1ULL << 40}}};
  return base::parse_quantity(text, kUnits, R"(a size such as "500B", "64KiB", "50MiB" or "1GiB")");
}

std::expected<base::Rate, std::string> parse_rate(std::string_view text) {
  static constexpr std::array<Unit, 4> kSpans = {
      {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86'400}}};
  static constexpr std::uint32_t kMostSpans = 1000;
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error == std::errc::result_out_of_range) return std::unexpected(std::string("too large"));
  if (error == std::errc() && rest.starts_with('/')) {
    std::uint32_t spans = 1;
    const auto [unit, none] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), spans);
    const bool good = spans > 0 && spans <= kMostSpans && none != std::errc::result_out_of_range;
    for (const auto& [name, span] : kSpans) {
      if (!good || std::string_view(unit, rest.data() + rest.size()) != name) continue;
      if (count > std::numeric_limits<std::uint32_t>::max()) {
        return std::unexpected(std::string("too large"));
      }
      return base::Rate{.count = static_cast<std::uint32_t>(count),
                        .span = std::chrono::seconds(static_cast<std::int64_t>(spans * span))};
    }
  }
  return std::unexpected(R"(expected a rate such as "60/min", "600/h" or "1000/d", not ")" +
                         std::string(text) + '"');
}

std::expected<std::pair<std::uint32_t, std::uint32_t>, std::string> parse_list_answers(
    std::string_view text) {
  const std::size_t dash = text.find('-');
  boost::system::error_code error;
  const auto first = boost::asio::ip::make_address_v4(text.substr(0, dash), error).to_uint();
  std::uint32_t last_octet = first & 0xFFU;
  bool good = !error && first >> 24U == 127;
  if (dash != std::string_view::npos) {
    const std::string_view rest = text.substr(dash + 1);
    const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), last_octet);
    good = good && code == std::errc() && end == rest.data() + rest.size() &&
           last_octet >= (first & 0xFFU) && last_octet <= 255;
  }
  if (!good) {
    return std::unexpected(R"(expected answers such as "127.0.0.2" or "127.0.0.2-11", not ")" +
                           std::string(text) + '"');
  }
  if (first >> 8U == 0x7FFFFFU) {
    return std::unexpected(std::string("127.255.255.x is how lists report errors, never a client"));
  }
  return std::pair(first, (first & ~0xFFU) | last_octet);
}

}  // namespace relay::settings
