// The suites of RFC 7208 and 4408 and those of other implementations: every case of every file in
// $VECTORS/spf, whatever its name and their number.
#include "tests/vectors.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include "relay/base/text.hpp"
#include "tests/auth/spf/json_zone.hpp"
#include "tests/auth/spf/run_check.hpp"

namespace relay::auth::spf {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using fakes::InstantResolver;

/// Where a case may expect something else than RFC 7208 says: what must hold of it, and the result
/// that the clause gives.
struct Disagreement {
  const char* clause;
  bool (*applies)(const json::object& zone, const std::string& asked);
  const char* ours;
};

/// The terms of all SPF records in the zone that stand at `name`, or anywhere when it is "".
std::vector<std::string> terms_at(const json::object& zone, const std::string& name) {
  std::vector<std::string> terms;
  for (const auto& [owner, entry] : zone) {
    const json::value* texts = entry.at("records").as_object().if_contains("TXT");
    if (texts == nullptr || !(name.empty() || base::equal_ignoring_case(owner, name))) continue;
    for (const auto& strings : texts->as_array()) {
      std::string record;
      for (const auto& part : strings.as_array()) record += part.as_string();
      std::istringstream words(record);
      std::string word;
      if (!(words >> word) || base::lower(word) != "v=spf1") continue;
      while (words >> word) terms.push_back(base::lower(word));
    }
  }
  return terms;
}

std::string mechanism_of(const std::string& term) {
  const std::size_t begin = term.find_first_not_of("+-?~");
  if (begin == std::string::npos) return term;
  return term.substr(begin, term.find_first_of(":/=", begin) - begin);
}

/// Of "include:a.example" and "mx:a.example/24"; "" when it names none.
std::string target_of(const std::string& term) {
  const auto begin = term.find(':');
  if (begin == std::string::npos) return {};
  return term.substr(begin + 1, term.find('/', begin) - begin - 1);
}

bool is_single_label(const std::string& name) {
  return !name.empty() && name.substr(0, name.size() - 1).find('.') == std::string::npos;
}

bool asks_a_single_label(const json::object& zone, const std::string& asked) {
  return !terms_at(zone, asked).empty() && is_single_label(asked);
}

bool names_a_single_label(const json::object& zone, const std::string& asked) {
  return std::ranges::any_of(terms_at(zone, asked), [](const std::string& term) {
    const std::string kind = mechanism_of(term);
    const std::string target = target_of(term);
    const bool has_domain = kind == "include" || kind == "a" || kind == "mx" || kind == "exists";
    return has_domain && is_single_label(target) && !target.contains('%');
  });
}

bool has_an_unknown_mechanism(const json::object& zone, const std::string& asked) {
  static const std::set<std::string> kKnown = {"all", "include", "a",   "mx",
                                               "ptr", "ip4",     "ip6", "exists"};
  return std::ranges::any_of(terms_at(zone, asked), [](const std::string& term) {
    const bool modifier = term.find('=') < term.find_first_of(":/");
    return !modifier && !kKnown.contains(mechanism_of(term));
  });
}

bool asks_in_vain_too_often(const json::object& zone, const std::string& asked) {
  return std::ranges::count_if(terms_at(zone, asked), [&](const std::string& term) {
           const std::string kind = mechanism_of(term);
           const std::string target = target_of(term);
           return (kind == "a" || kind == "mx" || kind == "exists") && !target.empty() &&
                  !target.contains('%') && !zone.contains(target);
         }) > 2;
}

/// There is an exists, and names that have an AAAA record only.
bool exists_by_aaaa_only(const json::object& zone, const std::string& asked) {
  const bool asks = std::ranges::any_of(
      terms_at(zone, asked), [](const auto& term) { return mechanism_of(term) == "exists"; });
  return asks && std::ranges::any_of(zone, [](const auto& entry) {
           const auto& records = entry.value().at("records").as_object();
           return records.contains("AAAA") && !records.contains("A");
         });
}

const std::vector<Disagreement> kDisagreements = {
    {"§4.3: \"If the <domain> is malformed … or is not a multi-label domain name … check_host() "
     "immediately returns the result 'none'\"",
     asks_a_single_label, "none"},
    {"§7.1: domain-end = ( \".\" toplabel [ \".\" ] ) / macro-expand; a single label has no dot",
     names_a_single_label, "permerror"},
    {"§4.6: \"if there are any syntax errors anywhere in the record, check_host() returns "
     "immediately with the result 'permerror', without further interpretation or evaluation\"",
     has_an_unknown_mechanism, "permerror"},
    {"§4.6.4: \"SPF implementations SHOULD limit 'void lookups' to two … Exceeding the limit "
     "produces a 'permerror' result\"",
     asks_in_vain_too_often, "permerror"},
    {"§5.7: \"The resulting domain name is used for a DNS A RR lookup (even when the connection "
     "type is IPv6)\"",
     exists_by_aaaa_only, "fail"},
};

std::set<std::string> expected_results(const json::object& test) {
  std::set<std::string> results;
  for (const auto& result : test.at("results").as_array()) {
    results.emplace(base::lower(result.as_string()));
  }
  return results;
}

struct Case {
  std::string name;
  std::set<std::string> results;
  std::string explanation;  ///< "" when the suite expects none in particular
  std::string ours;
  std::string our_explanation;
  std::string problem;
  const Disagreement* clause;  ///< that may speak against the case, or nullptr

