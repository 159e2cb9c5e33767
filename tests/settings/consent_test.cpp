// [consent] as read from a file, and the file of those who have confirmed.
#include <chrono>

#include <gmock/gmock.h>

#include "relay/settings/confirmed_text.hpp"
#include "relay/settings/findings.hpp"
#include "tests/settings/loader_fixture.hpp"
#include "tests/support/mailbox.hpp"

namespace relay::settings {

using forward::ConfirmedTargets;

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

using support::mailbox;

class ConsentSettings : public LoaderFixture {
 protected:
  /// Under which address copies wait where these lines are the file; "": it is confirmed.
  std::string awaited(const std::string& lines, const std::string& target,
                      const std::string& more = "") {
    write("confirmed.txt", lines);
    const auto loaded = load_text(kHead + more + "[consent]\nrequired = true\n");
    EXPECT_TRUE(loaded) << render(loaded.error().front());
    return loaded ? loaded->settings->consent.confirmed->awaited(mailbox(target)) : "none";
  }
};

TEST_F(ConsentSettings, AskNobodyByDefault) {
  const auto loaded = load_text(kHead);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->settings->consent.confirmed, nullptr);
  EXPECT_EQ(loaded->settings->consent.max_held, 20U);
  EXPECT_EQ(loaded->settings->consent.contact, "");
  write("confirmed.txt", "me@mail.example\n");
  const auto off = load_text(kHead + "[consent]\nconfirmed = \"confirmed.txt\"\n");
  ASSERT_TRUE(off);
  EXPECT_EQ(off->settings->consent.confirmed, nullptr) << "a file alone asks for nothing";
}

TEST_F(ConsentSettings, SayWhatIsInTheFile) {
  write("panel/yes", "me@mail.example\n");
  const auto loaded = load_text(kHead +
                                "[consent]\nrequired = true\nconfirmed = \"panel/yes\"\n"
                                "max_held = 5\ncontact = \"abuse@example.org\"\n");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->settings->consent.confirmed->size(), 1U);
  EXPECT_EQ(loaded->settings->consent.max_held, 5U);
  EXPECT_EQ(loaded->settings->consent.contact, "abuse@example.org");
}

TEST_F(ConsentSettings, KnowWhoHasConfirmed) {
  const std::string lines =
      "# of the panel\n\n"
      "Me@Mail.example   # on Monday\r\n"
      "\t@All.example\n"
      "odd#name@mail.example\n"
      "you+lists@mail.example\n"
      "\"a b\"@quoted.example\n"
      "@m\xC3\xBCnchen.example\n";
  EXPECT_EQ(awaited(lines, "me@mail.EXAMPLE"), "");
  EXPECT_EQ(awaited(lines, "ME+news@mail.example"), "") << "a sub-address is the same mailbox";
  EXPECT_EQ(awaited(lines, "whoever@all.example"), "");
  EXPECT_EQ(awaited(lines, "whoever@sub.all.example"), "whoever@sub.all.example");
  EXPECT_EQ(awaited(lines, "odd#name@mail.example"), "");
  EXPECT_EQ(awaited(lines, "you+lists@mail.example"), "") << "as it is written";
  EXPECT_EQ(awaited(lines, "you@mail.example"), "you@mail.example");
  EXPECT_EQ(awaited(lines, "You+Other@mail.example"), "you@mail.example");
  EXPECT_EQ(awaited(lines, "\"A B\"@quoted.example"), "");
  EXPECT_EQ(awaited(lines, "x@xn--mnchen-3ya.example"), "");
  EXPECT_EQ(awaited(lines, "monday@mail.example"), "monday@mail.example");
  EXPECT_EQ(awaited("", "me@mail.example"), "me@mail.example");
  EXPECT_EQ(awaited("me@mail.example\n", "me+x@mail.example", "[defaults]\ntag = \"\"\n"),
            "me+x@mail.example");
}

/// The operator's own word, and RFC 5321 §4.5.1.
TEST_F(ConsentSettings, TheTargetOfPostmasterNeedsNotConfirm) {
  EXPECT_EQ(awaited("", "ops@host.example", "[defaults]\npostmaster = \"ops@host.example\"\n"), "");
}

