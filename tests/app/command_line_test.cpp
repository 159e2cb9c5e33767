#include "relay/app/command_line.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/source_dir.hpp"

namespace relay::app {
namespace {

std::variant<Invocation, int> parse(const std::vector<std::string>& words) {
  std::vector<const char*> argv{"srs-relay"};
  for (const auto& word : words) argv.push_back(word.c_str());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

Invocation call(const std::vector<std::string>& words) {
  const auto parsed = parse(words);
  EXPECT_TRUE(std::holds_alternative<Invocation>(parsed));
  return std::get<Invocation>(parsed);
}

std::string help_of(std::vector<std::string> words) {
  words.emplace_back("--help");
  testing::internal::CaptureStdout();
  EXPECT_EQ(std::get<int>(parse(words)), kExitOk);
  std::string title = "$ srs-relay";
  for (const auto& word : words) title += ' ' + word;
  return title + '\n' + testing::internal::GetCapturedStdout();
}

/// What users and their scripts read does not change by accident. After a change on purpose:
/// UPDATE_GOLDEN=1 app_test
TEST(CommandLine, HelpIsAsRecorded) {
  const std::vector<std::vector<std::string>> pages = {
      {},
      {"serve"},
      {"check"},
      {"reload"},
      {"status"},
      {"resolve"},
      {"queue"},
      {"queue", "list"},
      {"queue", "show"},
      {"queue", "why"},
      {"queue", "retry"},
      {"queue", "hold"},
      {"queue", "release"},
      {"queue", "drop"},
      {"srs"},
      {"srs", "encode"},
      {"srs", "decode"},
      {"srs", "digest"},
      {"srs", "explain"},
      {"dkim"},
      {"dkim", "new"},
  };
  std::string all;
  for (const auto& page : pages) all += help_of(page);
  const std::string file = std::string(RELAY_SOURCE_DIR) + "/tests/app/help.golden";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(file) << all;
  std::stringstream recorded;
  recorded << std::ifstream(file).rdbuf();
  EXPECT_EQ(all, recorded.str());
}

TEST(CommandLine, OptionsMayStandBeforeAndAfterTheVerb) {
  for (const auto& words : {std::vector<std::string>{"--json", "-c", "x.toml", "queue", "list"},
                            std::vector<std::string>{"queue", "list", "--json", "-c", "x.toml"}}) {
    const auto list = call(words);
    EXPECT_EQ(list.verb, Verb::Queue);
    EXPECT_EQ(list.action, "list");
    EXPECT_EQ(list.config, "x.toml");
    EXPECT_TRUE(list.json);
  }
}

TEST(CommandLine, DropCarriesItsReason) {
  const auto drop = call({"queue", "drop", "to:a@b.example", "from:spam", "--reason", "spam run"});
  EXPECT_EQ(drop.words, (std::vector<std::string>{"to:a@b.example", "from:spam"}));
  EXPECT_EQ(drop.reason, "spam run");
  EXPECT_FALSE(drop.yes);
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {},
           {"serv"},
           {"queue"},
           {"queue", "eat"},
           {"queue", "list", "--reason", "x"},
           {"serve", "--fast"},
           {"status", "--timeout", "0"},
           {"dkim", "new", "--domain", "d.example"},
           {"dkim", "new", "--domain", "d", "--selector", "s", "--out", "f", "--type", "dsa"}}) {
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    const auto parsed = parse(words);
    testing::internal::GetCapturedStdout();
    const std::string said = testing::internal::GetCapturedStderr();
    ASSERT_TRUE(std::holds_alternative<int>(parsed));
    EXPECT_EQ(std::get<int>(parsed), kExitUsage);
    EXPECT_FALSE(said.empty());
  }
}

}  // namespace
}  // namespace relay::app