  bool agrees() const {
    if (!results.contains(ours)) return false;
    if (explanation.empty()) return true;
    // "DEFAULT" is a checker's own text for want of a better one: for us, no explanation. Names and
    // addresses out of macros may be in either case.
    const std::string wanted = explanation == "DEFAULT" ? "" : explanation;
    return base::equal_ignoring_case(our_explanation, wanted);
  }
};

/// The domain of MAIL FROM, or of HELO for the null sender.
std::string asked_of(const json::object& test) {
  const std::string sender = text(test, "mailfrom");
  return sender.empty() ? text(test, "helo") : sender.substr(sender.rfind('@') + 1);
}

const Disagreement* disagreement_on(const json::object& zone, const std::string& asked,
                                    std::string_view ours) {
  const auto found = std::ranges::find_if(kDisagreements, [&](const Disagreement& one) {
    return one.ours == ours && one.applies(zone, asked);
  });
  return found == kDisagreements.end() ? nullptr : &*found;
}

Case run(const json::object& zone, const json::object& test) {
  InstantResolver resolver;
  fill(resolver, zone);
  if (const std::string part = text(test, "temperror_names_containing"); !part.empty()) {
    resolver.fail_where([part](const std::string& name) { return name.contains(part); });
  }
  const Evaluation ours = run_check(resolver, query_of(test));
  const std::string result(mail::name_of(ours.verdict.result));
  return {.name = text(test, "name"),
          .results = expected_results(test),
          .explanation = text(test, "explanation"),
          .ours = result,
          .our_explanation = ours.explanation,
          .problem = ours.verdict.problem,
          .clause = disagreement_on(zone, asked_of(test), result)};
}

std::vector<Case> run_file(const fs::path& path) {
  const json::value parsed = vectors::read(path);
  const json::object& suite = parsed.as_object();
  std::vector<Case> cases;
  if (const json::value* scenarios = suite.if_contains("scenarios")) {
    for (const auto& scenario : scenarios->as_array()) {
      const json::object& all = scenario.as_object();
      for (const auto& test : all.at("tests").as_array()) {
        cases.push_back(run(all.at("zone").as_object(), test.as_object()));
      }
    }
  }
  if (const json::value* tests = suite.if_contains("tests")) {
    for (const auto& test : tests->as_array()) {
      cases.push_back(run(test.as_object().at("zone").as_object(), test.as_object()));
    }
  }
  return cases;
}

TEST(SpfVectors, EveryCaseOfEverySuiteEndsAsRfc7208Says) {
  if (vectors::missing("spf")) return;
  std::size_t total = 0;
  std::set<const Disagreement*> used;
  for (const auto& entry : fs::directory_iterator(vectors::part("spf"))) {
    if (entry.path().extension() != ".json") continue;
    const auto cases = run_file(entry.path());
    std::size_t argued = 0;
    for (const Case& one : cases) {
      if (one.agrees()) continue;
      const bool is_of_rfc7208 = entry.path().filename().string().starts_with("rfc7208");
      if (one.clause != nullptr && !is_of_rfc7208) {
        used.insert(one.clause);
        ++argued;
        continue;
      }
      ADD_FAILURE() << entry.path().filename() << " " << one.name << ": " << one.ours << " ("
                    << one.problem << ") \"" << one.our_explanation << "\"";
    }
    std::printf("%s: %zu cases, %zu of them against RFC 7208\n", entry.path().filename().c_str(),
                cases.size(), argued);
    total += cases.size();
  }
  if (vectors::none(total, "SPF cases")) return;
  // Another folder need not have every oddity; the project's own has.
  if (!vectors::other()) EXPECT_EQ(used.size(), kDisagreements.size());
}

}  // namespace
}  // namespace relay::auth::spf
