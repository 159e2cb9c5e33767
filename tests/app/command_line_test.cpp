#include "relay/app/command_line.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/source_dir.hpp"
#include "tests/support/golden.hpp"

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

/// Help texts do not change by accident.
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
      {"queue", "bounce"},
      {"queue", "pause"},
      {"queue", "resume"},
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
  support::expect_golden("tests/app/help.golden", all);
}

TEST(CommandLine, HelpIsACommandToo) {
  const auto without_title = [](const std::string& page) { return page.substr(page.find('\n')); };
  EXPECT_EQ(without_title(help_of({"help"})), without_title(help_of({})));
  EXPECT_EQ(without_title(help_of({"help", "queue", "list"})),
            without_title(help_of({"queue", "list"})));
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

TEST(CommandLine, TakesTheOppositeOfAFilterWordForAWord) {
  const auto hold = call({"queue", "hold", "-from:<>", "to:x.example", "-message-id:a@b", "--yes",
                          "-c", "x.toml", "--reason", "-to:y is wrong"});
  EXPECT_EQ(hold.words, (std::vector<std::string>{"-from:<>", "to:x.example", "-message-id:a@b"}));
  EXPECT_EQ(hold.config, "x.toml");
  EXPECT_EQ(hold.reason, "-to:y is wrong");
  EXPECT_TRUE(hold.yes);
}

TEST(CommandLine, ListsInPages) {
  const auto list = call({"queue", "list", "--limit", "20", "--after", "01JD/3", "state:held"});
  EXPECT_EQ(list.limit, 20U);
  EXPECT_EQ(list.after, "01JD/3");
  EXPECT_FALSE(list.watch);
  EXPECT_FALSE(call({"queue", "list"}).limit);
}

TEST(CommandLine, WatchesEveryFewSeconds) {
  using std::chrono::seconds;
  EXPECT_EQ(call({"queue", "list", "--watch"}).watch, seconds(2));
  EXPECT_EQ(call({"queue", "list", "--watch", "--json"}).watch, seconds(2));
  EXPECT_EQ(call({"queue", "list", "--watch", "7", "all"}).watch, seconds(7));
  EXPECT_EQ(call({"queue", "list", "--watch=7", "--count", "3"}).count, 3U);
  const auto filtered = call({"queue", "list", "--watch", "to:x.example", "state:held"});
  EXPECT_EQ(filtered.watch, seconds(2));
  EXPECT_EQ(filtered.words, (std::vector<std::string>{"to:x.example", "state:held"}));
}

TEST(CommandLine, PausesForAWhile) {
  const auto pause =
      call({"queue", "pause", "mx:google.com", "--for", "1h", "--reason", "they are down"});
  EXPECT_EQ(pause.action, "pause");
  EXPECT_EQ(pause.words, std::vector<std::string>{"mx:google.com"});
  EXPECT_EQ(pause.span, "1h");
  EXPECT_EQ(call({"queue", "resume", "mx:google.com"}).action, "resume");
  EXPECT_TRUE(call({"queue", "show", "01JD7Z", "--content"}).content);
}

std::string complaint_about(const std::vector<std::string>& words) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(std::get<int>(parse(words)), kExitUsage);
  return testing::internal::GetCapturedStderr();
}

TEST(CommandLine, SaysWhichCommandWasMeant) {
  EXPECT_EQ(complaint_about({"stauts"}),
            "srs-relay: unknown command `stauts`; did you mean `status`?\n");
  EXPECT_EQ(complaint_about({"-c", "status", "--timeout=5", "queue", "lst"}),
            "srs-relay: unknown command `queue lst`; did you mean `queue list`?\n");
  EXPECT_EQ(complaint_about({"srs", "frobnicate"}),
            "srs-relay: unknown command `srs frobnicate`; known: encode, decode, digest, "
            "explain\n");
  EXPECT_EQ(complaint_about({"frobnicate"})
                .find("srs-relay: unknown command `frobnicate`; known: serve, "),
            0U);
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {},
           {"serv"},
           {"queue"},
           {"queue", "eat"},
           {"queue", "list", "--reason", "x"},
           {"queue", "list", "--limit", "0"},
           {"queue", "list", "--watch", "0"},
           {"queue", "list", "--watch", "99999999"},
           {"queue", "hold", "--content"},
           {"queue", "pause"},
           {"queue", "pause", "mx:a.example", "mx:b.example"},
           {"queue", "resume", "mx:a.example", "--for", "1h"},
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
