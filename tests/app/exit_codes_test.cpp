// One table of exit codes: in the program, in its help and in the guide.
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/app/command_line.hpp"
#include "relay/app/complaint.hpp"
#include "relay/ops/exit_code.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/problem_code.hpp"
#include "tests/support/read_file.hpp"

namespace relay::app {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(ExitCodes, TheGuideHasTheTable) {
  const std::string guide = support::read_source("docs/exit-codes.md");
  std::string table = "| Code | When |\n|---:|---|\n";
  for (const auto& [code, meaning] : ops::kExitCodes) {
    table += fmt::format("| {} | {} |\n", static_cast<int>(code), meaning);
  }
  EXPECT_THAT(guide, HasSubstr(table));
}

TEST(ExitCodes, NoneStandsForTwoThings) {
  std::set<int> seen;
  for (const auto& [code, meaning] : ops::kExitCodes) {
    EXPECT_TRUE(seen.insert(static_cast<int>(code)).second) << meaning;
  }
}

int exit_of(const std::vector<const char*>& words, std::string& out, std::string& err) {
  std::vector<const char*> argv{"srs-relay"};
  argv.insert(argv.end(), words.begin(), words.end());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const auto parsed = parse_command_line(static_cast<int>(argv.size()), argv.data());
  out = testing::internal::GetCapturedStdout();
  err = testing::internal::GetCapturedStderr();
  const int* const exit = std::get_if<int>(&parsed);
  return exit != nullptr ? *exit : -1;
}

TEST(ExitCodes, WhatIsNotUnderstoodIsJsonWhereThatWasAskedFor) {
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{"--json", "stauts"},
                                             {"--json", "queue", "lst"},
                                             {"status", "--json", "--no-such-option"},
                                             {"--json", "resolve"},
                                             {"--json", "queue", "list", "--watch", "0"},
                                             {"--json"}}) {
    std::string out;
    std::string err;
    EXPECT_EQ(exit_of(words, out, err), kExitUsage) << words.back();
    EXPECT_THAT(out, StartsWith(R"({"v":1,"error":")")) << words.back();
    EXPECT_EQ(err, "") << words.back();
  }
  std::string out;
  std::string err;
  EXPECT_EQ(exit_of({"stauts"}, out, err), kExitUsage);
  EXPECT_EQ(out, "");
  EXPECT_THAT(err, HasSubstr("did you mean `status`?"));
}

TEST(Complaint, OfAConfigurationHasEveryProblem) {
  const std::vector<settings::Problem> problems{
      {.at = {"a.toml", 1, 2}, .code = settings::ProblemCode::Value, .text = "wrong"},
      {.at = {"a.toml", 3, 1}, .code = settings::ProblemCode::Missing, .text = "missing"}};
  testing::internal::CaptureStdout();
  EXPECT_EQ(complain(true, problems), kExitConfig);
  const std::string out = testing::internal::GetCapturedStdout();
  EXPECT_THAT(out, StartsWith(R"({"v":1,"error":"a.toml:1:2: )"));
  EXPECT_THAT(out, HasSubstr(R"("problems":["a.toml:1:2: )"));
  EXPECT_THAT(out, HasSubstr("a.toml:3:1: "));
}

}  // namespace
}  // namespace relay::app
