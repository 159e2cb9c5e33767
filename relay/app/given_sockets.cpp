#include "relay/app/given_sockets.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "relay/app/endpoints.hpp"
#include "relay/app/systemd_unit.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSocketUnit = "srs-relay.socket";

std::string text_of(const ports::Endpoint& address) {
  const std::string host = address.address.to_string();
  return (address.address.is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(address.port);
}

ports::Endpoint endpoint_of(const settings::SocketAddress& address) {
  return {boost::asio::ip::make_address(address.host), address.port};
}

/// "192.0.2.1:25", "[::]:25", or "25", which means [::]:25 (systemd.socket(5)). nullopt for sockets
/// of other kinds, which are refused when a start gets them.
std::optional<ports::Endpoint> parse_stream(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::string_view host = colon == std::string_view::npos ? "[::]" : text.substr(0, colon);
  const std::string_view digits = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  ports::Endpoint endpoint;
  boost::system::error_code error;
  endpoint.address = boost::asio::ip::make_address(std::string(host), error);
  const auto [end, bad] =
      std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  if (error || bad != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return endpoint;
}

/// What a socket on all IPv6 addresses does when its unit leaves it to the kernel.
bool kernel_takes_ipv4(const fs::path& root) {
  char only_ipv6 = '0';
  std::ifstream(root / "proc/sys/net/ipv6/bindv6only") >> only_ipv6;
  return only_ipv6 == '0';
}

std::vector<ports::Endpoint> named(const settings::Settings& settings) {
  std::vector<ports::Endpoint> all;
  for (const auto& listener : settings.listeners) {
    for (const auto& address : listener.addresses) all.push_back(endpoint_of(address));
  }
  return all;
}

}  // namespace

void settle_listeners(settings::Settings& settings, const GivenSockets& given,
                      settings::Findings& findings) {
  const auto unnamed = std::ranges::find_if(settings.listeners,
                                            [](const auto& one) { return one.addresses.empty(); });
  const bool has_unnamed = unnamed != settings.listeners.end();
  const auto add = [&](const base::SourcePlace& at, std::string text) {
    findings.add(position_of(settings, at), settings::ProblemCode::Value, std::move(text));
  };
  if (!given) return;
  if (given->empty()) {
    if (!has_unnamed) return;
    add(unnamed->at, "listener.address: is missing, and systemd has opened no socket for us");
    return;
  }
  const auto wanted = named(settings);
  for (auto& listener : settings.listeners) {
    for (auto& address : listener.addresses) {
      const auto socket =
          std::ranges::find(*given, endpoint_of(address), &ports::GivenSocket::address);
      if (socket != given->end()) {
        address.takes_ipv4 = socket->takes_ipv4;
        continue;
      }
      add(listener.at, "systemd opens our sockets, but none for " + text_of(endpoint_of(address)) +
                           ", which [[listener]] names");
    }
  }
  for (const auto& [address, takes_ipv4] : *given) {
    if (contains(wanted, address)) continue;
    if (has_unnamed) {
      unnamed->addresses.push_back({address.address.to_string(), address.port, takes_ipv4});
    } else {
      add({}, "systemd has a socket for " + text_of(address) + ", which no [[listener]] names");
    }
  }
}

GivenSockets sockets_of_unit(const fs::path& root) {
  std::error_code ignored;
  const fs::path enabled = root / kUnitsOfTheHost / "sockets.target.wants" / kSocketUnit;
  if (!fs::is_symlink(fs::symlink_status(enabled, ignored))) return std::nullopt;
  const auto settings = settings_of_unit(root, std::string(kSocketUnit));
  if (!settings) return std::nullopt;
  std::vector<ports::GivenSocket> sockets;
  std::string only_ipv6;
  for (const auto& [key, value] : *settings) {
    if (key == "BindIPv6Only") only_ipv6 = value;
    if (key != "ListenStream") continue;
    if (value.empty()) sockets.clear();
    if (const auto stream = parse_stream(value)) sockets.push_back({*stream, false});
  }
  const bool take_ipv4 =
      only_ipv6 == "both" || (only_ipv6 != "ipv6-only" && kernel_takes_ipv4(root));
  for (auto& [address, takes_ipv4] : sockets) {
    takes_ipv4 = take_ipv4 && address.address.is_v6() && address.address.is_unspecified();
  }
  return sockets;
}

}  // namespace relay::app
