// What documents, comments and scripts cite is there; and each rule is seen to catch what breaks
// it.
#include "tests/architecture/documents.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/source_dir.hpp"
#include "tests/support/read_file.hpp"

namespace relay::architecture {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Sources, scripts and documents cite documents; what is generated or recorded does not count.
bool is_read(const fs::path& path) {
  static const std::set<std::string> kEndings{".md", ".cpp",  ".hpp", ".py",   ".pl",     ".txt",
                                              ".in", ".toml", ".yml", ".smtp", ".socket", ".cmake"};
  if (kEndings.contains(path.extension().string())) return true;
  return !path.has_extension() && support::read_file(path).starts_with("#!");
}

/// What belongs to the project; what a build or an editor leaves beside it does not.
const Files& project() {
  static const Files files = [] {
    const fs::path root(RELAY_SOURCE_DIR);
    Files found;
    const auto add = [&](const fs::path& path) {
      found[path.lexically_relative(root).generic_string()] =
          is_read(path) ? support::read_file(path) : "";
    };
    for (const auto& entry : fs::directory_iterator(root)) {
      if (entry.is_regular_file()) add(entry.path());
    }
    for (const char* top :
         {".ci", ".github", "config", "docs", "relay", "scripts", "srs", "tests"}) {
      if (!fs::is_directory(root / top)) continue;
      for (auto at = fs::recursive_directory_iterator(root / top); at != fs::end(at); ++at) {
        const std::string name = at->path().filename();
        if (name == "seeds" || name == "__pycache__") at.disable_recursion_pending();
        if (at->is_regular_file()) add(at->path());
      }
    }
    return found;
  }();
  return files;
}

bool is_document(std::string_view path) { return path.ends_with(".md"); }

TEST(Documents, ThatAreCitedAreThere) {
  ASSERT_GT(project().size(), 500U);
  for (const auto& [path, text] : project()) {
    if (path == "tests/architecture/documents_test.cpp") continue;  // cites what there is not
    EXPECT_THAT(missing_documents(path, text, project()), IsEmpty()) << path;
  }
}

TEST(Documents, HaveLinksThatLeadSomewhere) {
  int documents = 0;
  for (const auto& [path, text] : project()) {
    if (!is_document(path)) continue;
    EXPECT_THAT(broken_links(path, text, project()), IsEmpty()) << path;
    ++documents;
  }
  EXPECT_GT(documents, 40);
}

TEST(Documents, NameProofsThatAreThere) {
  EXPECT_THAT(missing_proofs(project().at("docs/guarantees.md"), project()), IsEmpty());
}

TEST(Documents, HaveATestForEachGuarantee) {
  EXPECT_THAT(unproven_sections(project().at("docs/guarantees.md"), project()), IsEmpty());
}

TEST(Documents, DefineTheGuaranteesDecisionsAndFilesThatAreCited) {
  const std::string& guarantees = project().at("docs/guarantees.md");
  int citing = 0;
  for (const auto& [path, text] : project()) {
    if (path.starts_with("tests/architecture/")) continue;  // cites what there is not
    EXPECT_THAT(undefined_guarantees(text, guarantees), IsEmpty()) << path;
    EXPECT_THAT(missing_decisions(text, project()), IsEmpty()) << path;
    if (path.starts_with("relay/") && text.contains("guarantee \"")) ++citing;
    if (path.ends_with("pp")) EXPECT_THAT(missing_files(text, project()), IsEmpty()) << path;
  }
  EXPECT_GT(citing, 20);
}

/// What git prints about the project; "" where there is no repository, or no git.
std::string git(const std::string& arguments) {
  const std::string command =
      "git -C '" + std::string(RELAY_SOURCE_DIR) + "' " + arguments + " 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string said;
  for (int c = 0; pipe && (c = std::fgetc(pipe.get())) != EOF;) said += static_cast<char>(c);
  return said;
}

bool has_history() { return git("rev-parse --is-shallow-repository") == "false\n"; }

TEST(Documents, CiteCommitsThatAReaderHas) {
  if (!has_history()) GTEST_SKIP() << "no repository with its whole history";
  std::istringstream history(git("rev-list HEAD"));
  const Commits commits{std::istream_iterator<std::string>(history), {}};
  ASSERT_FALSE(commits.empty());
  for (const auto& [path, text] : project()) {
    if (is_document(path)) EXPECT_THAT(missing_commits(text, commits), IsEmpty()) << path;
  }
}

TEST(Documents, AreReachedFromTheReadme) {
  const auto lost = unreachable_documents("README.md", project());
  std::vector<std::string> ours;  // what is for the hosting platform is found by the platform
  std::ranges::copy_if(lost, std::back_inserter(ours),
                       [](const auto& path) { return !path.starts_with(".github/"); });
  EXPECT_THAT(ours, IsEmpty());
}

// From here on the negative controls: each would pass without its rule.

const Files kFew{{"README.md", "# Few\n[a page](docs/page.md)\n"},
                 {"docs/page.md", "# A page\n## What it `says`, twice\n## What it `says`, twice\n"},
                 {"docs/lost.md", "# Nobody knows\n"},
                 {"tests/x_test.cpp", "TEST(Room, KeepsAPromise) {}\n"},
                 {"tests/test_y.py", "class Life:\n    def test_it_goes_on(self):\n"}};

TEST(MissingDocument, IsSeenWhereverItIsCited) {
  const std::string cited = std::string("no-such") + ".md";
  for (const char* path : {"relay/app/a.cpp", "tests/a.py", "scripts/a", "docs/a.md"}) {
    EXPECT_THAT(missing_documents(path, "one line\n# as in " + cited + " §2\n", kFew),
                ElementsAre("2: " + cited + " is not in the repository"))
        << path;
  }
  EXPECT_THAT(missing_documents("a.md", "docs/" + cited + " and ../" + cited, kFew),
              ElementsAre(HasSubstr("docs/" + cited), HasSubstr("../" + cited)));
}

TEST(MissingDocument, IsNotWhatIsThere) {
  EXPECT_THAT(missing_documents("docs/page.md",
                                "page.md, docs/page.md, ../README.md, \"/docs/page.md\", lost.md, "
                                "*.md, https://host.example/other.md\n",
                                kFew),
              IsEmpty());
}

TEST(BrokenLink, IsSeen) {
  EXPECT_THAT(broken_links("docs/page.md",
                           "[a](none.md)\n[b](../docs/lost.md#no-such-heading)\n[c](#none)\n"
                           "[d](../../outside.md \"title\")\n![e](rates.svg)\n",
                           kFew),
              ElementsAre(HasSubstr("1: none.md"), HasSubstr("2: docs/lost.md has no heading"),
                          HasSubstr("3: docs/page.md has no heading"), HasSubstr("4: ../../"),
                          HasSubstr("5: rates.svg")));
}

TEST(BrokenLink, IsNotOneThatLeadsSomewhere) {
  EXPECT_THAT(broken_links("docs/page.md",
                           "[a](lost.md) [b](../README.md#few) [c](#a-page) [d](../tests) "
                           "[e](https://host.example/x) [f](page.md#what-it-says-twice-1) "
                           "`[code](none.md)`\n```\n[fenced](none.md)\n```\n",
                           kFew),
              IsEmpty());
}

TEST(MissingProof, IsSeen) {
  EXPECT_THAT(missing_proofs("Tests: `tests/none_test.cpp`; `tests/x_test.cpp` (KeepsAPromise, "
                             "Keeps,\nNone); `tests/test_y.py` (Life, goes_on)",
                             kFew),
              ElementsAre("tests/none_test.cpp is not there", "tests/x_test.cpp has no Keeps",
                          "tests/x_test.cpp has no None", "tests/test_y.py has no goes_on"));
}

TEST(MissingProof, IsNotOneThatIsThere) {
  EXPECT_THAT(missing_proofs("`tests/x_test.cpp` (KeepsAPromise); `tests/test_y.py` (Life, "
                             "it_goes_on, test_it_goes_on); `tests/test_y.py`, see `tests`",
                             kFew),
              IsEmpty());
}

constexpr const char* kTwoGuarantees =
    "# What is kept\n### Mail does not go round\nTests: `tests/x_test.cpp` (KeepsAPromise).\n"
    "### It goes on\nAs the section before. Tests: `tests/none_test.cpp`; `scripts/test`.\n"
    "## What no test shows\n- nothing: `tests/x_test.cpp`\n";

TEST(UnprovenSection, IsSeen) {
  EXPECT_THAT(unproven_sections(kTwoGuarantees, kFew), ElementsAre("It goes on: no test"));
}

TEST(UndefinedGuarantee, IsSeen) {
  EXPECT_THAT(undefined_guarantees("// Holds the guarantee \"Mail goes round\".\n"
                                   "/// Guarantee, see guarantee \"What no test\n/// shows\".\n"
                                   "# guarantees \"It goes on\" and more\n",
                                   kTwoGuarantees),
              ElementsAre(HasSubstr("Mail goes round"), HasSubstr("What no test shows")));
}

TEST(UndefinedGuarantee, IsNotOneThatIsDefined) {
  EXPECT_THAT(undefined_guarantees("// The guarantee \"It goes on\" is kept here.\n"
                                   "  /// Keeps guarantee \"Mail does\n  /// not go round\".\n"
                                   "int a;  ///< guarantee \"Mail does not\n"
                                   "        ///< go round\"; what is guaranteed\n",
                                   kTwoGuarantees),
              IsEmpty());
}

TEST(MissingFile, IsSeen) {
  EXPECT_THAT(missing_files("// see tests/x_test.cpp and docs, tests/y_test.cpp.\n"
                            "f(\"relay/none.hpp\");  // as in relay/none\n"
                            "#include \"relay/none.hpp\"\nopen(\"https://a/docs/none\");\n",
                            kFew),
              ElementsAre("1: tests/y_test.cpp is not there", "2: relay/none is not there"));
}

TEST(MissingDecision, IsSeen) {
  const Files files{{"docs/adr/0001-one.md", ""}, {"docs/adr/0015-held.md", ""}};
  EXPECT_THAT(missing_decisions("// ADR 15 and ADR 1; ADR 2 and\n// ADR\n// 150\n", files),
              ElementsAre("ADR 2 is not in docs/adr", "ADR 150 is not in docs/adr"));
}

const Commits kTwoCommits{"0db4597000000000000000000000000000000000",
                          "c38a1fb000000000000000000000000000000000"};

TEST(MissingCommit, IsSeen) {
  EXPECT_THAT(missing_commits("measured with\n`c38a1fa` and c38a1fb0001, 0db4598\n", kTwoCommits),
              ElementsAre(HasSubstr("2: c38a1fa is no commit"), HasSubstr("2: c38a1fb0001"),
                          HasSubstr("2: 0db4598")));
}

TEST(MissingCommit, IsNotOneThatIsThereAndNoOtherWord) {
  EXPECT_THAT(missing_commits("`c38a1fb`, 0db45970000, 12345678, defaced, ed25519, 0xc38a1fa, "
                              "ab12cd, c38a1fa0123456789, a sha256:c38a1fax\n",
                              kTwoCommits),
              IsEmpty());
}

TEST(LostDocument, IsSeen) {
  EXPECT_THAT(unreachable_documents("README.md", kFew), ElementsAre("docs/lost.md"));
}

}  // namespace
}  // namespace relay::architecture
