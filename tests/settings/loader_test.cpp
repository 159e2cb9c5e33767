#include "relay/settings/loader.hpp"

#include "relay/settings/file_stamp.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/settings.hpp"
#include "tests/settings/loader_fixture.hpp"
#include "tests/source_dir.hpp"

namespace relay::settings {
namespace {

class Loader : public LoaderFixture {};

/// Found by fuzzing: toml++ asserts on these, which would have ended a relay that reloads.
TEST_F(Loader, SurvivesWhatItsParserDoesNot) {
  for (const char* text : {"[[[[listener]]\n", "hostname = \"x\"\n[[[[a]]]]\n", "\xC2\xA1 = 1\n",
                           "a \xD2\x98= 1\n", "a = 1 \xC2\xB5\n"}) {
    const auto loaded = load_text(text);
    ASSERT_FALSE(loaded) << text;
    EXPECT_FALSE(loaded.error().empty());
  }
}

TEST_F(Loader, PathsAreSeenFromTheFolderOfTheConfiguration) {
  write("ca.pem", "");
  const auto loaded = load_text(R"(schema = 1
hostname = "mx.example.org"
[outbound]
ca_file = "ca.pem"
[queue]
store = "sqlite:queue/queue.db"
[control]
socket = "control.sock"
[log]
file = "relay.log"
[[domain]]
name = "fwd.example"
[domain.alias]
a = "b@dest.example"
[srs]
domain = "example.org"
[[srs.secret]]
id = "k"
file = "secrets/good"
)");
  ASSERT_TRUE(loaded) << render(loaded.error().front());
  const Settings& settings = *loaded->settings;
  EXPECT_EQ(settings.outbound.ca_file, (folder_ / "ca.pem").string());
  EXPECT_EQ(settings.queue.path, (folder_ / "queue/queue.db").string());
  EXPECT_EQ(settings.control.socket, (folder_ / "control.sock").string());
  EXPECT_EQ(settings.log.file, (folder_ / "relay.log").string());
}

TEST_F(Loader, TakesTheStoreOfTheQueueForAUrl) {
  struct Case {
    std::string url, scheme, server, path;
  };

  const std::string beside = (folder_ / "queue.db").string();
  const std::vector<Case> cases{
      {"sqlite:queue.db", "sqlite", "", beside},
      {"sqlite:/srv/queue.db", "sqlite", "", "/srv/queue.db"},
      {"sqlite:///srv/queue.db", "sqlite", "", "/srv/queue.db"},
      {"SQLite:/srv/queue.db", "sqlite", "", "/srv/queue.db"},
      {"sqlite://srv/queue.db", "sqlite", "srv/queue.db", Queue().path},
      {"postgres://me@db.example/mail", "postgres", "me@db.example/mail", Queue().path}};
  for (const auto& [url, scheme, server, path] : cases) {
    const auto loaded = load_text(kHead + "[queue]\nstore = \"" + url + "\"\n");
    ASSERT_TRUE(loaded) << url;
    const Queue& queue = loaded->settings->queue;
    EXPECT_EQ(queue.scheme, scheme) << url;
    EXPECT_EQ(queue.server, server) << url;
    EXPECT_EQ(queue.path, path) << url;
    EXPECT_EQ(position_of(*loaded->settings, queue.store_at).line, 7U) << url;
    EXPECT_EQ(position_of(*loaded->settings, queue.store_at).column, 9U) << url;
  }
}

TEST_F(Loader, RefusesAStoreThatIsNoUrl) {
  for (const char* text : {"", "sqlite", "sqlite:", "sqlite://", "/srv/queue.db", ":/srv/queue.db",
                           "2:/srv/queue.db", "a b:/srv/queue.db"}) {
    const auto problems = problems_of(kHead + "[queue]\nstore = \"" + text + "\"\n");
    ASSERT_EQ(problems.size(), 1U) << text;
    EXPECT_TRUE(problems.front().starts_with(
        "relay.toml:7:9: error[E011]: queue.store: expected a URL such as "
        "\"sqlite:/path/to/queue.db\"\n"))
        << problems.front();
  }
  EXPECT_EQ(problems_of(kHead + "[queue]\nstore = 1\n").size(), 1U);
}

TEST_F(Loader, TakesASmallFileAndFillsInDefaults) {
  const auto loaded = load_text(kHead +
                                "[defaults]\npostmaster = \"me@mail.example\"\n"
                                "[srs]\ndomain = \"srs.example.org\"\n[[srs.secret]]\n"
                                "id = \"a\"\nfile = \"secrets/good\"\n");
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded->warnings.empty());
  const Settings& settings = *loaded->settings;
  EXPECT_EQ(settings.hostname, "mx.example.org");
  EXPECT_EQ(settings.limits.max_size, 50U << 20);
  EXPECT_EQ(settings.listeners.front().addresses.size(), 2U);
  EXPECT_EQ(settings.retry.expire, std::chrono::days(5));
  EXPECT_EQ(settings.srs.max_age_days, 21);
  EXPECT_EQ(settings.domains.front().aliases.front().local_part, "*");
}

TEST_F(Loader, ReportsUnknownKeysWithPlaceAndSuggestion) {
  const auto problems = problems_of(kHead + "[queue]\nretry_shedule = [\"1m\"]\n");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems.front(),
            "relay.toml:7:1: error[E021]: unknown key `queue.retry_shedule`\n"
            "   7 | retry_shedule = [\"1m\"]\n"
            "     | ^^^^^^^^^^^^^ did you mean `retry_schedule`?");
}

