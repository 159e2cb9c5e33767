// The options of the sink (sink.cpp).
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relay::bench {

enum class Manner { Friendly, Once, Tarpit };

struct Options {
  std::string counts;
  std::string certificate;
  std::string key;
  std::string sample;
  std::uint64_t skip = 0;
};

/// One port and what came there.
struct Port {
  std::uint16_t number = 0;
  Manner manner = Manner::Friendly;
  std::uint64_t* taken = nullptr;
  std::uint64_t encrypted = 0;  ///< of them
  std::vector<double> latency_ms;
};

inline std::optional<Port> read_port(std::string_view text) {
  Port port;
  const std::string_view manner = text.substr(std::min(text.find(':'), text.size()));
  std::from_chars(text.data(), text.data() + text.size(), port.number);
  if (manner == ":once") port.manner = Manner::Once;
  if (manner == ":tarpit") port.manner = Manner::Tarpit;
  const bool known = manner.empty() || port.manner != Manner::Friendly;
  return known && port.number != 0 ? std::optional(port) : std::nullopt;
}

inline bool read_sink_option(Options& options, std::string_view name, const char* value) {
  if (name == "--cert") {
    options.certificate = value;
  } else if (name == "--key") {
    options.key = value;
  } else if (name == "--sample") {
    options.sample = value;
  } else if (name == "--skip") {
    options.skip = std::strtoull(value, nullptr, 10);
  } else {
    return false;
  }
  return true;
}

/// Empty when it cannot be understood.
inline std::vector<Port> read_arguments(std::span<char*> arguments, Options& options) {
  std::vector<Port> ports;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i + 1 < arguments.size() && read_sink_option(options, arguments[i], arguments[i + 1])) {
      ++i;
    } else if (const auto port = read_port(arguments[i])) {
      ports.push_back(*port);
    } else {
      return {};
    }
  }
  return ports;
}

}  // namespace relay::bench
