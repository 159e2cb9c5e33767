// check_spf: a question a line on standard input — a JSON object with `ip`, `helo`, `mailfrom` and
// a `zone` as in vectors/spf —, an answer a line on standard output, for checkers that are not
// ours.
#include <cstdio>
#include <iostream>
#include <string>

#include "tests/auth/spf/json_zone.hpp"
#include "tests/auth/spf/run_check.hpp"

namespace {

using namespace relay::auth;
namespace json = boost::json;

std::string answer(const std::string& line) {
  const json::value parsed = json::parse(line);
  const json::object& question = parsed.as_object();
  relay::fakes::InstantResolver resolver;
  spf::fill(resolver, question.at("zone").as_object());
  const auto evaluation = spf::run_check(resolver, spf::query_of(question));
  return json::serialize(json::object{{"result", relay::mail::name_of(evaluation.verdict.result)},
                                      {"mechanism", evaluation.verdict.mechanism},
                                      {"problem", evaluation.verdict.problem},
                                      {"explanation", evaluation.explanation}});
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) std::printf("%s\n", answer(line).c_str());
}