TEST_F(Loader, ReportsEverythingInOneRun) {
  const auto problems = problems_of(
      "hostname = 5\n"
      "[[listener]]\naddress = \"nowhere\"\n"
      "[limits]\nmax_size = 50\n"
      "[queue]\nexpire = \"5x\"\n"
      "[[route]]\nmatch = \"*\"\nvia = [\"http://x\"]\n");
  EXPECT_EQ(problems.size(), 6U);  // and no [[domain]]
}

TEST_F(Loader, RefusesBareNumbersForDurationsAndSizes) {
  EXPECT_NE(problems_of(kHead + "[queue]\nexpire = 5\n").front().find("a duration in quotes"),
            std::string::npos);
  EXPECT_NE(problems_of(kHead + "[limits]\nmax_size = 5\n").front().find("a size in quotes"),
            std::string::npos);
}

TEST_F(Loader, ReportsDuplicateKeysInOurOwnWords) {
  const auto problems = problems_of("hostname = \"a.example\"\nhostname = \"b.example\"\n");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems.front().find("relay.toml:2:"), std::string::npos) << problems.front();
  EXPECT_NE(problems.front().find("error[E002]"), std::string::npos) << problems.front();
}

TEST_F(Loader, NamesBothPlacesWhenAnIncludeSetsAKeyAgain) {
  write("conf.d/a.toml", "[queue]\nexpire = \"1d\"\n");
  const auto problems =
      problems_of("include = [\"conf.d/*.toml\"]\n" + kHead + "[queue]\nexpire = \"2d\"\n");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems.front().find("conf.d/a.toml:1"), std::string::npos) << problems.front();
  EXPECT_NE(problems.front().find("relay.toml:7"), std::string::npos) << problems.front();
}

TEST_F(Loader, JoinsDomainsOfIncludedFiles) {
  write("conf.d/a.toml", "[[domain]]\nname = \"second.example\"\nmap_to = \"x.example\"\n");
  const auto loaded = load_text("include = [\"conf.d/*.toml\"]\n" + kHead);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->settings->domains.size(), 2U);
}

TEST_F(Loader, TellsInWhichFoldersPatternsOfIncludeBegin) {
  write("panel/c1/mail.toml", "[[domain]]\nname = \"a.example\"\nmap_to = \"x.example\"\n");
  const auto loaded = load_text("include = [\"panel/*/mail.toml\", \"later/*.toml\"]\n" + kHead);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->settings->named_folders,
            (std::vector<fs::path>{folder_ / "panel", folder_ / "later"}));
}

