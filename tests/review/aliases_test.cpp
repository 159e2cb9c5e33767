// Keys that never match, aliases that hide each other, and groups that are not there.
#include "tests/review/review_fixture.hpp"

namespace relay::review {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using Aliases = Review;

TEST_F(Aliases, NothingIsSaidOfAGoodConfiguration) {
  const std::string text = domain(
      "\"info\" = \"me@mail.example\"\n\"Team\" = [\"a@x.example\", \"info@fwd.example\"]\n"
      "\"old\" = { reject = \"550 5.1.6 moved\" }\n\"*\" = \"info+all@fwd.example\"\n"
      "[[domain.pattern]]\nmatch = \"(?P<p>[a-z]+)-support\"\nto = [\"s+${p}@x.example\"]\n");
  for (const Check& check : checks()) {
    EXPECT_THAT(said(std::string(check.name), text), IsEmpty()) << check.name;
  }
}

TEST_F(Aliases, AKeyIsWhatStandsBeforeTheAt) {
  EXPECT_THAT(said("key-never-matches", domain("\"info@fwd.example\" = \"me@mail.example\"\n")),
              ElementsAre("relay.toml:12:2: warning[E050]: alias "
                          "\"info@fwd.example\"@fwd.example never matches: a key is what stands "
                          "before the @ of an address\n"
                          "  12 | \"info@fwd.example\" = \"me@mail.example\"\n"
                          "     |  ^^^^^^^^^^^^^^^^ write what stands before the @"));
}

TEST_F(Aliases, EachKindOfKeyThatNeverMatchesHasItsSuggestion) {
  const std::pair<const char*, const char*> cases[] = {
      {"info@Other.example", "write what stands before the @ in the [[domain]] other.example"},
      {"@fwd.example", "for all other addresses of the domain write \"*\""},
      {"a, b", "write a key of its own for each name"},
      {"sales-*", "[[domain.pattern]], as match = \"sales-.*\""},
      {"john doe", "write the name without blanks and quotes"},
  };
  for (const auto& [key, hint] : cases) {
    EXPECT_THAT(
        said("key-never-matches", domain(std::string("\"") + key + "\" = \"a@b.example\"\n")),
        ElementsAre(HasSubstr(hint)))
        << key;
  }
}

TEST_F(Aliases, KeysOfAnAliasFileAreLookedAtToo) {
  write("aliases", "# ours\ninfo: me@mail.example\n  Sales@fwd.example: me@mail.example\n");
  EXPECT_THAT(said("key-never-matches",
                   quiet() + "[[domain]]\nname = \"fwd.example\"\naliases = [\"file:aliases\"]\n"),
              ElementsAre("aliases:3:3: warning[E050]: alias \"sales@fwd.example\"@fwd.example "
                          "never matches: a key is what stands before the @ of an address\n"
                          "   3 |   Sales@fwd.example: me@mail.example\n"
                          "     |   ^^^^^^^^^^^^^^^^^ write what stands before the @"));
}

TEST_F(Aliases, OfTwoWithOneNameTheSecondIsNotUsed) {
  write("aliases", "info: you@mail.example\nother: you@mail.example\n");
  EXPECT_THAT(
      said("alias-twice", quiet() +
                              "[[domain]]\nname = \"fwd.example\"\naliases = [\"file:aliases\"]\n"
                              "[domain.alias]\n\"Info\" = \"me@mail.example\"\n"),
      ElementsAre("aliases:1:1: warning[E050]: alias \"info\"@fwd.example is not used: the one at "
                  "relay.toml:13:1 goes before it\n"
                  "   1 | info: you@mail.example\n     | ^^^^ keep one of them"));
}

TEST_F(Aliases, APatternKnowsTheGroupsOfItsExpression) {
  const auto with = [&](const std::string& match, const std::string& to) {
    return said("pattern-group",
                domain("[[domain.pattern]]\nmatch = '" + match + "'\nto = [\"" + to + "\"]\n"));
  };
  EXPECT_THAT(
      with("(?P<name>[a-z]+)-support", "s+${nmae}@x.example"),
      ElementsAre("relay.toml:14:10: warning[E050]: pattern.to: \"s+${nmae}@x.example\": the "
                  "expression has no group \"nmae\", and nothing is put in its place\n"
                  "  14 | to = [\"s+${nmae}@x.example\"]\n"
                  "     |          ^^^^^^^ did you mean ${name}?"));
  EXPECT_THAT(with("([a-z]+)-support", "s+${2}@x.example"),
              ElementsAre(HasSubstr("no group \"2\"")));
  EXPECT_THAT(with("([a-z]+)-support", "s+$1@x.example"),
              ElementsAre(HasSubstr("a group is written ${1} or ${name}")));
  EXPECT_THAT(with("([a-z]+)-support", "s+${0}${1}@x.example"), IsEmpty());
}

/// A list is for the eye.
TEST_F(Aliases, OfManyMistakesOfAKindTheFirstAreShown) {
  std::string aliases;
  for (int i = 0; i < 80; ++i) {
    aliases += "a" + std::to_string(i) + "@fwd.example: me@mail.example\n";
  }
  write("aliases", aliases);
  const auto lines = said("key-never-matches", quiet() +
                                                   "[[domain]]\nname = \"fwd.example\"\n"
                                                   "aliases = [\"file:aliases\"]\n");
  ASSERT_THAT(lines, SizeIs(Doubts::kMostOfOne + 1));
  EXPECT_THAT(lines.back(), HasSubstr("relay.toml: warning[E050]: 30 more like these"));
}

}  // namespace
}  // namespace relay::review
