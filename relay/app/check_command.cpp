// `srs-relay check`: reports what a start would refuse, and doubts about what it would accept.
#include <algorithm>
#include <chrono>
#include <iostream>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "relay/app/commands.hpp"
#include "relay/app/dns_doubts.hpp"
#include "relay/app/doubts.hpp"
#include "relay/app/wall_now.hpp"
#include "relay/app/wiring_offline.hpp"
#include "relay/app/wiring_parts.hpp"
#include "relay/ops/json_line.hpp"
#include "relay/settings/problem.hpp"

namespace relay::app {

namespace json = boost::json;

namespace {

using settings::Problem;

std::string json_of(const Problem& problem) {
  ops::JsonLine json;
  json.text("severity", problem.warning ? "warning" : "error").text("file", problem.at.file);
  json.number("line", std::uint64_t{problem.at.line});
  json.number("column", std::uint64_t{problem.at.column});
  json.number("code", static_cast<std::uint64_t>(problem.code)).text("text", problem.text);
  if (!problem.hint.empty()) json.text("hint", problem.hint);
  if (!problem.check.empty()) json.text("check", problem.check);
  return std::move(json).line();
}

void append(std::vector<Problem>& problems, std::vector<Problem> more) {
  std::ranges::move(more, std::back_inserter(problems));
}

/// The doubts that only the DNS can settle; none if the resolver cannot be opened.
std::vector<Problem> asked_in_dns(const Policies& policies, const Invocation& call) {
  auto lookups = OfflineLookups::open(*policies.settings, std::nullopt);
  if (!lookups) return {};  // make_parts() has reported the same problem
  return (*lookups)->await(
      dns_doubts((*lookups)->resolver(), (*lookups)->clock(), policies, call.timeout));
}

std::vector<Problem> problems_of(const Invocation& call, const std::string& path) {
  const Parts parts = make_parts(path, Places::Judge, sockets_of_unit("/"));
  std::vector<Problem> problems = parts.problems;
  // Doubts are reported together with errors, so that one run shows everything.
  if (!parts.policies) return problems;
  const base::WallTime now = wall_now();
  append(problems, doubts_about(*parts.policies, now));
  append(problems, doubts_about_certificate(*parts.policies, parts.server_tls.get(), now));
  if (call.dns) append(problems, asked_in_dns(*parts.policies, call));
  return problems;
}

}  // namespace

int check(const Invocation& call) {
  const auto problems = problems_of(call, call.words.empty() ? call.config : call.words.front());
  const auto errors = std::ranges::count(problems, false, &Problem::warning);
  const auto warnings = static_cast<std::ptrdiff_t>(problems.size()) - errors;
  if (call.json) {
    for (const auto& problem : problems) std::cout << json_of(problem);
    std::cout << json::serialize(json::object{{"v", 1}, {"errors", errors}, {"warnings", warnings}})
              << '\n';
  } else {
    for (const auto& problem : problems) std::cerr << render(problem) << '\n';
    std::cout << fmt::format("{} error{}, {} warning{}\n", errors, errors == 1 ? "" : "s", warnings,
                             warnings == 1 ? "" : "s");
  }
  const bool good = errors == 0 && !(call.strict && warnings > 0);
  return good ? kExitOk : kExitNegative;
}

}  // namespace relay::app
