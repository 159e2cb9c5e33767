// Every source file keeps the rules of the house; and each rule is seen to catch what breaks it.
#include <algorithm>
#include <filesystem>
#include <iterator>

#include <gmock/gmock.h>

#include "tests/architecture/rules.hpp"
#include "tests/architecture/sources.hpp"
#include "tests/architecture/using_declarations.hpp"
#include "tests/source_dir.hpp"
#include "tests/support/read_file.hpp"

namespace relay::architecture {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Architecture, HoldsInEverySource) {
  const auto files = all_sources();
  ASSERT_GT(files.size(), 150U);
  for (const auto& [path, text] : files) EXPECT_THAT(violations(path, text), IsEmpty()) << path;
}

TEST(Architecture, NamesWhatItDeclaresByUsing) {
  for (const auto& [path, text] : all_sources()) {
    if (path.ends_with(".cpp")) EXPECT_THAT(unused_using_declarations(text), IsEmpty()) << path;
  }
  EXPECT_THAT(unused_using_declarations("using mail::Mailbox;\nusing ports::IoError;\n"
                                        "using namespace std::chrono_literals;\n"
                                        "IoError of(const Mailboxes&);\n"),
              ElementsAre("Mailbox"));
}

TEST(Architecture, NobodyReachesThroughOthersWhatHeMayNotInclude) {
  Sources all;
  for (const auto& [path, text] : all_sources()) all.emplace(path, text);
  EXPECT_THAT(hidden_includes(all), IsEmpty());
}

// Its negative control: none of these files names what it must not see.
TEST(Architecture, KnowsWhoReachesThroughOthersWhatHeMayNotInclude) {
  Sources house{{"relay/inbound/a.cpp", "#include \"relay/inbound/a.hpp\"\n"},
                {"relay/inbound/a.hpp", "#pragma once\n\n#include \"relay/forward/b.hpp\"\n"},
                {"relay/review/a.cpp", "#include \"relay/forward/b.hpp\"\n"},
                {"relay/forward/b.hpp", "#include \"relay/mail/c.hpp\"\n"},
                {"relay/mail/c.hpp", "#include \"relay/mail/c.hpp\"\n#include \"srs/srs.hpp\"\n"},
                {"relay/settings/d.hpp", "#include <string>\n"}};
  EXPECT_THAT(hidden_includes(house), IsEmpty());
  house["relay/mail/c.hpp"] += "#include \"relay/settings/d.hpp\"\n";
  EXPECT_THAT(
      hidden_includes(house),
      ElementsAre("forward must not reach settings: relay/forward/b.hpp > relay/mail/c.hpp > "
                  "relay/settings/d.hpp",
                  "inbound must not reach settings: relay/inbound/a.cpp > relay/inbound/a.hpp > "
                  "relay/forward/b.hpp > relay/mail/c.hpp > relay/settings/d.hpp",
                  HasSubstr("inbound must not reach settings: relay/inbound/a.hpp"),
                  HasSubstr("mail must not reach settings: relay/mail/c.hpp")));
}

// … and adapters, which app may see, and nobody who is wired with them.
TEST(Architecture, KnowsAnAdapterThatIsReachedThroughAPort) {
  EXPECT_THAT(
      hidden_includes({{"relay/delivery/a.cpp", "#include \"relay/ports/b.hpp\"\n"},
                       {"relay/app/a.cpp", "#include \"relay/ports/b.hpp\"\n"},
                       {"relay/ports/b.hpp", "#include \"relay/net/c.hpp\"\n"}}),
      ElementsAre(HasSubstr("delivery must not reach net"), HasSubstr("ports must not reach net")));
}

TEST(Architecture, RoomsLinkWhatTheyMayInclude) {
  int rooms = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(RELAY_SOURCE_DIR) / "relay")) {
    if (!entry.is_directory()) continue;
    const std::string room = entry.path().filename();
    auto seen = rooms_seen(support::read_source("relay/" + room + "/CMakeLists.txt"));
    std::ranges::sort(seen);
    EXPECT_EQ(seen, rooms_allowed(room)) << room;
    ++rooms;
  }
  EXPECT_EQ(rooms, 15);
}

TEST(Architecture, EveryUnitIsBuilt) {
  for (const auto& [path, text] : all_sources()) {
    const fs::path file = path;
    if (file.extension() != ".cpp" || file.filename().string().ends_with("_pch.cpp")) continue;
    // A room builds what lies in its folders, too: "dkim/verifier.cpp".
    const fs::path room = path.starts_with("relay/") ? *std::next(file.begin()) : fs::path();
    const fs::path top = *file.begin() / room;
    EXPECT_THAT(support::read_source(top / "CMakeLists.txt"),
                HasSubstr(file.lexically_relative(top).string()))
        << path;
  }
}

