#include "relay/settings/control_socket.hpp"

#include <algorithm>
#include <expected>
#include <optional>
#include <string_view>
#include <vector>

#include <glob.h>

#include "relay/settings/files.hpp"
#include "relay/settings/host.hpp"
#include "relay/settings/parse_toml.hpp"
#include "relay/settings/problem.hpp"

namespace relay::settings {

namespace {

/// True for "[control]", with blanks wherever TOML allows them, perhaps with a comment behind it.
bool begins_control(std::string_view line) {
  std::string bare;
  for (const char c : line.substr(0, line.find('#'))) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') bare += c;
  }
  return bare == "[control]";
}

/// The lines before the first table, and those of [control]: they can be parsed even when other
/// parts of the file are broken.
struct Cutting {
  std::string head;
  std::string control;
};

Cutting cut(std::string_view text) {
  Cutting pieces;
  std::string* into = &pieces.head;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    const std::string_view line = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    const std::size_t first = line.find_first_not_of(" \t");
    if (first != std::string_view::npos && line[first] == '[') {
      into = begins_control(line) ? &pieces.control : nullptr;
    }
    if (into != nullptr) into->append(line);
  }
  return pieces;
}

std::optional<std::string> socket_in(const std::expected<toml::table, Problem>& table,
                                     const std::string& file) {
  if (!table) return std::nullopt;
  const auto socket = (*table)["control"]["socket"].value_exact<std::string>();
  if (!socket || socket->empty()) return std::nullopt;
  return relative_to(*socket, file);
}

std::vector<std::string> included_by(const toml::table& head, const std::string& file) {
  std::vector<std::string> patterns;
  if (const auto one = head["include"].value_exact<std::string>()) patterns.push_back(*one);
  if (const auto* several = head["include"].as_array()) {
    for (const toml::node& pattern : *several) {
      if (const auto text = pattern.value_exact<std::string>()) patterns.push_back(*text);
    }
  }
  std::vector<std::string> files;
  for (const std::string& pattern : patterns) {
    glob_t matches{};
    if (::glob(relative_to(pattern, file).c_str(), 0, nullptr, &matches) == 0) {
      files.insert(files.end(), matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
    }
    ::globfree(&matches);
  }
  return files;
}

}  // namespace

ControlSocket find_control_socket(const std::string& config_path) {
  ControlSocket found{.path = Control().socket, .reason = {}};
  std::vector<std::string> files{config_path};
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string file = files[i];
    const auto content = read_file(file);
    if (!content) {
      if (found.reason.empty()) found.reason = "the default, for " + content.error().text;
      continue;
    }
    const Cutting pieces = cut(without_mark(*content));
    const auto head = parse_toml(pieces.head, file);
    auto socket = socket_in(parse_toml(pieces.control, file), file);
    if (!socket) socket = socket_in(head, file);
    if (socket) return {.path = *socket, .reason = "as " + file + " says"};
    if (i > 0 || !head) continue;
    for (std::string& included : included_by(*head, file)) files.push_back(std::move(included));
  }
  if (found.reason.empty()) {
    found.reason = "the default, for " + config_path + " has no [control] socket";
  }
  return found;
}

}  // namespace relay::settings
