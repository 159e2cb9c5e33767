// Text that would crash toml++, or that must not be given to it.
#include <array>

#include "tests/settings/loader_fixture.hpp"

namespace relay::settings {
namespace {

class ParseToml : public LoaderFixture {
 protected:
  /// The first line of the first problem, without the name of the file.
  std::string problem_of(const std::string& text) {
    const auto problems = problems_of(text);
    if (problems.empty()) return "none";
    const std::string line = problems.front().substr(0, problems.front().find('\n'));
    return line.starts_with("relay.toml:") ? line.substr(11) : line;
  }
};

/// toml++ asserts that a key, a value or a digit stands there.
TEST_F(ParseToml, WhatTheParserAssertsIsAProblemInItsPlace) {
  const std::array<std::pair<std::string, std::string>, 11> cases{{
      {"[[[[x", "1:3"},
      {"[[[[listener]]\n", "1:3"},
      {"hostname = \"x\"\n  [[[[a]]]]\n", "2:5"},
      {"[= 1]\n", "1:2"},
      {"a = 1\n[\n", "2:2"},
      {"[ .a]\n", "1:3"},
      {"[[ #]]\n", "1:4"},
      {"a = [}\n", "1:6"},
      {"a = [1, }]\n", "1:9"},
      {"a = 2026-01-01T:\n", "1:16"},
      {"# \xC3\xA9\na = \"\xC3\xA9\"\nb = [ \"\xC3\xA9\", }\n", "3:12"},
  }};
  for (const auto& [text, place] : cases) {
    EXPECT_EQ(problem_of(text), place + ": error[E001]: not TOML: this has no meaning here")
        << text;
  }
}

/// toml++ has no answer to which class some of these belong.
TEST_F(ParseToml, WhatIsNotAsciiStandsInQuotesOrComments) {
  const std::array<std::pair<std::string, std::string>, 11> cases{{
      {"\xC2\xA1 = 1\n", "1:1"},
      {"a \xD2\x98= 1\n", "1:3"},
      {"a = 1 \xC2\xB5\n", "1:7"},
      {"a = \xC2\xB5\n", "1:5"},
      {"[\xC2\xB5]\n", "1:2"},
      {"a = [\"\xC2\xB5\", \xC2\xB5]\n", "1:11"},
      {"a = { \xC2\xB5 = 1 }\n", "1:7"},
      {"a = \"\\\"\"\xC2\xB5\n", "1:9"},
      {"a = '''\n''''' \xC2\xB5\n", "2:7"},
      // The parser reads a number to its end before it sees what is in it.
      {"a = 1\"\xC2\xB5\"\n", "1:7"},
      {"a = [1=\"\xC2\xB5\"]\n", "1:9"},
  }};
  for (const auto& [text, place] : cases) {
    EXPECT_EQ(problem_of(text),
              place + ": error[E001]: not TOML: a character here must be ASCII, or stand in quotes")
        << text;
  }
  for (const auto& [text, place] : {std::pair{"a = \"\"\"\\\n \xC2\xB5\"\"\"\n", "2:2"},
                                    std::pair{"a = \"\"\"\\\xC2\xB5\"\"\"\n", "1:9"},
                                    std::pair{"a = \"\"\"\\ \xC2\xB5\"\"\"\n", "1:10"}}) {
    EXPECT_EQ(problem_of(text),
              std::string(place) +
                  ": error[E001]: not TOML: behind a backslash, a character must be ASCII")
        << text;
  }
}

TEST_F(ParseToml, WhatIsNotAsciiIsTakenWhereItMayStand) {
  for (const char* line : {
           "x = \"\xC2\xB5\" # \xC2\xB5\n",
           "\"\xC2\xB5\" = 1\n",
           "1.\"\xC2\xB5\" = 1\n",
           "007=\"\xC2\xB5\"\n",
           "x = ['\xC2\xB5', \"\\\\\xC2\xB5\", \"\\\"\xC2\xB5\"]\n",
           "x = { 1=\"\xC2\xB5\", 2 = 3, '\xC2\xB5' = 4 }\n",
           "x = [{ a = 1 }, \"\xC2\xB5\"]\n",
           "x = [ # \xC2\xB5\n  1, # \xC2\xB5\n  \"\xC2\xB5\",\n]\n",
           "x = \"\"\"\"\xC2\xB5\"\" \\\n  a\xC2\xB5\"\"\"\"\"\n",
           "x = '''\\\xC2\xB5'\xC2\xB5'''\n",
           "[1.'\xC2\xB5']\n",
       }) {
    const std::string problem = problem_of(line + kHead);
    EXPECT_FALSE(problem.contains("E001")) << line << problem;
  }
}

TEST_F(ParseToml, AByteOrderMarkIsPassedOver) { EXPECT_TRUE(load_text("\xEF\xBB\xBF" + kHead)); }

}  // namespace
}  // namespace relay::settings
