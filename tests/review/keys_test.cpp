// Certificates and signing keys that others do not believe.
#include "tests/review/review_fixture.hpp"

namespace relay::review {
namespace {

using auth::dkim::KeyType;
using auth::dkim::PrivateKey;
using std::chrono::days;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Keys : public Review {
 protected:
  void SetUp() override {
    Review::SetUp();
    for (const char* name : {"cert.pem", "key.pem", "a.pem", "b.pem"}) write(name, "x", 0600);
  }

  std::vector<std::string> of_certificate(base::WallTime begins, base::WallTime ends,
                                          bool is_for_host_name = true) {
    certificate_ = {.begins = begins,
                    .ends = ends,
                    .names = {"mail.example", "www.mail.example"},
                    .is_for_host_name = is_for_host_name};
    return said("certificate", domain("\"info\" = \"me@mail.example\"\n[tls]\ncert = "
                                      "\"cert.pem\"\nkey = \"key.pem\"\n"));
  }

  /// [[dkim]] of relay.example with these selectors, each with a key of its own.
  std::vector<std::string> of_keys(const std::vector<std::pair<std::string, KeyType>>& keys,
                                   const std::string& more = "") {
    std::string text;
    auth::SigningDomain made{.domain = "relay.example", .keys = {}};
    for (const auto& [selector, type] : keys) {
      text += "{ selector = \"" + selector + "\", file = \"a.pem\" }, ";
      made.keys.push_back({selector, *PrivateKey::generate(type)});
    }
    signing_.domains = {std::move(made)};
    return said(
        "signing-key",
        domain("\"info\" = \"me@mail.example\"\n[[dkim]]\ndomain = \"relay.example\"\nkeys = [" +
               text + "]\n" + more));
  }
};

TEST_F(Keys, ACertificateIsValidNow) {
  EXPECT_THAT(of_certificate(kNow - days(60), kNow + days(30)), IsEmpty());
  EXPECT_THAT(of_certificate(kNow - days(90), kNow - days(1)),
              ElementsAre(HasSubstr("relay.toml:14:8: warning[E050]: tls.cert: cert.pem expired on "
                                    "2026-11-23")));
  EXPECT_THAT(of_certificate(kNow + days(1), kNow + days(90)),
              ElementsAre(HasSubstr("is not valid before 2026-11-25")));
  EXPECT_THAT(of_certificate(kNow - days(84), kNow + days(6)),
              ElementsAre(HasSubstr("expires on 2026-11-30")));
  // One for six days is renewed in the last of them.
  EXPECT_THAT(of_certificate(kNow - days(4), kNow + days(2)), IsEmpty());
}

TEST_F(Keys, ACertificateIsForTheHostName) {
  EXPECT_THAT(of_certificate(kNow - days(60), kNow + days(30), false),
              ElementsAre(HasSubstr("tls.cert: cert.pem is for mail.example, www.mail.example, not "
                                    "for mx.relay.example")));
}

TEST_F(Keys, Ed25519AloneIsNoSignatureToMany) {
  EXPECT_THAT(
      of_keys({{"e", KeyType::Ed25519}}),
      ElementsAre(HasSubstr("relay.toml:14:10: warning[E050]: dkim: relay.example signs with "
                            "Ed25519 alone")));
  EXPECT_THAT(of_keys({{"e", KeyType::Ed25519}, {"r", KeyType::Rsa}}), IsEmpty());
  EXPECT_THAT(of_keys({{"r", KeyType::Rsa}}), IsEmpty());
}

TEST_F(Keys, ASelectorHasOneKey) {
  EXPECT_THAT(of_keys({{"r", KeyType::Rsa}, {"r", KeyType::Rsa}}),
              ElementsAre(HasSubstr("two keys of relay.example have the selector r")));
  const std::string arc = "[arc]\ndomain = \"relay.example\"\nselector = \"r\"\nfile = \"b.pem\"\n";
  signing_.sealer = {"relay.example", "r", *PrivateKey::generate(KeyType::Rsa)};
  EXPECT_THAT(
      of_keys({{"r", KeyType::Rsa}}, arc),
      ElementsAre(HasSubstr("relay.toml:19:8: warning[E050]: arc: the key does not match the "
                            "one that [[dkim]] has for r of relay.example")));
  EXPECT_THAT(of_keys({{"s", KeyType::Rsa}}, arc), IsEmpty());
  signing_.sealer = {"relay.example", "x", *PrivateKey::generate(KeyType::Ed25519)};
  EXPECT_THAT(of_keys({{"r", KeyType::Rsa}}, arc),
              ElementsAre(HasSubstr("arc: sealed with Ed25519")));
}

}  // namespace
}  // namespace relay::review
