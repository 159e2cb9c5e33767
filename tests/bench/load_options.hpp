// The options of the load generator (load.cpp).
#pragma once

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "tests/bench/sockets.hpp"

namespace relay::bench {

struct Options {
  std::uint16_t port = 0;
  double rate = 0;  ///< 0: closed loop
  double seconds = 10;
  std::uint64_t messages = 0;
  std::size_t connections = 20;
  bool kept = false;
  bool starttls = false;
  bool in_order = false;  ///< of the recipients
  std::size_t size = 4096;
  std::string content;
  std::uint64_t recipients = 0;
  std::string prefix = "a";  ///< of the recipients' local-parts
  std::string sender = "alice@origin.test";
};

inline std::string made_content(std::size_t size) {
  std::string content = "From: <alice@origin.test>\r\nTo: <user@fwd.test>\r\nSubject: load\r\n\r\n";
  while (content.size() < size) content += std::string(76, 'x') + "\r\n";
  return content;
}

inline std::string file_content(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) give_up(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline bool read_option(Options& options, std::string_view name, const char* value) {
  if (name == "--rate") {
    options.rate = std::strtod(value, nullptr);
  } else if (name == "--seconds") {
    options.seconds = std::strtod(value, nullptr);
  } else if (name == "--messages") {
    options.messages = std::strtoull(value, nullptr, 10);
  } else if (name == "--connections") {
    options.connections = std::strtoull(value, nullptr, 10);
  } else if (name == "--size") {
    options.size = std::strtoull(value, nullptr, 10);
  } else if (name == "--content") {
    options.content = file_content(value);
  } else if (name == "--recipients") {
    options.recipients = std::strtoull(value, nullptr, 10);
  } else if (name == "--prefix") {
    options.prefix = value;
  } else if (name == "--sender") {
    options.sender = value;
  } else {
    return false;
  }
  return true;
}

inline bool read_switch(Options& options, std::string_view name) {
  if (name == "--kept") return options.kept = true;
  if (name == "--starttls") return options.starttls = true;
  if (name == "--in-order") return options.in_order = true;
  return false;
}

/// Nothing when it cannot be understood.
inline std::optional<Options> read_options(std::span<char*> arguments) {
  Options options;
  if (arguments.size() < 2) return std::nullopt;
  options.port = static_cast<std::uint16_t>(std::strtoul(arguments[1], nullptr, 10));
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const std::string_view name = arguments[i];
    if (read_switch(options, name)) continue;
    if (i + 1 == arguments.size() || !read_option(options, name, arguments[i + 1])) {
      return std::nullopt;
    }
    ++i;
  }
  if (options.port == 0 || (options.rate <= 0 && options.messages == 0)) return std::nullopt;
  if (options.content.empty()) options.content = made_content(options.size);
  return options;
}

}  // namespace relay::bench
