#include "relay/auth/signing_policy.hpp"

#include <gtest/gtest.h>

namespace relay::auth {
namespace {

const OrganisationalDomain kOrganisations;

std::vector<SigningDomain> domains(const std::vector<std::string>& names) {
  std::vector<SigningDomain> made;
  for (const auto& name : names) made.push_back({name, {}});
  return made;
}

std::string chosen(const std::vector<std::string>& names, const std::string& from,
                   bool own = false) {
  const auto all = domains(names);
  const SigningDomain* one = choose_signing_domain(all, from, own, kOrganisations);
  return one == nullptr ? "" : one->domain;
}

TEST(OrganisationalDomain, FollowsThePublicSuffixList) {
  EXPECT_EQ(kOrganisations.of("mail.example.co.uk"), "example.co.uk");
  EXPECT_EQ(kOrganisations.of("a.b.example.com"), "example.com");
  EXPECT_EQ(kOrganisations.of("example.com"), "example.com");
  EXPECT_EQ(kOrganisations.of("co.uk"), "co.uk");
  EXPECT_EQ(kOrganisations.of("localhost"), "localhost");
}

/// A domain that lets customers register below it is no registry: a tree walk may find its record.
TEST(OrganisationalDomain, FollowsRegistriesAlone) {
  EXPECT_EQ(kOrganisations.of("srs.relay.eu.org"), "relay.eu.org");
  EXPECT_EQ(kOrganisations.by_registries("srs.relay.eu.org"), "eu.org");
  EXPECT_EQ(kOrganisations.by_registries("x.eu.org"), "eu.org");
  EXPECT_EQ(kOrganisations.by_registries("mail.a.co.uk"), "a.co.uk");
  EXPECT_EQ(kOrganisations.by_registries("a.b.example.com"), "example.com");
  EXPECT_EQ(kOrganisations.by_registries("co.uk"), "co.uk");
  EXPECT_EQ(kOrganisations.by_registries("localhost"), "localhost");
}

/// No signature is ever aligned with a foreign From (guarantee "The anti-laundering invariant").
TEST(SigningPolicy, NeverSignsInTheNameOfTheAuthor) {
  EXPECT_EQ(chosen({"fwd.com"}, "sender.com"), "fwd.com");
  EXPECT_EQ(chosen({"fwd.com"}, "fwd.com"), "");
  EXPECT_EQ(chosen({"fwd.com"}, "sub.fwd.com"), "") << "relaxed alignment is alignment";
  EXPECT_EQ(chosen({"mail.fwd.com"}, "fwd.com"), "");
  EXPECT_EQ(chosen({"fwd.com", "other.com"}, "fwd.com"), "other.com");
  EXPECT_EQ(chosen({"a.co.uk"}, "b.co.uk"), "a.co.uk") << "a public suffix joins nobody";
  EXPECT_EQ(chosen({}, "sender.com"), "");
}

TEST(SigningPolicy, SignsNothingWithAnUnclearAuthor) { EXPECT_EQ(chosen({"fwd.com"}, ""), ""); }

TEST(SigningPolicy, SignsOurOwnMessagesWithTheDomainOfTheHost) {
  EXPECT_EQ(chosen({"other.com", "fwd.com"}, "mx.fwd.com", true), "fwd.com");
  EXPECT_EQ(chosen({"other.com"}, "mx.fwd.com", true), "other.com");
}

/// Not for ever, but never shorter than mail may wait in our own queue.
TEST(SignatureLifetime, OutlivesTheQueue) {
  using namespace std::chrono_literals;
  using std::chrono::days;
  EXPECT_EQ(signature_lifetime(1h), days(7));
  EXPECT_EQ(signature_lifetime(days(5)), days(7));
  EXPECT_EQ(signature_lifetime(days(30)), days(32));
  EXPECT_EQ(signature_lifetime(std::chrono::seconds::max()), std::nullopt);
}

}  // namespace
}  // namespace relay::auth
