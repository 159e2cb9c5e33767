// [[provider]], and the list of them that is part of the program.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "tests/settings/loader_fixture.hpp"

namespace relay::settings {

using forward::Provider;

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Providers : public LoaderFixture {
 protected:
  std::vector<Provider> taken(const std::string& lines) {
    auto loaded = load_text(kHead + lines);
    if (loaded) return loaded->settings->providers;
    ADD_FAILURE() << render(loaded.error().front());
    return {};
  }

  static const Provider* named(const std::vector<Provider>& providers, const std::string& name) {
    const auto found = std::ranges::find(providers, name, &Provider::name);
    return found == providers.end() ? nullptr : &*found;
  }
};

TEST_F(Providers, HasTheLargeReceiversBuiltIn) {
  const auto providers = taken("");
  const auto* microsoft = named(providers, "microsoft-365");
  ASSERT_NE(microsoft, nullptr);
  EXPECT_THAT(microsoft->suffixes, testing::Contains("mail.protection.outlook.com"));
  const auto* google = named(providers, "google");
  ASSERT_NE(google, nullptr);
  EXPECT_THAT(google->suffixes, ElementsAre("google.com", "googlemail.com"));
  for (const char* name :
       {"yahoo",      "icloud",     "proofpoint", "mimecast", "zoho",    "fastmail",  "ionos",
        "ovh",        "gandi",      "gmx",        "yandex",   "mail-ru", "barracuda", "cisco",
        "trendmicro", "forcepoint", "amazon-ses", "proton",   "godaddy", "rackspace"}) {
    EXPECT_NE(named(providers, name), nullptr) << name;
  }
}

/// The machines that a company lets would be paced as its mail system.
TEST_F(Providers, NamesNoDomainUnderWhichCustomersHaveServers) {
  const auto providers = taken("");
  for (const Provider& provider : providers) {
    for (const char* shared : {"amazonaws.com", "ovh.net", "secureserver.net", "outlook.com",
                               "your-server.de", "rzone.de"}) {
      EXPECT_THAT(provider.suffixes, testing::Not(testing::Contains(shared))) << provider.name;
    }
  }
}

TEST_F(Providers, AddsTheOperatorsOwn) {
  const std::size_t built_in = taken("").size();
  const auto providers = taken(
      "[[provider]]\nname = \"Campus\"\nmx = \"MX.Campus.example\"\n"
      "[[provider]]\nname = \"b\"\nmx = [\"b.example\", \"xn--bcher-kva.example\"]\n");
  EXPECT_EQ(providers.size(), built_in + 2);
  EXPECT_THAT(named(providers, "campus")->suffixes, ElementsAre("mx.campus.example"));
  EXPECT_THAT(named(providers, "b")->suffixes, ElementsAre("b.example", "xn--bcher-kva.example"));
}

TEST_F(Providers, ReplacesABuiltInOneOfTheSameName) {
  const std::size_t built_in = taken("").size();
  const auto providers = taken(
      "[[provider]]\nname = \"gmail\"\nmx = [\"google.com\"]\n"  // free once google has another
                                                                 // list
      "[[provider]]\nname = \"Google\"\nmx = [\"googlemail.com\"]\n");
  EXPECT_EQ(providers.size(), built_in + 1);
  EXPECT_THAT(named(providers, "google")->suffixes, ElementsAre("googlemail.com"));
  EXPECT_THAT(named(providers, "gmail")->suffixes, ElementsAre("google.com"));
}

TEST_F(Providers, JoinsThoseOfIncludedFiles) {
  write("conf.d/a.toml", "[[provider]]\nname = \"a\"\nmx = [\"a.example\"]\n");
  auto loaded = load_text("include = [\"conf.d/*.toml\"]\n" + kHead +
                          "[[provider]]\nname = \"b\"\nmx = [\"b.example\"]\n");
  ASSERT_TRUE(loaded) << render(loaded.error().front());
  EXPECT_NE(named(loaded->settings->providers, "a"), nullptr);
  EXPECT_NE(named(loaded->settings->providers, "b"), nullptr);
}

TEST_F(Providers, ReportsEachMistakeWithItsPlace) {
  const std::vector<std::tuple<std::string, std::string, std::string>> table{
      {"[[provider]]\nmx = [\"a.example\"]\n", "relay.toml:6:1", "every [[provider]] needs a name"},
      {"[[provider]]\nname = \"\"\nmx = [\"a.example\"]\n", "relay.toml:7:8", "at most 40"},
      {"[[provider]]\nname = \"a.b\"\nmx = [\"a.example\"]\n", "relay.toml:7:8", "not \"a.b\""},
      {"[[provider]]\nname = 1\nmx = [\"a.example\"]\n", "relay.toml:7:8", "expected a string"},
      {"[[provider]]\nname = \"a\"\n", "relay.toml:6:1", "says which MX hosts are meant"},
      {"[[provider]]\nname = \"a\"\nmx = []\n", "relay.toml:8:6", "needs at least one end"},
      {"[[provider]]\nname = \"a\"\nmx = [\"a..b\"]\n", "relay.toml:8:6", "not \"a..b\""},
      {"[[provider]]\nname = \"a\"\nmx = [\"com\"]\n", "relay.toml:8:6", "two labels at least"},
      {"[[provider]]\nname = \"a\"\nmx = [\"*.a.example\"]\n", "relay.toml:8:6", "without \"*.\""},
      {"[[provider]]\nname = \"a\"\nmx = [\"[192.0.2.1]\"]\n", "relay.toml:8:6", "two labels"},
      {"[[provider]]\nname = \"a\"\nmx = [1]\n", "relay.toml:8:7", "strings only"},
      {"[[provider]]\nname = \"a\"\nmx = [\"a.example\", \"A.example\"]\n", "relay.toml:8:6",
       "\"a.example\" stands there twice"},
      {"[[provider]]\nname = \"a\"\nmx = [\"a.example\"]\n"
       "[[provider]]\nname = \"b\"\nmx = [\"a.example\"]\n",
       "relay.toml:11:6", "\"a.example\" belongs to a;"},
      {"[[provider]]\nname = \"a\"\nmx = [\"google.com\"]\n", "relay.toml:8:6",
       "\"google.com\" belongs to google; give that name to take its place"},
      {"[[provider]]\nname = \"a\"\nmx = [\"a.example\"]\n"
       "[[provider]]\nname = \"A\"\nmx = [\"b.example\"]\n",
       "relay.toml:10:8", "a stands above"},
      {"[[provider]]\nname = \"a\"\nmx = [\"a.example\"]\nhosts = []\n", "relay.toml:9:1",
       "unknown key"},
      {"[provider]\nname = \"a\"\n", "relay.toml:6:1", "an array of tables, written [[provider]]"},
  };
  for (const auto& [lines, place, says] : table) {
    const auto problems = problems_of(kHead + lines);
    ASSERT_EQ(problems.size(), 1U) << lines << testing::PrintToString(problems);
    EXPECT_THAT(problems.front(), testing::StartsWith(place + ": error")) << lines;
    EXPECT_THAT(problems.front(), HasSubstr(says)) << lines;
  }
}

}  // namespace
}  // namespace relay::settings
