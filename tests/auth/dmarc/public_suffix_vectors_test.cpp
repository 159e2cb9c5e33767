// vectors/dmarc/public-suffix.json: which domain is whose, by the Public Suffix List (RFC 7489
// §3.2).
#include "relay/auth/organisational_domain.hpp"
#include "relay/mail/address.hpp"
#include "tests/vectors.hpp"

namespace relay::auth {
namespace {

/// A domain as everywhere in the house: folded, with A-labels; "" when it is none.
std::string folded(std::string_view text) {
  const auto domain = mail::Domain::parse(text);
  return domain ? domain->folded() : std::string();
}

TEST(PublicSuffixVectors, AgreeOnTheOrganisation) {
  if (vectors::missing("dmarc/public-suffix.json")) return;
  const auto document = vectors::read(vectors::part("dmarc/public-suffix.json"));
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
  if (vectors::none(cases, "public suffix cases")) return;
  std::printf("%zu public suffix cases\n", cases);
}

}  // namespace
}  // namespace relay::auth
