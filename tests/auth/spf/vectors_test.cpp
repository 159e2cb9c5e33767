// The suites of RFC 7208 and 4408 and those of other implementations: every case of every file in
// $VECTORS/spf, whatever its name and their number.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "relay/base/text.hpp"
#include "tests/auth/spf/json_zone.hpp"
#include "tests/auth/spf/run_check.hpp"
#include "tests/source_dir.hpp"

namespace relay::auth::spf {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using fakes::InstantResolver;

/// A case that expects something else than RFC 7208 says, and the clause that says it.
struct Disagreement {
  std::string file;
  std::string name;
  std::string ours;
  std::string clause;
};

const std::vector<Disagreement>& disagreements() {
  static constexpr auto kBlitiri = "blitirispf-tests.json";
  static constexpr auto kMailAuth = "mail-auth-spf.json";
  static constexpr auto kSingleLabel =
      "§4.3: \"If the <domain> is malformed … or is not a multi-label domain name … check_host() "
      "immediately returns the result 'none'\"";
  static constexpr auto kOnlyA =
      "§5.7: \"The resulting domain name is used for a DNS A RR lookup (even when the connection "
      "type is IPv6)\"";
  static const std::vector<Disagreement> all = {
      {kBlitiri, "resolution-with-10-lookups", "permerror",
       "§7.1: domain-end = ( \".\" toplabel [ \".\" ] ) / macro-expand; include:d11 has no dot"},
      {kBlitiri, "mx-resolution-10-terms", "none", kSingleLabel},
      {kBlitiri, "mx-resolution-11-terms", "none", kSingleLabel},
      {kBlitiri, "one-mx-not-found", "none", kSingleLabel},
      {kBlitiri, "all-mx-not-found", "none", kSingleLabel},
      {kBlitiri, "include-not-found", "none", kSingleLabel},
      {kBlitiri, "redirect-not-found", "none", kSingleLabel},
      {kMailAuth, "mail-auth/all/0/1", "permerror",
       "§4.6: \"if there are any syntax errors anywhere in the record, check_host() returns "
       "immediately with the result 'permerror', without further interpretation or evaluation\"; "
       "there is no mechanism \"ip\""},
      {kMailAuth, "mail-auth/basic/4/1", "permerror",
       "§4.6.4: \"SPF implementations SHOULD limit 'void lookups' to two … Exceeding the limit "
       "produces a 'permerror' result\"; none of its ten names exists"},
      {kMailAuth, "mail-auth/exists/0/2", "fail", kOnlyA},
      {kMailAuth, "mail-auth/macro/1/2", "fail", kOnlyA},
  };
  return all;
}

fs::path beside_the_project() { return RELAY_SOURCE_DIR "/../shared/vectors"; }

fs::path vectors() {
  const char* set = std::getenv("VECTORS");
  return (set ? fs::path(set) : beside_the_project()) / "spf";
}

std::set<std::string> expected_results(const json::object& test) {
  std::set<std::string> results;
  for (const auto& result : test.at("results").as_array()) {
    results.emplace(base::lower(result.as_string()));
  }
  return results;
}

struct Case {
  std::string file;
  std::string name;
  std::set<std::string> results;
  std::string explanation;  ///< "" when the suite expects none in particular
  std::string ours;
  std::string our_explanation;
  std::string problem;

  bool agrees() const {
    if (!results.contains(ours)) return false;
    if (explanation.empty()) return true;
    // "DEFAULT" is a checker's own text for want of a better one: for us, no explanation. Names and
    // addresses out of macros may be in either case.
    const std::string wanted = explanation == "DEFAULT" ? "" : explanation;
    return base::equal_ignoring_case(our_explanation, wanted);
  }
};

Case run(const fs::path& file, const json::object& zone, const json::object& test) {
  InstantResolver resolver;
  fill(resolver, zone);
  if (const std::string part = text(test, "temperror_names_containing"); !part.empty()) {
    resolver.fail_where([part](const std::string& name) { return name.contains(part); });
  }
  const Evaluation ours = run_check(resolver, query_of(test));
  return {.file = file.filename(),
          .name = text(test, "name"),
          .results = expected_results(test),
          .explanation = text(test, "explanation"),
          .ours = std::string(mail::name_of(ours.verdict.result)),
          .our_explanation = ours.explanation,
          .problem = ours.verdict.problem};
}

std::vector<Case> run_file(const fs::path& path) {
  std::stringstream buffer;
  buffer << std::ifstream(path).rdbuf();
  const json::value parsed = json::parse(buffer.str());
  const json::object& suite = parsed.as_object();
  std::vector<Case> cases;
  if (const json::value* scenarios = suite.if_contains("scenarios")) {
    for (const auto& scenario : scenarios->as_array()) {
      const json::object& all = scenario.as_object();
      for (const auto& test : all.at("tests").as_array()) {
        cases.push_back(run(path, all.at("zone").as_object(), test.as_object()));
      }
    }
  }
  if (const json::value* tests = suite.if_contains("tests")) {
    for (const auto& test : tests->as_array()) {
      cases.push_back(run(path, test.as_object().at("zone").as_object(), test.as_object()));
    }
  }
  return cases;
}

const Disagreement* disagreement_on(const Case& one) {
  for (const auto& entry : disagreements()) {
    if (entry.file == one.file && entry.name == one.name) return &entry;
  }
  return nullptr;
}

TEST(SpfVectors, EveryCaseOfEverySuiteEndsAsRfc7208Says) {
  if (!fs::is_directory(vectors())) {
    const char* ci = std::getenv("CI");
    if (ci && std::string(ci) == "true") FAIL() << "no vectors at " << vectors();
    GTEST_SKIP() << "no vectors at " << vectors();
  }
  std::size_t total = 0;
  std::set<const Disagreement*> used;
  for (const auto& entry : fs::directory_iterator(vectors())) {
    if (entry.path().extension() != ".json") continue;
    const auto cases = run_file(entry.path());
    std::size_t argued = 0;
    for (const Case& one : cases) {
      const Disagreement* known = disagreement_on(one);
      if (known) {
        EXPECT_FALSE(one.agrees()) << one.file << " " << one.name << ": nothing to argue about";
        EXPECT_EQ(one.ours, known->ours) << one.file << " " << one.name << ", " << known->clause;
        used.insert(known);
        ++argued;
        continue;
      }
      EXPECT_TRUE(one.agrees()) << one.file << " " << one.name << ": " << one.ours << " ("
                                << one.problem << ") \"" << one.our_explanation << "\"";
    }
    std::printf("%s: %zu cases, %zu of them against RFC 7208\n", entry.path().filename().c_str(),
                cases.size(), argued);
    total += cases.size();
  }
  EXPECT_GT(total, 0U);
  // A part of each suite may be kept elsewhere: only the set beside the project has every case.
  if (!fs::equivalent(vectors().parent_path(), beside_the_project())) return;
  for (const auto& entry : disagreements()) {
    EXPECT_TRUE(used.contains(&entry)) << entry.file << " " << entry.name << ": no such case";
  }
}

}  // namespace
}  // namespace relay::auth::spf
