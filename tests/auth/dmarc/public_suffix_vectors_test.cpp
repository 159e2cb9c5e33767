// vectors/dmarc/public-suffix.json: which domain is whose, by the Public Suffix List (RFC 7489
// §3.2).
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "relay/auth/organisational_domain.hpp"
#include "relay/mail/address.hpp"
#include "tests/source_dir.hpp"

namespace relay::auth {
namespace {

std::filesystem::path vectors() {
  const char* named = std::getenv("VECTORS");
  return named != nullptr ? std::filesystem::path(named)
                          : std::filesystem::path(RELAY_SOURCE_DIR) / "../shared/vectors";
}

/// A domain as everywhere in the house: folded, with A-labels; "" when it is none.
std::string folded(std::string_view text) {
  const auto domain = mail::Domain::parse(text);
  return domain ? domain->folded() : std::string();
}

TEST(PublicSuffixVectors, AgreeOnTheOrganisation) {
  const auto file = vectors() / "dmarc/public-suffix.json";
  if (!std::filesystem::exists(file)) {
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") FAIL() << "no vectors at " << file;
    GTEST_SKIP() << "no vectors at " << file;
  }
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  const boost::json::value document = boost::json::parse(text.str());
  const OrganisationalDomain organisations;
  std::size_t cases = 0;
  for (const boost::json::value& entry : document.at("cases").as_array()) {
    const boost::json::value& given = entry.at("domain");
    const boost::json::value& registrable = entry.at("registrable");
    const std::string domain = given.is_string() ? folded(given.as_string()) : std::string();
    ++cases;
    if (domain.empty()) {
      EXPECT_TRUE(registrable.is_null()) << entry.at("name");
      continue;
    }
    // A public suffix, or less, is an organisation by itself.
    const std::string expected = registrable.is_string() ? folded(registrable.as_string()) : domain;
    EXPECT_EQ(organisations.of(domain), expected) << entry.at("name");
  }
  EXPECT_GT(cases, 0U);
  std::printf("%zu public suffix cases\n", cases);
}

}  // namespace
}  // namespace relay::auth
