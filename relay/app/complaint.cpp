#include "relay/app/complaint.hpp"

#include <iostream>

#include "relay/ops/exit_code.hpp"
#include "relay/ops/json_line.hpp"
#include "relay/settings/problem.hpp"

namespace relay::app {

int complain(bool as_json, const std::string& what, int exit) {
  if (!as_json) {
    std::cerr << "srs-relay: " << what << '\n';
    return exit;
  }
  ops::JsonLine json;
  json.text("error", what);
  std::cout << std::move(json).line();
  return exit;
}

int complain(bool as_json, const std::vector<settings::Problem>& problems) {
  constexpr int kExit = static_cast<int>(ops::ExitCode::InvalidConfig);
  if (!as_json) {
    for (const auto& problem : problems) std::cerr << render(problem) << '\n';
    return kExit;
  }
  std::vector<std::string> lines;
  for (const auto& problem : problems) lines.push_back(render_line(problem));
  ops::JsonLine json;
  json.text("error", lines.empty() ? "the configuration cannot be used" : lines.front());
  json.texts("problems", lines);
  std::cout << std::move(json).line();
  return kExit;
}

}  // namespace relay::app
