// Replays what other SRS implementations answered. Reads every file of $VECTORS/srs, whatever its
// name and number of cases.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "srs/srs.hpp"
#include "tests/source_dir.hpp"

namespace srs {
namespace {

namespace json = boost::json;

const std::set<std::string> kFamily = {"Mail::SRS", "pysrs", "libsrs2", "postsrsd"};

std::filesystem::path vectors() {
  const char* set = std::getenv("VECTORS");
  return std::filesystem::path(set ? set : RELAY_SOURCE_DIR "/../shared/vectors") / "srs";
}

struct Case {
  json::object question;
  std::map<std::string, std::string> answers;  ///< file -> expected text, "ERROR" for an error
};

std::string text(const json::object& o, const char* key, const char* otherwise = "") {
  const json::value* value = o.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : otherwise;
}

std::size_t number(const json::object& o, const char* key, std::size_t otherwise) {
  const json::value* value = o.if_contains(key);
  return value && value->is_number() ? value->to_number<std::size_t>() : otherwise;
}

bool is_family(const std::string& tool) {
  for (const auto& name : kFamily) {
    if (tool.starts_with(name)) return true;
  }
  return false;
}

Rewriter rewriter_for(const json::object& q) {
  std::vector<Key> keys = {{"first", text(q, "secret"), std::nullopt}};
  if (const json::value* extra = q.if_contains("extra_secrets")) {
    for (const auto& secret : extra->as_array()) {
      keys.push_back({"extra" + std::to_string(keys.size()), std::string(secret.as_string()), {}});
    }
  }
  Options options;
  options.format = Format::Classic;
  options.separator = text(q, "separator", "=").front();
  options.classic_hash_length = number(q, "hash_length", 4);
  options.classic_hash_min = number(q, "hash_min", options.classic_hash_length);
  options.max_age_days = static_cast<int>(number(q, "max_age_days", 21));
  options.always_rewrite = q.if_contains("always_rewrite") && q.at("always_rewrite").as_bool();
  options.unwrap_own = false;  // the tools undo one step at a time
  return {KeyRing::unchecked(std::move(keys)), text(q, "alias_domain"), options};
}

std::string ours(const json::object& q) {
  const Rewriter rewriter = rewriter_for(q);
  const std::string input = text(q, "input");
  const auto now = q.at("now_unix").to_number<std::int64_t>();
  const auto address = parse_address(input);
  if (text(q, "op") == "forward") {
    if (!address) return "ERROR";
    const auto made = rewriter.forward(*address, now);
    if (!made) return made.error() == ForwardError::OwnAddress ? input : "ERROR";
    return to_string(*made);
  }
  const auto back =
      address ? rewriter.reverse(*address, now)
              : std::expected<Reversed, ReverseError>(std::unexpected(ReverseError::Malformed));
  return back ? to_string(back->address) : "ERROR";
}

std::string unquoted(const std::string& address) {
  const auto read = parse_address(address);
  return read ? read->local_part + '@' + read->domain : address;
}

bool too_long(const std::string& address) {
  return address.size() > kMaxAddress || address.rfind('@') > kMaxLocalPart;
}

/// Cases in which the whole family does what a mail server must not (see the vectors' README).
bool must_be_safer(const std::string& name) {
  for (const char* part : {"tamper-shift", "srs1-shift", "cross-", "wrong-host", "age-1024",
                           "age-2048", "age-1045", "empty-local", "empty-domain",
                           "srs1-inner-nosep", "local-52", "local-64", "local-65", "local-200"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

std::optional<Scheme> foreign_scheme(const std::string& tool) {
  if (tool.starts_with("Exim") || tool.starts_with("exim")) return Scheme::Exim;
  if (tool.find("srs.js") != std::string::npos) return Scheme::SrsJs;
  if (tool.find("sender-rewriting-scheme") != std::string::npos) {
    return Scheme::SenderRewritingScheme;
  }
  return std::nullopt;
}

/// Every question of one file kind, with the tool's answer or "ERROR".
template <class Take>
void each_vector(Take take) {
  for (const auto& entry : std::filesystem::directory_iterator(vectors())) {
    if (entry.path().extension() != ".json") continue;
    std::stringstream buffer;
    buffer << std::ifstream(entry.path()).rdbuf();
    const json::value parsed = json::parse(buffer.str());
    for (const auto& value : parsed.as_array()) {
      const json::object& q = value.as_object();
      take(q, q.contains("expect") ? text(q, "expect") : std::string("ERROR"));
    }
  }
}

std::map<std::string, Case> family_cases(std::size_t& files) {
  std::map<std::string, Case> cases;
  for (const auto& entry : std::filesystem::directory_iterator(vectors())) {
    if (entry.path().extension() != ".json") continue;
    std::stringstream buffer;
    buffer << std::ifstream(entry.path()).rdbuf();
    const json::value parsed = json::parse(buffer.str());
    ++files;
    for (const auto& value : parsed.as_array()) {
      const json::object& q = value.as_object();
      if (!is_family(text(q, "tool"))) continue;
      Case& c = cases[text(q, "case")];
      c.question = q;
      c.answers[entry.path().filename()] =
          q.contains("expect") ? text(q, "expect") : std::string("ERROR");
    }
  }
  return cases;
}

class SrsVectors : public testing::Test {
 protected:
  void SetUp() override {
    if (std::filesystem::is_directory(vectors())) return;
    const char* ci = std::getenv("CI");
    if (ci && std::string(ci) == "true") FAIL() << "no vectors at " << vectors();
    GTEST_SKIP() << "no vectors at " << vectors();
  }
};

TEST_F(SrsVectors, ClassicFormatAgreesWhereverTheFamilyAgrees) {
  std::size_t files = 0;
  int agreed = 0;
  for (const auto& [name, c] : family_cases(files)) {
    std::set<std::string> answers;
    for (const auto& [file, answer] : c.answers) answers.insert(answer);
    if (answers.size() != 1 || must_be_safer(name)) continue;
    const std::string& theirs = *answers.begin();
    const std::string answer = ours(c.question);
    ++agreed;
    if (text(c.question, "op") == "forward" && too_long(theirs)) {
      EXPECT_EQ(answer, "ERROR") << name << ": no mail server may send this";
      continue;
    }
    // Compared as addresses: ours is quoted where RFC 5321 demands it, theirs is not.
    EXPECT_EQ(unquoted(answer), unquoted(theirs)) << name << "  " << text(c.question, "input");
  }
  EXPECT_GT(files, 0U);
  EXPECT_GT(agreed, 0);
  std::printf("%zu files, %d cases on which the family agrees\n", files, agreed);
}

TEST_F(SrsVectors, DangerousAnswersOfTheFamilyAreNotOurs) {
  std::size_t files = 0;
  for (const auto& [name, c] : family_cases(files)) {
    if (!must_be_safer(name)) continue;
    const std::string answer = ours(c.question);
    const bool forward = text(c.question, "op") == "forward";
    if (forward) {
      EXPECT_LE(answer.substr(0, answer.rfind('@')).size(), kMaxLocalPart) << name;
      continue;
    }
    const bool dotless_or_empty =
        answer.starts_with("@") || answer.starts_with("SRS0@") ||
        (answer != "ERROR" && answer.substr(answer.rfind('@')).find('.') == std::string::npos);
    EXPECT_FALSE(dotless_or_empty) << name << ": " << answer;
    if (name.find("wrong-host") != std::string::npos ||
        name.find("inner-nosep") != std::string::npos) {
      EXPECT_EQ(answer, "ERROR") << name;
    }
  }
}

/// In strong format a hash of the classic family means nothing when classic is switched off, and
/// boundary and SRS0/SRS1 confusion are refused always.
TEST_F(SrsVectors, StrongFormatRefusesEveryAddressOfTheFamily) {
  std::size_t files = 0;
  for (const auto& [name, c] : family_cases(files)) {
    if (text(c.question, "op") != "reverse") continue;
    const auto address = parse_address(text(c.question, "input"));
    if (!address) continue;
    Options options;
    options.accept_classic = false;
    const Rewriter strong(KeyRing::unchecked({{"k", text(c.question, "secret"), {}}}),
                          text(c.question, "alias_domain"), options);
    EXPECT_FALSE(strong.reverse(*address, c.question.at("now_unix").to_number<std::int64_t>()))
        << name;
  }
}

/// Where the tool recovers an address, so do we, in the spelling it was sent in; where it refuses,
/// so do we, but for what only differs in case or in the separator behind the tag.
TEST_F(SrsVectors, ForeignKeysRecoverWhatTheirProgramsMade) {
  int recovered = 0;
  int refused = 0;
  each_vector([&](const json::object& q, const std::string& theirs) {
    const auto scheme = foreign_scheme(text(q, "tool"));
    if (!scheme || text(q, "op") != "reverse") return;
    const std::string name = text(q, "case");
    const auto now = q.at("now_unix").to_number<std::int64_t>();
    Options options;
    options.max_age_days = static_cast<int>(number(q, "max_age_days", 21));
    options.unwrap_own = false;
    const Key native{"ours", "0123456789 not that of the other one", {}, Scheme::Native};
    const Key foreign{"theirs", text(q, "secret"), now + 1, *scheme};
    const Rewriter rewriter(KeyRing::unchecked({native, foreign}), text(q, "alias_domain"),
                            options);
    const auto address = parse_address(text(q, "input"));
    const auto back =
        address ? rewriter.reverse(*address, now)
                : std::expected<Reversed, ReverseError>(std::unexpected(ReverseError::Malformed));
    const bool no_address = theirs.starts_with('@');
    const bool unanchored = name == "js-rev-prefix";
    const bool no_secret = name == "exim-rev-empty-secret";
    const bool harmless =
        name.ends_with("-lower") || name.ends_with("-upper") || name.ends_with("-sep-plus");
    if (theirs == "ERROR" || no_address || unanchored || no_secret) {
      EXPECT_EQ(bool(back), harmless) << name;
      ++refused;
      return;
    }
    ASSERT_TRUE(back) << name << "  " << text(q, "input");
    const auto lower = [](std::string all) {
      std::ranges::transform(all, all.begin(), [](unsigned char c) { return std::tolower(c); });
      return all;
    };
    EXPECT_EQ(lower(to_string(back->address)), lower(theirs)) << name;
    EXPECT_TRUE(back->weak) << name;
    ++recovered;
    const Rewriter over(
        KeyRing::unchecked({native, {"theirs", text(q, "secret"), now - 1, *scheme}}),
        text(q, "alias_domain"), options);
    EXPECT_FALSE(over.reverse(*address, now)) << name << ": after the end date";
  });
  EXPECT_GT(recovered, 0);
  EXPECT_GT(refused, 0);
  std::printf("%d foreign addresses recovered, %d refused\n", recovered, refused);
}

}  // namespace
}  // namespace srs
