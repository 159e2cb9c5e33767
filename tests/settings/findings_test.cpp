// Doubts of the loader, and its findings about files of another kind.
#include "relay/settings/findings.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/settings/loader_fixture.hpp"

namespace relay::settings {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class LoaderDoubts : public LoaderFixture {
 protected:
  static std::string quiet() {
    return "hostname = \"mx.relay.example\"\n[srs]\ndomain = \"srs.relay.example\"\n"
           "[[srs.secret]]\nid = \"k\"\nfile = \"secrets/good\"\n[defaults]\npostmaster = "
           "\"me@mail.example\"\n[[domain]]\nname = \"fwd.example\"\n";
  }

  std::vector<std::string> of_alias_file(const std::string& content) {
    write("aliases", content);
    return problems_of(quiet() + "aliases = [\"file:aliases\"]\n");
  }
};

TEST_F(LoaderDoubts, AMarkInFrontOfAFileIsReadOverAndTold) {
  EXPECT_THAT(
      of_alias_file("\xEF\xBB\xBFinfo: me@mail.example\n"),
      ElementsAre("aliases:1:1: warning[E011]: the file begins with a byte order mark, which "
                  "is passed over\n"
                  "   1 | info: me@mail.example\n     | ^ save it as UTF-8 without one"));
  const auto loaded = load_text(quiet() + "aliases = [\"file:aliases\"]\n");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->settings->domains.front().aliases.front().local_part, "info");
  EXPECT_THAT(problems_of("\xEF\xBB\xBF" + quiet() + "map_to = \"x.example\"\n"),
              ElementsAre(HasSubstr("relay.toml:1:1: warning[E011]: the file begins with")));
  write("confirmed.txt", "\xEF\xBB\xBFme@mail.example\n");
  EXPECT_THAT(problems_of(quiet() + "map_to = \"x.example\"\n[consent]\nrequired = true\n"),
              ElementsAre(HasSubstr("confirmed.txt:1:1: warning[E011]: the file begins with")));
}

TEST_F(LoaderDoubts, AnIncludeThatNamesNoFileIsTold) {
  write("conf.d/domains.toml", "[[domain]]\nname = \"next.example\"\nmap_to = \"x.example\"\n");
  const auto with = [&](const std::string& include) {
    return problems_of("include = [" + include + "]\n" + quiet() + "map_to = \"x.example\"\n");
  };
  EXPECT_THAT(with("\"conf.d/*.toml\""), IsEmpty());
  EXPECT_THAT(
      with("\"conf.d/*.toml\", \"conf.d/domain.toml\""),
      ElementsAre("relay.toml:1:29: warning[E011]: include: there is no conf.d/domain.toml: "
                  "what it sets is not in force\n"
                  "   1 | include = [\"conf.d/*.toml\", \"conf.d/domain.toml\"]\n"
                  "     |                             ^^^^^^^^^^^^^^^^^^^^ did you mean "
                  "domains.toml?"));
  EXPECT_THAT(with("\"other.d/*.toml\""),
              ElementsAre(HasSubstr("relay.toml:1:12: warning[E011]: include: no file matches "
                                    "\"other.d/*.toml\"")));
}

TEST_F(LoaderDoubts, APostfixMapIsToldWhatToWriteInstead) {
  EXPECT_THAT(
      of_alias_file("info@fwd.example  me@mail.example, you@x.example\n"
                    "@fwd.example all@mail.example\n"
                    "sales@other.example\ts@x.example\n"
                    "info me@mail.example\n"
                    "fwd.example anything\n"
                    "nonsense\n"),
      ElementsAre(AllOf(HasSubstr("aliases:1:1: error[E001]: expected `local: target, target`"),
                        HasSubstr("write `info: me@mail.example, you@x.example` instead")),
                  HasSubstr("write `*: all@mail.example` instead"),
                  HasSubstr("write `sales: s@x.example` instead, in the aliases of "
                            "other.example"),
                  HasSubstr("write `info: me@mail.example` instead"),
                  HasSubstr("leave the line out, [[domain]] says it"),
                  AllOf(HasSubstr("expected `local: target"), testing::Not(HasSubstr("Postfix")))));
  for (const char* kind : {"hash", "lmdb", "cdb", "texthash"}) {
    EXPECT_THAT(problems_of(quiet() + "aliases = [\"" + kind + ":/etc/postfix/virtual\"]\n"),
                ElementsAre(HasSubstr("name a text file, \"file:…\"")));
  }
  EXPECT_THAT(problems_of(quiet() + "aliases = [\"pcre:/etc/postfix/virtual\"]\n"),
              ElementsAre(HasSubstr("write [[domain.pattern]] instead")));
  EXPECT_THAT(of_alias_file(std::string("\0\x06\x15", 3)),
              ElementsAre(HasSubstr("not a text file")));
}

TEST_F(LoaderDoubts, OfAFileFullOfMistakesTheFirstAreShown) {
  std::string text;
  for (int i = 0; i < 1500; ++i) text += "line\n";
  const auto problems = of_alias_file(text);
  ASSERT_THAT(problems, SizeIs(Findings::kMostShown + 1));
  EXPECT_THAT(problems.back(), HasSubstr("error[E001]: 500 more of what is wrong is not shown"));
}

/// The reason why a start fails comes first.
TEST_F(LoaderDoubts, WarningsCrowdOutNoError) {
  std::string text;
  for (int i = 0; i < 1500; ++i)
    text += fmt::format("a{}: {}@x.example\n", i, std::string(65, 'a'));
  const auto problems = of_alias_file(text + "bad: |/bin/sh\n");
  EXPECT_THAT(problems, testing::Contains(HasSubstr("aliases:1501:5: error[E011]")));
  EXPECT_THAT(problems, testing::Contains(HasSubstr("warning[E011]: 500 more")));
}

/// The first of two aliases is used, so that its targets are the ones that are followed.
TEST_F(LoaderDoubts, AnAliasThatIsNotUsedMakesNoCircle) {
  write("aliases", "a: b@fwd.example\n");
  EXPECT_THAT(problems_of(quiet() + "aliases = [\"file:aliases\"]\n[domain.alias]\n\"a\" = "
                                    "\"me@mail.example\"\n\"b\" = \"a@fwd.example\"\n"),
              IsEmpty());
  EXPECT_THAT(problems_of(quiet() + "[domain.alias]\n\"a\" = \"b@fwd.example\"\n\"b\" = "
                                    "\"a@fwd.example\"\n"),
              testing::Contains(HasSubstr("relay.toml:12:1: error[E030]: alias a@fwd.example leads "
                                          "back to itself")));
}

}  // namespace
}  // namespace relay::settings