/// Comments of a trust anchor say when it was looked at last, and change all the time.
TEST_F(Loader, KnowsATrustAnchorByItsRecords) {
  const auto hash_with = [this](const std::string& anchor) {
    write("root.key", anchor);
    const auto loaded = load_text(kHead + "[dns]\ntrust_anchor = \"root.key\"\n");
    return loaded ? loaded->settings->dns.trust_anchor_hash : "";
  };
  const std::string first = hash_with("; today\n. IN DS 20326 8 2 AA\n. IN DS 38696 8 2 BB\n");
  EXPECT_NE(first, "");
  EXPECT_EQ(hash_with(".  IN DS 38696 8 2 BB ;;state=2\n\n. IN DS 20326 8 2 AA\n"), first);
  EXPECT_NE(hash_with(". IN DS 20326 8 2 AA\n"), first);
}

TEST_F(Loader, RefusesSecretsThatOthersCanReadOrGuess) {
  const auto with = [&](const std::string& file) {
    return problems_of(kHead +
                       "[srs]\ndomain = \"s.example\"\n[[srs.secret]]\nid = \"a\"\nfile = \"" +
                       file + "\"\n");
  };
  EXPECT_NE(with("secrets/open").front().find("error[E004]"), std::string::npos);
  EXPECT_NE(with("secrets/none").front().find("error[E003]"), std::string::npos);
  EXPECT_NE(with("secrets/short").front().find("128 bits"), std::string::npos);
  EXPECT_NE(with("secrets/sample").front().find("sample value"), std::string::npos);
}

TEST_F(Loader, FindsAliasLoopsAndBadAliases) {
  const auto problems = problems_of(
      "hostname = \"mx.example.org\"\n[[domain]]\nname = \"example.org\"\n[domain.alias]\n"
      "\"a\" = \"b@example.org\"\n\"b\" = \"a@example.org\"\n\"*\" = \"me@mail.example\"\n");
  ASSERT_FALSE(problems.empty());
  EXPECT_NE(problems.front().find("error[E030]"), std::string::npos) << problems.front();
  EXPECT_NE(problems_of(kHead + "\"x\" = \"not an address\"\n").front().find("error[E011]"),
            std::string::npos);
  EXPECT_NE(problems_of(kHead + "\"x\" = { reject = \"go away\" }\n").front().find("550 5.1.6"),
            std::string::npos);
  EXPECT_NE(problems_of(kHead + "[[domain.pattern]]\nmatch = \"(\"\nto = \"a@b.example\"\n")
                .front()
                .find("regular expression"),
            std::string::npos);
}

TEST_F(Loader, ReadsAliasFilesAndRefusesPipes) {
  write("aliases", "# ours\ninfo: a@x.example, b@y.example\nbad: |/bin/sh\n");
  const auto problems = problems_of(
      "hostname = \"mx.example.org\"\n[[domain]]\nname = \"example.org\"\n"
      "aliases = [\"file:aliases\"]\n");
  ASSERT_FALSE(problems.empty());
  EXPECT_NE(problems.front().find("aliases:3:5: error[E011]"), std::string::npos)
      << problems.front();
}

/// A half-written file is an error or a whole configuration, never part of one.
TEST_F(Loader, NeverAppliesATruncatedFileInPart) {
  const std::string whole = kHead + "[queue]\nexpire = \"2d\"\nwarn_after = \"1h\"\n";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto loaded = load_text(whole.substr(0, length));
    if (loaded) {
      EXPECT_FALSE(loaded->settings->domains.empty()) << length;
      EXPECT_EQ(loaded->settings->hostname, "mx.example.org") << length;
    }
  }
}

TEST_F(Loader, ShippedConfigurationsAreGood) {
  for (const char* name : {"srs-2026b", "srs-2026a"}) {
    write(std::string("secrets/") + name, std::string("k7Fq2mXw9ZrT4vNb") + name, 0600);
  }
  for (const char* name : {"dkim-ed25519.pem", "dkim-rsa.pem"}) {
    write(std::string("secrets/") + name, "x", 0600);
  }
  write("tls/fullchain.pem", "x");
  write("tls/key.pem", "x", 0600);
  write("aliases/example.org", "sales: s@x.example\n");
  for (const char* name : {"minimal.toml", "hosting.toml"}) {
    std::ifstream file(std::string(RELAY_SOURCE_DIR "/config/") + name);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    ASSERT_FALSE(text.empty());
    EXPECT_EQ(problems_of(text), std::vector<std::string>()) << name;
  }
}

}  // namespace
}  // namespace relay::settings
