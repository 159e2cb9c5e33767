// Where aliases, patterns, mapped domains and the postmaster lead: the planner that answers RCPT is
// asked, whatever names the target.
#include <chrono>

#include "tests/review/review_fixture.hpp"

namespace relay::review {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Targets = Review;

TEST_F(Targets, ATargetOfOursMustExist) {
  EXPECT_THAT(said("alias-target", domain("\"sales\" = \"me@mail.example\"\n\"team\" = "
                                          "[\"a@x.example\", \"salse@fwd.example\"]\n")),
              ElementsAre("relay.toml:13:27: warning[E050]: team@fwd.example leads to "
                          "salse@fwd.example, which takes no mail: 550 5.1.1 No such user here\n"
                          "  13 | \"team\" = [\"a@x.example\", \"salse@fwd.example\"]\n"
                          "     |                           ^^^^^^^^^^^^^^^^^ did you mean "
                          "sales@fwd.example?"));
}

TEST_F(Targets, AreFoundInTheLinesOfAList) {
  EXPECT_THAT(
      said("alias-target", domain("\"team\" = [\n  \"a@x.example\",\n"
                                  "  \"gone@fwd.example\",\n]\n")),
      ElementsAre(HasSubstr("relay.toml:14:4: warning[E050]: team@fwd.example leads to gone@")));
}

TEST_F(Targets, OfAnAliasFileHaveTheirColumn) {
  write("aliases", "a: me@mail.example\nteam: a@fwd.example, gone@fwd.example # old\n");
  EXPECT_THAT(
      said("alias-target",
           quiet() + "[[domain]]\nname = \"fwd.example\"\naliases = [\"file:aliases\"]\n"),
      ElementsAre(HasSubstr("aliases:2:22: warning[E050]: team@fwd.example leads to gone@")));
}

/// Addresses that the real map finds by a tag, a pattern or a catch-all exist.
TEST_F(Targets, ExistByTagPatternAndCatchAll) {
  const std::string base =
      "\"info\" = \"me@mail.example\"\n\"a\" = \"info+x@fwd.example\"\n\"b\" = "
      "\"x-support@fwd.example\"\n";
  const std::string pattern =
      "[[domain.pattern]]\nmatch = \"(.*)-support\"\nto = [\"s@x.example\"]\n";
  EXPECT_THAT(said("alias-target", domain(base + pattern)), IsEmpty());
  EXPECT_THAT(said("alias-target", domain(base)), ElementsAre(HasSubstr("x-support@fwd.example")));
  EXPECT_THAT(said("alias-target", domain(base + "\"*\" = \"me@mail.example\"\n")), IsEmpty());
}

TEST_F(Targets, ThatGoRoundByOtherWaysThanAliasesAreFound) {
  EXPECT_THAT(
      said("alias-target", domain("\"*\" = \"all@fwd.example\"\n")),
      ElementsAre(AllOf(HasSubstr("relay.toml:12:8: "),
                        HasSubstr("*@fwd.example leads to all@fwd.example, which goes round: "
                                  "550 5.4.6"))));
  EXPECT_THAT(said("alias-target", domain("\"info\" = \"info+x@fwd.example\"\n")),
              ElementsAre(HasSubstr("which goes round")));
}

/// A member who is reached hides that the others lead nowhere.
TEST_F(Targets, ThatGoRoundBesideALivingMemberAreFound) {
  EXPECT_THAT(
      said("alias-target", domain("\"*\" = [\"me@mail.example\", \"all@fwd.example\"]\n")),
      ElementsAre(AllOf(HasSubstr("relay.toml:12:28: warning[E050]: *@fwd.example leads back to "
                                  "itself by all@fwd.example"),
                        HasSubstr("name a mailbox elsewhere"))));
  EXPECT_THAT(
      said("alias-target", domain("\"team\" = [\"me@mail.example\", \"team@b.example\"]\n"
                                  "\"all\" = [\"x@mail.example\", \"team@fwd.example\"]\n") +
                               "[[domain]]\nname = \"b.example\"\nmap_to = \"fwd.example\"\n"),
      ElementsAre(HasSubstr("team@fwd.example leads back to itself by team@fwd.example")));
}

TEST_F(Targets, OfAFallbackMustExist) {
  EXPECT_THAT(said("alias-target", domain("\"team\" = { to = \"a@x.example\", fallback = "
                                          "\"gone@fwd.example\" }\n")),
              ElementsAre(HasSubstr("team@fwd.example leads to gone@fwd.example")));
}

TEST_F(Targets, OfAFallbackMustHelp) {
  const auto with = [&](const std::string& fallback, const std::string& more = "") {
    return said("alias-target", domain("\"team\" = { to = \"a@x.example\", fallback = \"" +
                                       fallback + "\" }\n" + more));
  };
  EXPECT_THAT(with("b@x.example"), IsEmpty());
  for (const char* same : {"a@x.example", "team@fwd.example"}) {
    EXPECT_THAT(with(same),
                ElementsAre(AllOf(HasSubstr("team@fwd.example has a fallback that never helps"),
                                  HasSubstr("leads to the same addresses"))));
  }
  EXPECT_THAT(with("bin@fwd.example", "\"bin\" = { discard = true }\n"),
              ElementsAre(HasSubstr("never helps: bin@fwd.example leads nowhere")));
}

TEST_F(Targets, OfAWildcardAreAskedForBelowIt) {
  const auto wild = [&](const std::string& target) {
    return said("alias-target",
                domain("\"x\" = \"me@mail.example\"\n") +
                    "[[domain]]\nname = \"*.wild.example\"\n[domain.alias]\n\"info\" = "
                    "\"me@mail.example\"\n\"team\" = \"" +
                    target + "\"\n");
  };
  EXPECT_THAT(wild("info@a.wild.example"), IsEmpty());
  EXPECT_THAT(wild("ifno@a.b.wild.example"),
              ElementsAre(AllOf(HasSubstr("team@*.wild.example leads to ifno@a.b.wild.example"),
                                HasSubstr("did you mean info@*.wild.example?"))));
}

TEST_F(Targets, ThatAreRefusedAreNamedWithTheReply) {
  EXPECT_THAT(said("alias-target", domain("\"old\" = { reject = \"550 5.1.6 moved to x\" }\n"
                                          "\"team\" = [\"a@x.example\", \"old@fwd.example\"]\n")),
              ElementsAre(AllOf(HasSubstr("takes no mail: 550 5.1.6 moved to x"),
                                HasSubstr("name an alias that takes mail"))));
}

TEST_F(Targets, ThatLeadToOurselvesAreFound) {
  own_ = {boost::asio::ip::make_address("192.0.2.25")};
  EXPECT_THAT(
      said("alias-target",
           domain("\"a\" = \"x@mx.relay.example\"\n\"b\" = \"x@srs.relay.example\"\n"
                  "\"c\" = \"x@[192.0.2.25]\"\n\"d\" = \"x@[192.0.2.26]\"\n"
                  "\"e\" = \"SRS0=aaaa=bb=c.example=d@srs.relay.example\"\n"
                  "\"f\" = \"postmaster@mx.relay.example\"\n")),
      ElementsAre(HasSubstr("a@fwd.example leads to x@mx.relay.example, which leads back to this "
                            "host, where it is no alias: 550 5.7.1 Relaying denied"),
                  HasSubstr("b@fwd.example leads to x@srs.relay.example, an SRS address"),
                  HasSubstr("c@fwd.example leads to x@[192.0.2.25], which is this host"),
                  HasSubstr("e@fwd.example leads to SRS0=aaaa=bb=c.example=d@srs.relay.example, an "
                            "SRS address")));
}

TEST_F(Targets, OfAnAliasCanBeTooManyTogether) {
  std::string aliases = "\"all\" = [\"one@fwd.example\", \"two-list@fwd.example\"]\n";
  std::string one = "\"one\" = [";
  std::string two = "[[domain.pattern]]\nmatch = \"two-list\"\nto = [";
  for (int i = 0; i < 600; ++i) {
    one += "\"a" + std::to_string(i) + "@x.example\", ";
    two += "\"b" + std::to_string(i) + "@x.example\", ";
  }
  EXPECT_THAT(
      said("alias-target", domain(aliases + one + "]\n" + two + "]\n")),
      ElementsAre(HasSubstr("relay.toml:12:2: warning[E050]: all@fwd.example takes no mail: "
                            "550 5.4.6 Too many targets")));
}

TEST_F(Targets, OfPatternsAreAskedForAsWell) {
  const auto with = [&](const std::string& match, const std::string& to) {
    return said("pattern-target",
                domain("\"info\" = \"me@mail.example\"\n[[domain.pattern]]\nmatch = '" + match +
                       "'\nto = [\"" + to + "\"]\n"));
  };
  EXPECT_THAT(
      with("(a|b)-x", "ifno@fwd.example"),
      ElementsAre(AllOf(HasSubstr("relay.toml:15:8: warning[E050]: a pattern of fwd.example "
                                  "leads to ifno@fwd.example, which takes no mail"),
                        HasSubstr("did you mean info@fwd.example?"))));
  EXPECT_THAT(with("(?P<p>[a-z]+)-x", "${p}@mx.relay.example"),
              ElementsAre(HasSubstr("leads back to this host")));
  EXPECT_THAT(with("(.*)", "${0}@fwd.example"),
              ElementsAre(HasSubstr("a@fwd.example nowhere: 550 5.4.6")));
  EXPECT_THAT(with("(?:new|old)-(\\d{2,})", "new-${1}@fwd.example"),
              ElementsAre(HasSubstr("which takes new-1")));
  EXPECT_THAT(with("(.*)-x", "${1}"), ElementsAre(HasSubstr("which is no address")));
  EXPECT_THAT(with("(.*)-x", "${1}@fwd.example"), IsEmpty());
  EXPECT_THAT(with("(.*)-x", "me@mail.example"), IsEmpty());
}

TEST_F(Targets, OfAMappedDomainAreThere) {
  const auto with = [&](const std::string& to, const std::string& other = "") {
    return said("map-to",
                quiet() + "[[domain]]\nname = \"fwd.example\"\nmap_to = \"" + to + "\"\n" + other);
  };
  EXPECT_THAT(with("mail.example"), IsEmpty());
  EXPECT_THAT(
      with("fwd.example"),
      ElementsAre(AllOf(HasSubstr("relay.toml:11:11: warning[E050]: fwd.example is mapped to "
                                  "fwd.example, where nothing is found: 550 5.4.6"),
                        HasSubstr("^^^^^^^^^^^"))));
  EXPECT_THAT(with("mx.relay.example"), ElementsAre(HasSubstr("550 5.7.1 Relaying denied")));
  const std::string next = "[[domain]]\nname = \"next.example\"\n";
  EXPECT_THAT(with("next.example", next + "map_to = \"fwd.example\"\n"),
              ElementsAre(HasSubstr("5.4.6"), HasSubstr("5.4.6")));
  EXPECT_THAT(with("next.example", next), ElementsAre(HasSubstr("5.1.1")));
  EXPECT_THAT(with("next.example", next + "alias = { a = \"me@mail.example\" }\n"), IsEmpty());
}

TEST_F(Targets, OfThePostmasterIsSomebody) {
  const std::string text = domain("\"info\" = \"me@mail.example\"\n");
  const auto with = [&](const std::string& who) {
    std::string changed = text;
    changed.replace(changed.find("me@mail.example"), 15, who);
    return said("postmaster", changed);
  };
  EXPECT_THAT(with("info@fwd.example"), IsEmpty());
  EXPECT_THAT(with("ops@fwd.example"),
              ElementsAre(HasSubstr("relay.toml:8:15: warning[E050]: defaults.postmaster: nobody "
                                    "reads ops@fwd.example, which takes no mail: 550 5.1.1")));
  const auto alias = [&](const std::string& options) {
    return said("postmaster", text + "\"postmaster\" = { " + options + " }\n");
  };
  EXPECT_THAT(alias("to = \"me@mail.example\""), IsEmpty());
  EXPECT_THAT(alias("to = \"me@mail.example\", expires = 2999-01-01"), IsEmpty());
  EXPECT_THAT(alias("to = \"me@mail.example\", expires = 2020-01-01"),
              ElementsAre(HasSubstr("nobody reads postmaster@fwd.example (RFC 5321 §4.5.1): it has "
                                    "expired")));
  EXPECT_THAT(alias("discard = true"), ElementsAre(HasSubstr("goes before [defaults]")));
}

/// Minutes would keep a host from starting; this is for a build of any kind on a busy machine.
TEST_F(Targets, OfAHundredThousandAliasesAreAskedForInSeconds) {
  std::string aliases;
  for (int i = 0; i < 100'000; ++i) {
    aliases += "a" + std::to_string(i) + ": a" + std::to_string(i + 1) + "x@fwd.example\n";
  }
  write("aliases", aliases + "*: me@mail.example\n");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(said("", quiet() + "[[domain]]\nname = \"fwd.example\"\naliases = "
                                 "[\"file:aliases\"]\n"),
              IsEmpty());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

}  // namespace
}  // namespace relay::review
