// "unknown command `stauts`; did you mean `status`?", from the table of commands itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace relay::app {

/// What is wrong with the first word that should name a command and does not; nullopt: nothing, or
/// no such word is there. `words` without the name of the program.
std::optional<std::string> unknown_command(const CLI::App& app,
                                           const std::vector<std::string>& words);

}  // namespace relay::app
