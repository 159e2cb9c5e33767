// Findings of `check` about addresses, limits of headers, and the reader of postmaster@.
#include <gmock/gmock.h>

#include "tests/settings/loader_fixture.hpp"

namespace relay::settings {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kPostmaster = "[defaults]\npostmaster = \"ops@mail.example\"\n";
const std::string kSrs =
    "[srs]\ndomain = \"srs.example.org\"\n[[srs.secret]]\nid = \"a\"\nfile = \"secrets/good\"\n";
const std::string kEnd = kPostmaster + kSrs;

class AddressSettings : public LoaderFixture {};

TEST_F(AddressSettings, TargetsMayBeWrittenAsTheyAreUsed) {
  write("aliases", "a..b: c..d@mail.example\nann.: ann.@mail.example.\n");
  const auto loaded = load_text(
      "hostname = \"mx.example.org\"\n[[domain]]\nname = \"example.org\"\n"
      "aliases = [\"file:aliases\"]\n[domain.alias]\n\"x..y\" = \"z..@mail.example\"\n" +
      kEnd);
  ASSERT_TRUE(loaded) << render(loaded.error().front());
  EXPECT_THAT(loaded->warnings, IsEmpty());
  const auto& aliases = loaded->settings->domains.front().aliases;
  ASSERT_EQ(aliases.size(), 3U);
  EXPECT_EQ(aliases[0].targets.at(0).to_string(), "\"z..\"@mail.example");
  EXPECT_EQ(aliases[1].local_part, "a..b");
  EXPECT_EQ(aliases[1].targets.at(0).to_string(), "\"c..d\"@mail.example");
  EXPECT_EQ(aliases[2].targets.at(0).to_string(), "\"ann.\"@mail.example");
}

/// RFC 5321 §4.5.3.1.1: a host may refuse them, so the operator is told where they stand.
TEST_F(AddressSettings, TargetsOfOver64OctetsAreWarnedOf) {
  const std::string longer = std::string(65, 'x') + "@mail.example";
  const std::string just = std::string(64, 'x') + "@mail.example";
  write("aliases", "a: " + just + ", " + longer + "\n");
  const auto problems = problems_of(
      "hostname = \"mx.example.org\"\n[[domain]]\nname = \"example.org\"\n"
      "aliases = [\"file:aliases\"]\n[domain.alias]\n\"b\" = \"" +
      longer + "\"\n\"c\" = { to = [\"" + longer + "\"] }\n[defaults]\npostmaster = \"" + longer +
      "\"\n" + kSrs);
  EXPECT_THAT(problems, testing::UnorderedElementsAre(
                            HasSubstr("relay.toml:6:7: warning[E011]: domain.alias.b: \"" + longer +
                                      "\": 65 octets before the @"),
                            HasSubstr("relay.toml:7:14: warning[E011]: domain.alias.c.to: "),
                            HasSubstr("aliases:1:82: warning[E011]: \"" + longer + "\": 65 octets"),
                            HasSubstr("relay.toml:9:14: warning[E011]: defaults.postmaster: ")));
}

TEST_F(AddressSettings, PathsOfOver256OctetsAreErrors) {
  EXPECT_THAT(problems_of(kHead + "\"b\" = \"" + std::string(250, 'x') + "@mail.example\"\n"),
              ElementsAre(HasSubstr("relay.toml:6:7: error[E011]: domain.alias.b: \"xxx")));
}

/// One name in two writings would be two aliases of which one is never found.
TEST_F(AddressSettings, KeysAreFoldedAsTheyAreLookedUp) {
  const auto loaded = load_text(kHead + "\"JU\u0308RGEN\" = \"j@mail.example\"\n" + kEnd);
  ASSERT_TRUE(loaded) << render(loaded.error().front());
  EXPECT_EQ(loaded->settings->domains.front().aliases.back().local_part, "j\u00FCrgen");
  EXPECT_THAT(problems_of(kHead + "\"j\u00FCrgen\" = \"a@mail.example\"\n" +
                          "\"ju\u0308rgen\" = \"b@mail.example\"\n"),
              Contains(HasSubstr("the same alias in another case stands above")));
  write("aliases", "j\u00FCrgen: a@mail.example\nJU\u0308RGEN: b@mail.example\n");
  EXPECT_THAT(problems_of("hostname = \"mx.example.org\"\n[[domain]]\nname = \"example.org\"\n"
                          "aliases = [\"file:aliases\"]\n"),
              Contains(HasSubstr("aliases:2:1: error[E002]: alias \"j\u00FCrgen\" stands above")));
}

TEST_F(AddressSettings, LoopsAreSeenThroughOtherWritings) {
  EXPECT_THAT(problems_of(kHead + "\"j\u00FCrgen\" = \"b@example.org\"\n"
                                  "\"b\" = \"JU\u0308RGEN@Example.org.\"\n"),
              Contains(HasSubstr("leads back to itself")));
}

TEST_F(AddressSettings, ConfirmedTargetsAreKnownInOtherWritings) {
  write("confirmed.txt", "JU\u0308RGEN@mail.example\na..b@mail.example\n");
  const auto loaded = load_text(kHead + "[consent]\nrequired = true\n");
  ASSERT_TRUE(loaded) << render(loaded.error().front());
  const auto& confirmed = *loaded->settings->consent.confirmed;
  EXPECT_EQ(confirmed.awaited(*mail::Mailbox::parse("j\u00FCrgen+x@mail.example")), "");
  EXPECT_EQ(confirmed.awaited(*mail::Mailbox::parse("\"A..B\"@mail.example")), "");
}

TEST_F(AddressSettings, LimitsOfHeadersHaveDefaultsAndBounds) {
  const auto loaded = load_text(kHead);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->settings->limits.max_hops, 100U);
  EXPECT_EQ(loaded->settings->limits.max_header, 256U << 10);
  EXPECT_EQ(loaded->settings->limits.max_header_fields, 10'000U);
  const auto set = load_text(kHead +
                             "[limits]\nmax_hops = 30\nmax_header = \"64KiB\"\n"
                             "max_header_fields = 1000\n");
  ASSERT_TRUE(set);
  EXPECT_EQ(set->settings->limits.max_hops, 30U);
  EXPECT_EQ(set->settings->limits.max_header, 64U << 10);
  EXPECT_EQ(set->settings->limits.max_header_fields, 1000U);
  EXPECT_THAT(
      problems_of(kHead +
                  "[limits]\nmax_hops = 9\nmax_header = \"257KiB\"\nmax_header_fields = 99\n"),
      ElementsAre(HasSubstr("relay.toml:7:12: error[E011]: limits.max_hops: must be between 10 and "
                            "1000"),
                  HasSubstr("relay.toml:8:14: error[E011]: limits.max_header: must be between "
                            "\"8KiB\" and \"256KiB\""),
                  HasSubstr("relay.toml:9:21: error[E011]: limits.max_header_fields: must be "
                            "between 100 and 50000")));
  EXPECT_THAT(problems_of(kHead + "[limits]\nmax_header = \"1KiB\"\n"),
              ElementsAre(HasSubstr("limits.max_header: must be between")));
  EXPECT_THAT(problems_of(kHead + "[limits]\nmax_header = 5\n"),
              ElementsAre(HasSubstr("a size in quotes")));
}

/// Receivers that ask for the postmaster of a sender's domain refuse all mail where there is none.
TEST_F(AddressSettings, WithoutAPostmasterTheDomainsAreNamed) {
  EXPECT_THAT(problems_of(kHead + kSrs),
              ElementsAre(HasSubstr("warning[E011]: nobody reads postmaster@srs.example.org, "
                                    "postmaster@mx.example.org (RFC 5321 §4.5.1); set [defaults] "
                                    "postmaster")));
  const std::string plain =
      "hostname = \"mx.example.org\"\n[[domain]]\nname = \"example.org\"\n"
      "[domain.alias]\n\"info\" = \"me@mail.example\"\n";
  EXPECT_THAT(problems_of(plain + kSrs),
              ElementsAre(HasSubstr("postmaster@srs.example.org, postmaster@mx.example.org, "
                                    "postmaster@example.org (RFC")));
  EXPECT_THAT(problems_of(plain + kEnd), IsEmpty());
  // Who hosts them has made them himself.
  std::string own = plain;
  for (const char* name : {"mx.example.org", "SRS.example.org"}) {
    own += std::string("[[domain]]\nname = \"") + name +
           "\"\n[domain.alias]\n\"postmaster\" = \"me@mail.example\"\n";
  }
  EXPECT_THAT(problems_of(own + kSrs),
              ElementsAre(HasSubstr("nobody reads postmaster@example.org (RFC")));
  std::string many = plain;
  for (int i = 0; i < 20; ++i) {
    many += "[[domain]]\nname = \"d" + std::to_string(i) +
            ".example\"\n[domain.alias]\na = \"b@mail.example\"\n";
  }
  EXPECT_THAT(problems_of(many + kSrs),
              ElementsAre(AllOf(HasSubstr("postmaster@d6.example and 13 more (RFC"),
                                Not(HasSubstr("d7.example")))));
}

TEST_F(AddressSettings, APostmasterWhomNobodyReadsIsNone) {
  const auto with = [&](const std::string& aliases) {
    return problems_of(
        "hostname = \"mx.example.org\"\n[[domain]]\nname = \"mx.example.org\"\n"
        "[domain.alias]\n\"info\" = \"me@mail.example\"\n" +
        aliases);
  };
  const auto is_named = Contains(HasSubstr("nobody reads postmaster@mx.example.org (RFC"));
  EXPECT_THAT(with("\"postmaster\" = \"me@mail.example\"\n"), Not(is_named));
  EXPECT_THAT(with("\"postmaster\" = { discard = true }\n"), is_named);
  EXPECT_THAT(with("\"postmaster\" = { reject = \"550 5.1.1 nobody\" }\n\"*\" = "
                   "\"me@mail.example\"\n"),
              is_named);
  EXPECT_THAT(with("\"*\" = { discard = true }\n"), is_named);
}

TEST_F(AddressSettings, APostmasterThatLeadsBackHereIsNamed) {
  for (const char* address : {"me@mx.example.org", "me@SRS.example.org"}) {
    EXPECT_THAT(problems_of(kHead + "[defaults]\npostmaster = \"" + address + "\"\n" + kSrs),
                ElementsAre(HasSubstr("leads back to this host")))
        << address;
  }
  EXPECT_THAT(problems_of(kHead + "[defaults]\npostmaster = \"me@example.org\"\n" + kSrs),
              IsEmpty());
}

}  // namespace
}  // namespace relay::settings
