// What an alias may say beside its targets, in the configuration and in alias files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/forward/hosted_domains.hpp"
#include "tests/settings/loader_fixture.hpp"

namespace relay::settings {

using forward::Alias;
using forward::HostedDomains;

namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Aliases : public LoaderFixture {
 protected:
  static std::string around(const std::string& domain) {
    return "hostname = \"mx.example.org\"\n[srs]\ndomain = \"srs.example.org\"\n"
           "[[srs.secret]]\nid = \"a\"\nfile = \"secrets/good\"\n"
           "[defaults]\npostmaster = \"me@mail.example\"\n" +
           domain;
  }

  static std::string inline_alias(const std::string& value) {
    return around("[[domain]]\nname = \"example.org\"\n[domain.alias]\n\"x\" = " + value + '\n');
  }

  std::string in_file(const std::string& lines) {
    write("aliases", lines);
    return around("[[domain]]\nname = \"example.org\"\naliases = [\"file:aliases\"]\n");
  }

  Alias first_alias(const std::string& text) {
    const auto loaded = load_text(text);
    if (!loaded) {
      ADD_FAILURE() << render(loaded.error().front());
      return {};
    }
    EXPECT_THAT(loaded->warnings, IsEmpty());
    return loaded->settings->domains.front().aliases.front();
  }
};

TEST_F(Aliases, MayDiscard) {
  EXPECT_TRUE(first_alias(inline_alias("{ discard = true }")).discard);
  EXPECT_FALSE(first_alias(inline_alias("{ to = \"a@b.example\", discard = false }")).discard);
  EXPECT_TRUE(first_alias(in_file("x: discard\n")).discard);
  EXPECT_TRUE(first_alias(in_file("x :\tDISCARD  # noise\n")).discard);
}

/// "#" is a letter of local parts (RFC 5322 §3.2.3, atext).
TEST_F(Aliases, AreCutAtACommentAndNotWithinAnAddress) {
  const Alias alias = first_alias(in_file("# all of it\nroom#5: me#tag@mail.example # why\n"));
  EXPECT_EQ(alias.local_part, "room#5");
  ASSERT_EQ(alias.targets.size(), 1U);
  EXPECT_EQ(alias.targets.front().to_string(), "me#tag@mail.example");
}

TEST_F(Aliases, MayRejectInFiles) {
  const Alias old = first_alias(in_file("old: reject 550 5.1.6 moved to new@example.org\n"));
  ASSERT_TRUE(old.reject);
  EXPECT_EQ(old.reject->code, 550);
  EXPECT_EQ(old.reject->status, (mail::EnhancedStatus{5, 1, 6}));
  EXPECT_EQ(old.reject->text, "moved to new@example.org");
  EXPECT_TRUE(old.targets.empty());
  EXPECT_EQ(first_alias(in_file("a: Reject 450 4.2.1 come again, please\n")).reject->code, 450);
}

TEST_F(Aliases, DoOneThing) {
  for (const char* value :
       {"{ discard = false }", "{ to = \"a@b.example\", discard = true }",
        "{ reject = \"550 5.1.6 moved\", discard = true }",
        "{ reject = \"550 5.1.6 moved\", to = \"a@b.example\" }", "{ keep_tag = true }"}) {
    EXPECT_THAT(problems_of(inline_alias(value)),
                Contains(HasSubstr("one of `to`, `reject` and `discard = true`")))
        << value;
  }
  EXPECT_THAT(problems_of(in_file("ok: a@b.example\nx: discard, a@b.example\n")),
              ElementsAre(HasSubstr("aliases:2:3: error[E011]: `discard` stands alone")));
  EXPECT_THAT(
      problems_of(in_file("x: a@b.example, reject 550 5.1.6 moved\n")),
      ElementsAre(HasSubstr("aliases:1:16: error[E011]: `reject 550 5.1.6 moved` stands alone")));
  for (const char* line : {"x: reject\n", "x: reject me\n", "x: reject 250 2.0.0 fine\n"}) {
    EXPECT_THAT(problems_of(in_file(line)),
                ElementsAre(HasSubstr(
                    "aliases:1:3: error[E011]: expected a reply such as `reject 550 5.1.6")))
        << line;
  }
  // An address is an address, whatever its name.
  EXPECT_EQ(first_alias(in_file("x: discard@b.example, reject@b.example\n")).targets.size(), 2U);
}

TEST_F(Aliases, HaveALastDayAndALargestMessage) {
  const Alias alias = first_alias(
      inline_alias("{ to = \"a@b.example\", expires = 2026-11-24, max_size = \"10MiB\" }"));
  EXPECT_EQ(alias.expires, 1'795'564'799);  // 24 November, 23:59:59 UTC
  EXPECT_EQ(alias.max_size, 10ULL << 20);
  EXPECT_EQ(first_alias(inline_alias("{ discard = true, expires = 2026-11-24 }")).expires,
            1'795'564'799);
  EXPECT_THAT(problems_of(inline_alias("{ to = \"a@b.example\", expires = \"2026-11-24\" }")),
              ElementsAre(HasSubstr("expires: expected a date such as 2026-12-31")));
  EXPECT_THAT(problems_of(inline_alias("{ to = \"a@b.example\", max_size = 10 }")),
              ElementsAre(HasSubstr("max_size: expected a size in quotes")));
  for (const char* key : {"expires = 2026-11-24", "max_size = \"1MiB\""}) {
    EXPECT_THAT(
        problems_of(inline_alias("{ reject = \"550 5.1.6 moved\", " + std::string(key) + " }")),
        ElementsAre(HasSubstr("without `to` has no use for it")))
        << key;
  }
}

TEST_F(Aliases, AreNamedInTheirCopiesWhereThatIsWanted) {
  const auto marked = [](const std::string& name) {
    return inline_alias("\"a@b.example\"") + "[defaults]\npostmaster = \"a@b.example\"\n" +
           "mark_alias = \"" + name + "\"\n";
  };
  const auto alone = [&](const std::string& name) {
    std::string text = marked(name);
    const std::string first = "[defaults]\npostmaster = \"me@mail.example\"\n";
    return text.erase(text.find(first), first.size());
  };
  EXPECT_EQ(load_text(inline_alias("\"a@b.example\""))->settings->defaults.mark_alias,
            mail::AliasMark::None);
  EXPECT_EQ(load_text(alone("X-Original-To"))->settings->defaults.mark_alias,
            mail::AliasMark::OriginalTo);
  EXPECT_EQ(load_text(alone("Delivered-To"))->settings->defaults.mark_alias,
            mail::AliasMark::DeliveredTo);
  EXPECT_THAT(problems_of(alone("To")), Contains(HasSubstr("defaults.mark_alias")));
}

TEST_F(Aliases, HaveAFallback) {
  const Alias alias = first_alias(
      inline_alias("{ to = [\"a@b.example\", \"c@d.example\"], fallback = \"E@f.example\" }"));
  ASSERT_TRUE(alias.fallback);
  EXPECT_EQ(alias.fallback->to_string(), "E@f.example");
  EXPECT_THAT(problems_of(inline_alias("{ to = \"a@b.example\", fallback = \"nobody\" }")),
              ElementsAre(HasSubstr("fallback: \"nobody\"")));
  for (const char* key : {"max_size = \"1MiB\"", "fallback = \"a@b.example\""}) {
    EXPECT_THAT(problems_of(inline_alias("{ discard = true, " + std::string(key) + " }")),
                ElementsAre(HasSubstr("without `to` has no use for it")))
        << key;
  }
}

TEST_F(Aliases, StandInWildcardDomains) {
  const auto domain = [](const std::string& name) {
    return "[[domain]]\nname = \"" + name + "\"\n[domain.alias]\n\"x\" = \"a@b.example\"\n";
  };
  const auto loaded = load_text(around(domain("*.Example.net") + domain("example.net")));
  ASSERT_TRUE(loaded) << render(loaded.error().front());
  EXPECT_THAT(loaded->warnings, IsEmpty());
  const auto& domains = loaded->settings->domains;
  EXPECT_EQ(domains[0].text(), "*.example.net");
  EXPECT_EQ(domains[1].text(), "example.net");
  const HostedDomains hosted(*loaded->settings);
  EXPECT_EQ(hosted.find("example.net"), &domains[1]);
  EXPECT_EQ(hosted.find("a.b.example.net"), domains.data());
  EXPECT_EQ(hosted.find("example.org"), nullptr);
  for (const char* bad : {"*", "*.com", "*example.net", "*.", "*.*.example.net", "*.[192.0.2.1]"}) {
    EXPECT_THAT(problems_of(around(domain(bad))),
                Contains(HasSubstr("relay.toml:10:8: error[E011]: domain.name: \"" +
                                   std::string(bad) + "\": ")))
        << bad;
  }
  EXPECT_THAT(problems_of(around("[[domain]]\nname = 5\n")),
              ElementsAre(HasSubstr("domain.name: expected a string")));
  EXPECT_THAT(problems_of(around(domain("*.example.net") + domain("*.EXAMPLE.net"))),
              Contains(HasSubstr("*.example.net is configured twice")));
}

/// A loop is found when the file is read, through wildcards as well.
TEST_F(Aliases, OfWildcardsAreFollowed) {
  EXPECT_THAT(problems_of(around("[[domain]]\nname = \"*.example.net\"\n[domain.alias]\n"
                                 "\"x\" = \"y@a.example.net\"\n\"y\" = \"X@b.c.example.net\"\n")),
              Contains(HasSubstr("alias x@*.example.net leads back to itself")));
}

TEST_F(Aliases, OfAWildcardReadForThePostmasterOfItsNames) {
  const std::string text =
      "hostname = \"mx.example.net\"\n[srs]\ndomain = \"srs.example.net\"\n"
      "[[srs.secret]]\nid = \"a\"\nfile = \"secrets/good\"\n"
      "[[domain]]\nname = \"*.example.net\"\n[domain.alias]\n";
  EXPECT_THAT(problems_of(text + "\"x\" = \"a@b.example\"\n"),
              Contains(HasSubstr("nobody reads postmaster@srs.example.net, "
                                 "postmaster@mx.example.net, postmaster@*.example.net")));
  // The SRS domain is not hosted by the wildcard.
  EXPECT_THAT(problems_of(text + "\"postmaster\" = \"a@b.example\"\n"),
              Contains(HasSubstr("nobody reads postmaster@srs.example.net (")));
}

}  // namespace
}  // namespace relay::settings
