// The rules of the house, as functions from the text of a file to what it breaks.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace relay::architecture {

/// What `text` breaks, a sentence with a line number each. `path` is seen from the root of the
/// project, and decides which rules hold: "relay/smtp/reply.cpp".
std::vector<std::string> violations(std::string_view path, std::string_view text);

/// Sources by their paths.
using Sources = std::map<std::string, std::string, std::less<>>;

/// The rooms that a file of a room must not see and sees all the same, because what it includes
/// includes them: a sentence for each file and such room, with the shortest chain that leads there.
/// Whoever may not name a room is not to be compiled anew when that room changes, either.
std::vector<std::string> hidden_includes(const Sources& sources);

/// Beginnings of the names of headers that only some rooms may include, or none: "toml++/".
std::vector<std::string> guarded_libraries();

/// The rooms a room may include, as its CMakeLists.txt says behind SEES.
std::vector<std::string> rooms_seen(std::string_view cmake_text);

/// The rooms a room may include, as the rules say. Empty for what is not a room.
std::vector<std::string> rooms_allowed(std::string_view room);

}  // namespace relay::architecture
