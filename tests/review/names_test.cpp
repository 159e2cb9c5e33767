// Names and addresses of our own.
#include "tests/review/review_fixture.hpp"

namespace relay::review {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Names : public Review {
 protected:
  /// The quiet configuration with one text in place of another.
  std::vector<std::string> with(const std::string& check, const std::string& old,
                                const std::string& text,
                                const std::string& hosted = "fwd.example") {
    std::string all = quiet() + "[[domain]]\nname = \"" + hosted +
                      "\"\n[domain.alias]\n\"info\" = \"me@mail.example\"\n";
    all.replace(all.find(old), old.size(), text);
    return said(check, all);
  }
};

TEST_F(Names, TheHostNameIsOneThatOthersCanLookUp) {
  const std::string good = "\"mx.relay.example\"";
  EXPECT_THAT(with("hostname", good, "\"localhost\""),
              ElementsAre(HasSubstr("relay.toml:1:12: warning[E050]: hostname: nobody can look up "
                                    "localhost")));
  for (const char* name : {"\"mx\"", "\"localhost.localdomain\"", "\"mail.local\"", "\"a.lan\""}) {
    EXPECT_THAT(with("hostname", good, name), ElementsAre(HasSubstr("mx1.example.org"))) << name;
  }
  EXPECT_THAT(with("hostname", good, "\"local.example\""), IsEmpty());
}

TEST_F(Names, TheTagIsACharacterThatNamesCanHave) {
  const std::string before = "[defaults]\n";
  EXPECT_THAT(
      with("tag", before, before + "tag = \"@\"\n"),
      ElementsAre(HasSubstr("relay.toml:8:7: warning[E050]: defaults.tag: no name has \"@\" in "
                            "it: nothing is a sub-address")));
  EXPECT_THAT(with("tag", before, before + "tag = \"e\"\n"),
              ElementsAre(HasSubstr("every name with \"e\" in it")));
  for (const char* tag : {"+", "-", "=", "_", ""}) {
    EXPECT_THAT(with("tag", before, before + "tag = \"" + tag + "\"\n"), IsEmpty()) << tag;
  }
}

TEST_F(Names, OneSourceOfAFamilyIsUsed) {
  const std::string before = "[defaults]\n";
  EXPECT_THAT(
      with("source", before,
           "[outbound]\nsource = [\"192.0.2.1\", \"2001:db8::1\", \"192.0.2.2\"]\n" + before),
      ElementsAre(
          "relay.toml:8:12: warning[E050]: outbound.source: nothing leaves from 192.0.2.1: of "
          "IPv4 only the last is used, 192.0.2.2\n"
          "   8 | source = [\"192.0.2.1\", \"2001:db8::1\", \"192.0.2.2\"]\n"
          "     |            ^^^^^^^^^ give at most one address of each family"));
  EXPECT_THAT(
      with("source", before, "[outbound]\nsource = [\"192.0.2.1\", \"2001:db8::1\"]\n" + before),
      IsEmpty());
}

TEST_F(Names, TheSrsDomainLiesOutsideEveryHostedOrganisation) {
  const std::string srs = "\"srs.relay.example\"";
  EXPECT_THAT(
      with("srs-domain", srs, "\"srs.fwd.example\""),
      ElementsAre(HasSubstr("relay.toml:3:11: warning[E050]: srs.domain: srs.fwd.example "
                            "belongs to the organisation of fwd.example, which is forwarded "
                            "for")));
  EXPECT_THAT(with("srs-domain", srs, "\"srs.cust.co.uk\"", "mail.cust.co.uk"),
              ElementsAre(HasSubstr("take a domain outside of every organisation")));
  EXPECT_THAT(with("srs-domain", srs, "\"fwd.example\""), ElementsAre(HasSubstr("srs.domain")));
  EXPECT_THAT(with("srs-domain", srs, "\"srs.other.co.uk\"", "cust.co.uk"), IsEmpty());
  EXPECT_THAT(with("srs-domain", srs, "\"srs.relay.eu.org\"", "cust.eu.org"),
              ElementsAre(HasSubstr("organisation of cust.eu.org")))
      << "for whoever walks the tree";
  EXPECT_THAT(
      said("srs-domain",
           quiet() + "[auth]\nverify = false\n[bounces]\nto = \"anyone\"\n[[domain]]\nname = "
                     "\"relay.example\"\n"),
      ElementsAre(HasSubstr(
          "so such mail keeps its sender, or is refused under one of ours: auth.verify = false")));
  EXPECT_THAT(with("srs-domain", srs, srs + "\n[risk]\nsrs_domain = \"doubt.fwd.example\""),
              ElementsAre(HasSubstr("risk.srs_domain: doubt.fwd.example belongs to")));
}

}  // namespace
}  // namespace relay::review
