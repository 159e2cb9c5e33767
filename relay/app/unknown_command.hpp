// "unknown command `stauts`; did you mean `status`?", made from the table of commands.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace relay::app {

/// What is wrong with the first word that should be a command but is none; nullopt: nothing.
/// `words` are without the program name.
std::optional<std::string> unknown_command(const CLI::App& app,
                                           const std::vector<std::string>& words);

}  // namespace relay::app
