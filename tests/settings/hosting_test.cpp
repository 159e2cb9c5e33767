// config/hosting.toml names the default of each key in a line that is commented out.
#include <regex>
#include <set>
#include <tuple>

#include "tests/settings/loader_fixture.hpp"
#include "tests/source_dir.hpp"

namespace relay::settings {
namespace {

/// One section may be set in a line of its own: `[limits]`, or `# [greylist]`.
const std::regex kSection(R"((?:# )?\[\[?([a-z_.]+)\]\]?.*)");
const std::regex kPair(R"re(([a-z_]+) *= *("[^"]*"|[a-z0-9_]+))re");

/// Keys that have no default: their lines show what can be written.
const std::set<std::string> kExamples{"auth.authserv_id", "consent.confirmed",
                                      "consent.contact",  "defaults.mark_alias",
                                      "log.file",         "risk.srs_domain"};

const std::set<std::string> kSections{"abuse",    "auth",   "bounces", "consent",    "defaults",
                                      "greylist", "limits", "log",     "outbound",   "queue",
                                      "rates",    "risk",   "srs",     "srs.bounces"};

struct Key {
  std::string section;
  std::string line;
};

std::vector<Key> commented_keys() {
  std::ifstream file(RELAY_SOURCE_DIR "/config/hosting.toml");
  std::vector<Key> keys;
  std::string section;
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (std::regex_match(line, match, kSection)) {
      section = match[1];
    } else if (line.starts_with("# ") && kSections.contains(section)) {
      const std::string pairs = line.substr(2, line.find('#', 2) - 2);
      for (std::sregex_iterator pair(pairs.begin(), pairs.end(), kPair), end; pair != end; ++pair) {
        if (kExamples.contains(section + '.' + pair->str(1))) continue;
        keys.push_back({section, pair->str() + '\n'});
      }
    }
  }
  return keys;
}

std::string configuration(const Key& key) {
  const bool of_srs = key.section == "srs";
  return kHead + (of_srs ? "" : '[' + key.section + "]\n" + key.line) +
         "[srs]\ndomain = \"srs.example.org\"\n" + (of_srs ? key.line : "") +
         "[[srs.secret]]\nid = \"a\"\nfile = \"secrets/good\"\n";
}

/// What the keys of kSections set.
auto values_of(const Settings& s) {
  return std::tuple(static_cast<const smtp::ServerLimits&>(s.limits), s.limits.max_hops,
                    s.limits.rcpts, s.limits.rcpts_per_ip, s.limits.rcpts_per_network,
                    s.limits.late_tls_messages, s.abuse, s.greylist, s.rates, s.bounces,
                    s.auth.timeout, s.auth.organisation, s.consent.confirmed == nullptr,
                    s.consent.max_held, s.defaults.dmarc, s.srs.separator,
                    s.srs.classic_hash_length, s.srs.stored_per_domain, s.srs.stored_per_client,
                    static_cast<const forward::RiskPace&>(s.risk), s.risk.sender, s.risk.tag,
                    s.notices, static_cast<const mail::OutboundLimits&>(s.outbound),
                    s.outbound.ca_file, s.queue.redact_target, s.log.redact);
}

class Hosting : public LoaderFixture {
 protected:
  /// Whether the configuration without the key sets the same.
  bool is_default(const Key& key) {
    const auto with = load_text(configuration(key));
    if (!with) {
      ADD_FAILURE() << render(with.error().front());
      return false;
    }
    const auto without = load_text(configuration({.section = key.section, .line = ""}));
    return values_of(*with->settings) == values_of(*without->settings);
  }
};

TEST_F(Hosting, SaysTheDefaultOfEachKeyThatIsCommentedOut) {
  const auto keys = commented_keys();
  EXPECT_GT(keys.size(), 50U);
  for (const auto& [section, line] : keys) {
    EXPECT_TRUE(is_default({section, line})) << section << ": " << line;
  }
}

/// Otherwise the test above would find nothing.
TEST_F(Hosting, AnotherValueIsSeen) {
  for (const auto& [section, line] :
       {Key{"limits", "max_errors = 21\n"}, Key{"greylist", "delay = \"6m\"\n"},
        Key{"outbound", "connect_timeout = \"31s\"\n"}, Key{"srs", "separator = \"+\"\n"},
        Key{"srs.bounces", "per_address = 101\n"}, Key{"bounces", "to = \"anyone\"\n"}}) {
    EXPECT_FALSE(is_default({section, line})) << section << ": " << line;
  }
}

}  // namespace
}  // namespace relay::settings
