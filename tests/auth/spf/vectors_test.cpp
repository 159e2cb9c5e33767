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
#include "tests/auth/spf/run_check.hpp"
#include "tests/fakes/instant_resolver.hpp"

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
      "§4.3: \"is not a multi-label domain name … check_host() immediately returns the result "
      "'none'\"";
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

std::string text(const json::object& o, std::string_view key) {
  const json::value* value = o.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string joined(const json::value& strings) {
  std::string whole;
  for (const auto& part : strings.as_array()) whole += part.as_string();
  return whole;
}

std::optional<InstantResolver::Type> type_named(std::string_view name) {
  using Type = InstantResolver::Type;
  if (name == "A") return Type::A;
  if (name == "AAAA") return Type::Aaaa;
  if (name == "MX") return Type::Mx;
  if (name == "TXT") return Type::Txt;
  if (name == "PTR") return Type::Ptr;
  if (name == "CNAME") return Type::Cname;
  return std::nullopt;
}

/// A name whose server is silent, but for the types of which the zone has records all the same.
void fail_all(InstantResolver& zone, std::string_view name, const json::object& records) {
  std::set<InstantResolver::Type> answered;
  for (const auto& [type, value] : records) {
    if (const auto known = type_named(type)) answered.insert(*known);
  }
  for (const auto type : InstantResolver::kAllTypes) {
    const bool answers = answered.contains(type) || answered.contains(InstantResolver::Type::Cname);
    if (!answers) zone.fail(name, type);
  }
}

void add_record(InstantResolver& zone, std::string_view name, InstantResolver::Type type,
                const json::value& value) {
  using Type = InstantResolver::Type;
  switch (type) {
    case Type::A:
    case Type::Aaaa:
      zone.add_address(name, boost::asio::ip::make_address(std::string(value.as_string())));
      break;
    case Type::Mx:
      zone.add_mx(name, value.as_array().at(0).to_number<std::uint16_t>(),
                  value.as_array().at(1).as_string());
      break;
    case Type::Txt:
      zone.add_txt(name, joined(value));
      break;
    case Type::Ptr:
      zone.add_ptr(name, value.as_string());
      break;
    case Type::Cname:
      zone.add_cname(name, value.as_string());
      break;
  }
}

void fill(InstantResolver& zone, const json::object& names) {
  for (const auto& [name, value] : names) {
    const json::object& entry = value.as_object();
    zone.add_name(name);
    const json::object& records_by_type = entry.at("records").as_object();
    if (entry.contains("timeout") && entry.at("timeout").as_bool()) {
      fail_all(zone, name, records_by_type);
    }
    if (const json::value* types = entry.if_contains("timeout_types")) {
      for (const auto& type : types->as_array()) {
        if (const auto known = type_named(type.as_string())) zone.fail(name, *known);
      }
    }
    for (const auto& [type, records] : records_by_type) {
      // One suite writes a failing name as a record of these "types".
      if (type == "TIMEOUT" || type == "SERVFAIL") fail_all(zone, name, records_by_type);
      const auto known = type_named(type);
      if (!known) continue;  // SPF, type 99: never used (RFC 7208 §3.1)
      for (const auto& record : records.as_array()) add_record(zone, name, *known, record);
    }
  }
}

Query query_of(const json::object& test) {
  return {.client = boost::asio::ip::make_address(text(test, "ip")),
          .helo = text(test, "helo"),
          .mail_from = sender(text(test, "mailfrom")),
          .receiver = text(test, "receiver"),
          .explain = true};
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