TEST(Architecture, NamespacesMirrorFoldersToTheirEnd) {
  const std::string text = "#pragma once\nnamespace relay::auth {}\n";
  EXPECT_THAT(violations("relay/auth/a.hpp", text), IsEmpty());
  EXPECT_THAT(violations("relay/auth/dkim/a.hpp", text),
              ElementsAre(HasSubstr("relay::auth::dkim")));
}

struct Breach {
  const char* name;
  const char* path;
  const char* text;  ///< behind the head that every good unit has
  const char* says;
};

class ArchitectureRule : public testing::TestWithParam<Breach> {};

// The negative control: without its rule, each of these would pass.
TEST_P(ArchitectureRule, CatchesWhatBreaksIt) {
  const auto& [name, path, text, says] = GetParam();
  const std::string head =
      "#pragma once\nnamespace relay::inbound {}\nnamespace relay::mail {}\n"
      "namespace relay::app {}\nnamespace relay::net {}\nnamespace srs {}\n";
  EXPECT_THAT(violations(path, head), IsEmpty());
  EXPECT_THAT(violations(path, head + text + '\n'), ElementsAre(HasSubstr(says)));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ArchitectureRule,
    testing::Values(
        Breach{"UpwardInclude", "relay/mail/a.hpp", "#include \"relay/smtp/reply.hpp\"",
               "mail must not see smtp"},
        Breach{"AdapterInInbound", "relay/inbound/a.cpp", "#include \"relay/net/shard.hpp\"",
               "inbound must not see net"},
        Breach{"AdapterBesideWiring", "relay/app/a.cpp", "#include \"relay/net/shard.hpp\"",
               "only app/wiring names net"},
        Breach{"StoreBesideItsFactory", "relay/app/wiring_status.cpp",
               "#include \"relay/spool/sqlite_spool.hpp\"", "only app/wiring_store names spool"},
        Breach{"SrsElsewhere", "relay/inbound/a.cpp", "#include \"srs/srs.hpp\"",
               "inbound must not see srs"},
        Breach{"RelayInSrs", "srs/a.cpp", "#include \"relay/base/text.hpp\"", "knows nothing"},
        Breach{"BoostInSrs", "srs/a.cpp", "#include <boost/asio.hpp>", "without Boost"},
        Breach{"RelativeInclude", "relay/mail/a.hpp", "#include \"../base/text.hpp\"", "root"},
        Breach{"Detached", "relay/net/a.cpp", "co_spawn(x, f(), boost::asio::detached);",
               "swallows"},
        Breach{"Regex", "relay/mail/a.cpp", "std::regex pattern;", "without bound"},
        Breach{"Shell", "relay/app/a.cpp", "std::system(command);", "no other program"},
        Breach{"Clock", "relay/inbound/a.cpp", "auto t = std::chrono::system_clock::now();",
               "ports::Clock"},
        Breach{"Sabotage", "relay/inbound/a.cpp", "if (is_sabotaged(\"early-reply\")) return;",
               "in tests/controls"},
        Breach{"SabotageNamed", "relay/app/a.cpp", "auto name = variable(\"RELAY_SABOTAGE\");",
               "in tests/controls"},
        Breach{"Environment", "relay/net/a.cpp", "auto p = std::getenv(name);", "configuration"},
        Breach{"CodeAlone", "relay/mail/a.cpp", "/// X-4: as many as that.", "words what X-4"},
        Breach{"CodeBehind", "srs/a.cpp", "f(\"//\");  // as F7 has it", "words what F7"},
        Breach{"CodeQuoted", "relay/mail/a.cpp", "// see \"C12\" (RFC 5321 §4)", "words what C12"},
        Breach{"NumberedRule", "srs/a.hpp", "/// Never wrapped (property 4).", "not its number"},
        Breach{"ReadUntil", "relay/net/a.cpp", "asio::async_read_until(socket, buffer, '\n');",
               "without a limit"},
        Breach{"Unbounded", "relay/mail/a.cpp", "strcpy(into, from);", "unbounded"},
        Breach{"Random", "relay/mail/a.cpp", "const int dice = rand();", "not random"},
        Breach{"Format", "relay/mail/a.cpp", "auto text = std::format(pattern);",
               "not in this standard library"},
        Breach{"UsingAll", "relay/mail/a.cpp", "using namespace std;", "names their namespace"},
        Breach{"Shared", "relay/net/a.hpp", "struct A : std::enable_shared_from_this<A> {};",
               "owned, not shared"},
        Breach{"Seed", "relay/inbound/a.cpp", "std::random_device seed;", "composition root"}),
    [](const auto& info) { return std::string(info.param.name); });

