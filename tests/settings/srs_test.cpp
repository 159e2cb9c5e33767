// [srs]: which secrets take classic addresses.
#include <gmock/gmock.h>

#include "tests/settings/loader_fixture.hpp"

namespace relay::settings {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SrsSettings : public LoaderFixture {
 protected:
  void SetUp() override {
    LoaderFixture::SetUp();
    write("secrets/other", "w3Xc9LqTzR5nVb1MfKd8JhGs2PyAe6Uo", 0600);
  }

  /// Lines 8 to the end.
  static std::string srs(const std::string& section, const std::string& first = "",
                         const std::string& second = "") {
    return kHead + "[defaults]\npostmaster = \"me@mail.example\"\n" +
           "[srs]\ndomain = \"srs.example.org\"\n" + section +
           "[[srs.secret]]\nid = \"b\"\nfile = \"secrets/good\"\n" + first +
           "[[srs.secret]]\nid = \"a\"\nfile = \"secrets/other\"\n" + second;
  }

  std::vector<std::optional<bool>> classic_of(const std::string& text) {
    const auto loaded = load_text(text);
    if (!loaded) {
      ADD_FAILURE() << render(loaded.error().front());
      return {};
    }
    std::vector<std::optional<bool>> found;
    for (const auto& secret : loaded->settings->srs.secrets) found.push_back(secret.classic);
    return found;
  }
};

TEST_F(SrsSettings, ASecretTakesClassicAddressesWhereItSaysSo) {
  EXPECT_THAT(classic_of(srs("")), ElementsAre(std::nullopt, std::nullopt));
  EXPECT_THAT(classic_of(srs("", "", "classic = true\n")), ElementsAre(std::nullopt, true));
  EXPECT_THAT(classic_of(srs("", "classic = false\n")), ElementsAre(false, std::nullopt));
  EXPECT_THAT(classic_of(srs("format = \"classic\"\n")), ElementsAre(true, true));
  EXPECT_THAT(classic_of(srs("format = \"classic\"\n", "classic = true\n")),
              ElementsAre(true, true));
}

TEST_F(SrsSettings, TheOlderWordForAllSecretsIsFollowedAndTheNewOneTold) {
  EXPECT_THAT(classic_of(srs("accept_classic = true\n")), ElementsAre(true, true));
  EXPECT_THAT(classic_of(srs("accept_classic = false\n", "", "classic = true\n")),
              ElementsAre(false, true));
  EXPECT_THAT(classic_of(srs("format = \"classic\"\naccept_classic = false\n")),
              ElementsAre(true, true));
  EXPECT_THAT(problems_of(srs("accept_classic = true\n")),
              Contains(AllOf(HasSubstr("relay.toml:10:18: warning[E011]: srs.accept_classic: is "
                                       "followed, but each secret says this itself now"),
                             HasSubstr("write `classic = true` in the [[srs.secret]] that"))));
  EXPECT_THAT(problems_of(srs("accept_classic = false\n")), Contains(HasSubstr("leave it out")));
  EXPECT_THAT(problems_of(srs("accept_classic = \"yes\"\n")),
              Contains(HasSubstr("srs.accept_classic: expected true or false")));
  EXPECT_THAT(problems_of(srs("")), Not(Contains(HasSubstr("classic"))));
}

TEST_F(SrsSettings, HowManySendersAreStoredIsRead) {
  const auto common = load_text(srs(""));
  ASSERT_TRUE(common);
  EXPECT_EQ(common->settings->srs.stored_per_domain, 100'000);
  EXPECT_EQ(common->settings->srs.stored_per_client, 1'000);
  const auto chosen = load_text(srs("stored_per_domain = 7\nstored_per_client = 5\n"));
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->settings->srs.stored_per_domain, 7);
  EXPECT_EQ(chosen->settings->srs.stored_per_client, 5);
  EXPECT_THAT(problems_of(srs("stored_per_domain = 0\n")),
              Contains(HasSubstr("srs.stored_per_domain")));
}

TEST_F(SrsSettings, WhatContradictsItselfIsRefused) {
  EXPECT_THAT(problems_of(srs("format = \"classic\"\n", "", "classic = false\n")),
              ElementsAre(HasSubstr("srs.secret.classic: format = \"classic\" makes classic "
                                    "addresses, which every secret must verify")));
  EXPECT_THAT(
      problems_of(srs("", "", "scheme = \"exim\"\nverify_until = 2036-12-31\nclassic = true\n")),
      ElementsAre(HasSubstr("srs.secret.classic: a secret with a scheme verifies the addresses")));
  EXPECT_THAT(problems_of(srs("", "classic = 1\n")),
              ElementsAre(HasSubstr("srs.secret.classic: expected true or false")));
}

}  // namespace
}  // namespace relay::settings
