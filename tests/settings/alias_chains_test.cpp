// Chains of aliases inside our own domains are followed when the configuration is read.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/settings/loader_fixture.hpp"

namespace relay::settings {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class AliasChains : public LoaderFixture {
 protected:
  /// Findings for an alias file of example.org, with example.net hosted as well.
  std::vector<std::string> problems_with(const std::string& aliases) {
    write("aliases", aliases + "postmaster: me@mail.example\n");
    return problems_of(
        "hostname = \"mx.example.org\"\n[[domain]]\nname = \"example.org\"\n"
        "aliases = [\"file:aliases\"]\n[[domain]]\nname = \"example.net\"\n[domain.alias]\n"
        "\"*\" = \"me@mail.example\"\n\"back\" = \"There@Example.ORG\"\n"
        "[srs]\ndomain = \"srs.example.org\"\n[[srs.secret]]\nid = \"a\"\n"
        "file = \"secrets/good\"\n[defaults]\npostmaster = \"me@mail.example\"\n");
  }

  static std::string targets(std::size_t count, const std::string& domain) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
      all += fmt::format("{}t{}@{}", i ? ", " : "", i, domain);
    return all;
  }
};

TEST_F(AliasChains, AreFollowedThroughAllDomainsOfOurs) {
  EXPECT_THAT(problems_with("there: back@example.net\n"),
              Contains(HasSubstr("alias there@example.org leads back to itself")));
  EXPECT_THAT(problems_with("there: user@elsewhere.example\n"), testing::IsEmpty());
}

TEST_F(AliasChains, EndAfterTenAliases) {
  std::string chain;
  for (int i = 0; i < 10; ++i) chain += fmt::format("a{}: a{}@example.org\n", i, i + 1);
  EXPECT_THAT(problems_with(chain + "a10: me@mail.example\n"),
              Contains(HasSubstr("alias a0@example.org is a chain of over 10 aliases")));
  EXPECT_THAT(problems_with(chain + "a10: me@mail.example\n"),
              Not(Contains(HasSubstr("alias a1@example.org"))));
}

TEST_F(AliasChains, LeadToAThousandAddressesAtMost) {
  EXPECT_THAT(problems_with("all: " + targets(1000, "x.example") + "\n"), testing::IsEmpty());
  EXPECT_THAT(problems_with("all: " + targets(1001, "x.example") + "\n"),
              Contains(HasSubstr("alias all@example.org leads to over 1000 addresses")));
  EXPECT_THAT(problems_with("all: " + targets(600, "x.example") +
                            ", rest@example.org\nrest: " + targets(401, "y.example") + "\n"),
              Contains(HasSubstr("alias all@example.org leads to over 1000 addresses")));
}

}  // namespace
}  // namespace relay::settings