// A library at another door than its own, and one that has none.
const std::vector<Breach> kWrongDoors{
    {"Toml", "relay/app/a.cpp", "#include <toml++/toml.h>", "<toml++/toml.h> has no business"},
    {"Sqlite", "relay/inbound/a.cpp", "#include <sqlite3.h>", "no business"},
    {"Unbound", "relay/net/a.cpp", "#include <unbound.h>", "no business"},
    {"Tls", "relay/app/a.cpp", "#include <openssl/ssl.h>", "no business"},
    {"Json", "relay/inbound/a.cpp", "#include <boost/json.hpp>", "no business"},
    {"CommandLine", "relay/net/a.cpp", "#include <CLI/CLI.hpp>", "no business"},
    {"PublicSuffixes", "relay/mail/a.cpp", "#include <libpsl.h>", "no business"},
    {"DomainNames", "relay/inbound/a.cpp", "#include <idn2.h>", "no business"},
    {"CaseFolding", "relay/inbound/a.cpp", "#include <unicase.h>", "no business"},
    {"Normalisation", "relay/app/a.cpp", "#include <uninorm.h>", "no business"},
    {"Systemd", "relay/inbound/a.cpp", "#include <systemd/sd-daemon.h>", "no business"},
    {"Expressions", "relay/inbound/a.cpp", "#include <re2/re2.h>", "no business"},
    {"StandardExpressions", "relay/mail/a.cpp", "#include <regex>", "no business"},
    {"AsioDetached", "relay/net/a.cpp", "#include <boost/asio/detached.hpp>", "no business"},
    {"AsioReadUntil", "relay/net/a.cpp", "#include <boost/asio/read_until.hpp>", "no business"},
    {"StandardStreams", "relay/inbound/a.cpp", "#include <iostream>", "no business"}};

INSTANTIATE_TEST_SUITE_P(Libraries, ArchitectureRule, testing::ValuesIn(kWrongDoors),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Architecture, HasAControlForEachLibrary) {
  for (const std::string& header : guarded_libraries()) {
    const std::string include = "#include <" + header;
    EXPECT_TRUE(std::ranges::any_of(kWrongDoors, [&](const Breach& breach) {
      return std::string_view(breach.text).starts_with(include);
    })) << header;
  }
}

TEST(Architecture, KnowsALongFile) {
  std::string text = "namespace relay::mail {}\n";
  for (int i = 0; i < 320; ++i) text += "\n";
  EXPECT_THAT(violations("relay/mail/a.cpp", text), ElementsAre(HasSubstr("321 lines")));
}

TEST(Architecture, KnowsWhatIsNoRoomAndWhatHasNoGuard) {
  EXPECT_THAT(violations("relay/cellar/a.cpp", "namespace relay::cellar {}\n"),
              ElementsAre("no such room"));
  EXPECT_THAT(violations("relay/mail/a.hpp", "namespace relay::mail {}\n"),
              ElementsAre(HasSubstr("#pragma once")));
}

TEST(Architecture, KnowsARoomThatLinksWhatItMayNotInclude) {
  EXPECT_EQ(rooms_seen("relay_room(mail\n  SOURCES a.cpp\n  SEES base)"), rooms_allowed("mail"));
  EXPECT_NE(rooms_seen("relay_room(mail\n  SOURCES a.cpp\n  SEES base net)"),
            rooms_allowed("mail"));
}

TEST(Architecture, IgnoresCommentsAndStrings) {
  EXPECT_THAT(violations("relay/mail/a.cpp",
                         "namespace relay::mail {\n// as with asio::detached\n"
                         "const char* a = \"std::regex\";\n}\n"),
              IsEmpty());
}

TEST(Architecture, TakesNamesForWhatTheyAre) {
  EXPECT_THAT(
      violations("relay/mail/a.cpp",
                 "namespace relay::mail {\n"
                 "// UTF-8 without C1 controls, SHA-256, IPv4, SRS0, RFC 5321 §4.1, §5 step 3\n"
                 "// Explained in ARCHITECTURE.md, and every rule in README.md.\n"
                 "const char* a = \"X-4\";  // an x and a 4\n}\n"),
      IsEmpty());
}

TEST(Architecture, WantsTheOwnHeaderFirst) {
  EXPECT_THAT(violations("relay/mail/a.cpp",
                         "#include <string>\n#include \"relay/mail/a.hpp\"\nnamespace relay::mail "
                         "{}\n"),
              ElementsAre(HasSubstr("own header")));
}

}  // namespace
}  // namespace relay::architecture
