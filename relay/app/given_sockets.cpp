#include "relay/app/given_sockets.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

namespace relay::app {

namespace {

namespace fs = std::filesystem;

// Earlier folders take precedence (systemd.unit(5)).
constexpr std::array<std::string_view, 4> kUnitFolders = {
    "etc/systemd/system", "run/systemd/system", "usr/local/lib/systemd/system",
    "usr/lib/systemd/system"};
constexpr std::string_view kUnit = "srs-relay.socket";

std::string text_of(const ports::Endpoint& address) {
  const std::string host = address.address.to_string();
  return (address.address.is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(address.port);
}

ports::Endpoint endpoint_of(const settings::SocketAddress& address) {
  return {boost::asio::ip::make_address(address.host), address.port};
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool has(const std::vector<ports::Endpoint>& all, const ports::Endpoint& one) {
  return std::ranges::find(all, one) != all.end();
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

/// Adds the ListenStream addresses of a unit file. False: it cannot be read.
bool read_streams(const fs::path& file, std::vector<ports::Endpoint>& streams) {
  std::ifstream lines(file);
  if (!lines) return false;
  for (std::string line; std::getline(lines, line);) {
    const std::string_view text = trimmed(line);
    constexpr std::string_view kKey = "ListenStream";
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || trimmed(text.substr(0, equals)) != kKey) continue;
    const std::string_view value = trimmed(text.substr(equals + 1));
    if (value.empty()) streams.clear();  // an empty value resets the list
    if (const auto stream = parse_stream(value)) streams.push_back(*stream);
  }
  return true;
}

std::vector<fs::path> drop_ins(const fs::path& root) {
  std::vector<fs::path> files;
  std::set<fs::path> names;
  std::error_code ignored;
  for (const std::string_view folder : kUnitFolders) {
    const fs::path place = root / folder / (std::string(kUnit) + ".d");
    for (const auto& entry : fs::directory_iterator(place, ignored)) {
      const fs::path& file = entry.path();
      if (file.extension() == ".conf" && names.insert(file.filename()).second)
        files.push_back(file);
    }
  }
  std::ranges::sort(files, {}, [](const fs::path& file) { return file.filename(); });
  return files;
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
  const auto add = [&](const settings::Place& at, std::string text) {
    findings.add(position_of(settings, at), settings::ProblemCode::Value, std::move(text));
  };
  if (!given) return;
  if (given->empty()) {
    if (!has_unnamed) return;
    add(unnamed->at, "listener.address: is missing, and systemd has opened no socket for us");
    return;
  }
  const auto wanted = named(settings);
  for (const auto& listener : settings.listeners) {
    for (const auto& address : listener.addresses) {
      if (has(*given, endpoint_of(address))) continue;
      add(listener.at, "systemd opens our sockets, but none for " + text_of(endpoint_of(address)) +
                           ", which [[listener]] names");
    }
  }
  for (const ports::Endpoint& socket : *given) {
    if (has(wanted, socket)) continue;
    if (has_unnamed) {
      unnamed->addresses.push_back({socket.address.to_string(), socket.port});
    } else {
      add({}, "systemd has a socket for " + text_of(socket) + ", which no [[listener]] names");
    }
  }
}

GivenSockets sockets_of_unit(const fs::path& root) {
  std::error_code ignored;
  const fs::path enabled = root / kUnitFolders[0] / "sockets.target.wants" / kUnit;
  if (!fs::is_symlink(fs::symlink_status(enabled, ignored))) return std::nullopt;
  std::vector<ports::Endpoint> streams;
  const bool was_read = std::ranges::any_of(kUnitFolders, [&](std::string_view folder) {
    return read_streams(root / folder / kUnit, streams);
  });
  if (!was_read) return std::nullopt;
  for (const fs::path& file : drop_ins(root)) {
    if (!read_streams(file, streams)) return std::nullopt;
  }
  return streams;
}

}  // namespace relay::app