TEST_F(ConsentSettings, AreReportedWithTheirPlace) {
  const std::string on = kHead + "[consent]\nrequired = true\n";
  EXPECT_THAT(problems_of(on),
              ElementsAre(HasSubstr("6:1: error[E003]: consent.confirmed: cannot read "
                                    "confirmed.txt")));
  write("confirmed.txt", "me@mail.example\n  not an address\n@bad domain\n|pipe\nyou@mail.example");
  EXPECT_THAT(problems_of(on),
              ElementsAre(HasSubstr("confirmed.txt:2:3: error[E011]: \"not an address\""),
                          HasSubstr("confirmed.txt:3:1: error[E011]: \"@bad domain\""),
                          HasSubstr("confirmed.txt:4:1: error[E011]: \"|pipe\""),
                          HasSubstr("confirmed.txt:5:1: error[E011]: the last line has no end")));
  EXPECT_THAT(problems_of(on)[0], HasSubstr("   2 |   not an address\n     |   ^"));
  write("confirmed.txt", "me@mail.example\n", 0666);
  EXPECT_THAT(problems_of(on), ElementsAre(HasSubstr("others can change it")));
  write("confirmed.txt", "me@mail.example\n");
  EXPECT_THAT(problems_of(on + "max_held = 0\ncontact = \"http://x\"\nconfirm = 1\n"),
              testing::UnorderedElementsAre(
                  HasSubstr("8:12: error[E011]: consent.max_held: must be between 1 and"),
                  HasSubstr("9:11: error[E011]: consent.contact: expected an address such as"),
                  HasSubstr("unknown key `consent.confirm`")));
}

TEST_F(ConsentSettings, TakeAContactThatAHeaderCanHold) {
  const auto problems = [&](const std::string& contact) {
    return problems_of(kHead + "[consent]\ncontact = \"" + contact + "\"\n");
  };
  for (const char* good : {"abuse@example.org", "https://example.org/report?x=1"}) {
    EXPECT_TRUE(load_text(kHead + "[consent]\ncontact = \"" + good + "\"\n")) << good;
  }
  for (const char* bad : {"abuse", "https://", "ftp://x", "a@b.example\\r\\nSubject: x",
                          "https://x/ y", "\xC3\xA9@example.org", "https://x/\xC3\xA9"}) {
    EXPECT_THAT(problems(bad), ElementsAre(HasSubstr("consent.contact: expected"))) << bad;
  }
  EXPECT_THAT(problems("https://" + std::string(400, 'x')), SizeIs(1));
}

TEST_F(ConsentSettings, AFileOfAnotherKindIsNotReportedLineByLine) {
  std::string nonsense;
  for (int i = 0; i < 1000; ++i) nonsense += "no address\n";
  write("confirmed.txt", nonsense);
  EXPECT_THAT(problems_of(kHead + "[consent]\nrequired = true\n"), SizeIs(20));
}

TEST_F(ConsentSettings, WarnOfTargetsThatHaveNotConfirmed) {
  write("confirmed.txt", "a@mail.example\n");
  const std::string aliases =
      "\"one\" = \"a@mail.example\"\n\"two\" = [\"b@mail.example\", \"one@example.org\"]\n";
  const auto problems = problems_of(kHead + aliases + "[consent]\nrequired = true\n");
  EXPECT_THAT(problems, testing::Contains(HasSubstr(
                            "2 targets have not confirmed, mail for them is held: b@mail.example, "
                            "me@mail.example")));
  EXPECT_THAT(problems_of(kHead + aliases),
              testing::Not(testing::Contains(HasSubstr("have not confirmed"))));
}

constexpr int kMany = 200'000;

/// A hosting firm's file. The bound is loose: it must tell a table from a list.
TEST(ConfirmedTargets, ManyAreReadAndFoundQuickly) {
  std::string content;
  for (int i = 0; i < kMany; ++i) content += "customer" + std::to_string(i) + "@mail.example\n";
  Findings findings;
  ConfirmedTargets confirmed('+');
  const auto began = std::chrono::steady_clock::now();
  read_confirmed_text("confirmed.txt", content, confirmed, findings);
  confirmed.seal();
  const auto read = std::chrono::steady_clock::now();
  int missing = 0;
  for (int i = 0; i < kMany; i += 10) {
    const std::string address = "customer" + std::to_string(i);
    missing += confirmed.awaited(mailbox(address + "@mail.example")).empty() ? 0 : 1;
    missing += confirmed.awaited(mailbox(address + "@else.example")).empty() ? 1 : 0;
  }
  const auto found = std::chrono::steady_clock::now();
  EXPECT_EQ(missing, 0);
  EXPECT_EQ(confirmed.size(), static_cast<std::size_t>(kMany));
  EXPECT_FALSE(findings.has_errors());
  const auto ms = [](auto span) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
  };
  RecordProperty("read_ms", static_cast<int>(ms(read - began)));
  RecordProperty("find_ms", static_cast<int>(ms(found - read)));
  EXPECT_LT(ms(found - began), 60'000);
}

TEST(ConfirmedTargets, TooManyLinesAreAnError) {
  Findings findings;
  ConfirmedTargets confirmed('+');
  read_confirmed_text("confirmed.txt", std::string(kMaxConfirmedLines + 5, '\n'), confirmed,
                      findings);
  ASSERT_EQ(findings.all().size(), 1U);
  EXPECT_THAT(render(findings.all().front()),
              HasSubstr("confirmed.txt:2000001:1: error[E011]: more than 2000000 lines"));
}

}  // namespace
}  // namespace relay::settings
