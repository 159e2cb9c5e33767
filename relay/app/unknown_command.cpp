#include "relay/app/unknown_command.hpp"

#include <fmt/format.h>

#include "relay/base/closest.hpp"

namespace relay::app {

namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

/// Whether the option takes the next word as its value.
bool takes_value(const CLI::App& app, const std::string& word) {
  if (word.find('=') != std::string::npos) return false;
  const CLI::Option* option = app.get_option_no_throw(word);
  return option != nullptr && option->get_items_expected_min() > 0;
}

}  // namespace

std::optional<std::string> unknown_command(const CLI::App& app,
                                           const std::vector<std::string>& words) {
  const CLI::App* group = &app;
  std::string path;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.starts_with('-')) {
      if (takes_value(app, word)) ++i;
      continue;
    }
    const CLI::App* found = nullptr;
    std::vector<std::string> names;
    for (const CLI::App* command : commands_of(*group)) {
      names.push_back(command->get_name());
      if (names.back() == word) found = command;
    }
    if (found == nullptr) {
      const std::string near = base::closest(word, names);
      if (!near.empty()) {
        return fmt::format("unknown command `{}{}`; did you mean `{}{}`?", path, word, path, near);
      }
      return fmt::format("unknown command `{}{}`; known: {}", path, word, fmt::join(names, ", "));
    }
    if (commands_of(*found).empty()) return std::nullopt;
    group = found;
    path += word + ' ';
  }
  return std::nullopt;
}

}  // namespace relay::app
