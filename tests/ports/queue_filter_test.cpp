#include "relay/ports/queue_filter.hpp"

#include <gtest/gtest.h>

namespace relay::ports {
namespace {

using namespace std::chrono_literals;
using Field = QueueCondition::Field;
using mail::RecipientState;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};
const auto kId = *mail::MessageId::parse("01M8GDXJRMZ29YRMV7WJ18S24Q");

QueueSubject subject() {
  return {.id = kId,
          .target = "Me@Target.example",
          .alias = "Info@Fwd.example",
          .mail_from = "Ann@Sender.example",
          .host = "mx1.mail.Outlook.com",
          .code = "4.7.1",
          .message_id = "4711@Sender.example",
          .received_at = kNow - 2h,
          .state = RecipientState::Waiting,
          .attempts = 1};
}

bool selects(Field field, const std::string& text, QueueSubject one = subject()) {
  return matches({{{.field = field, .text = text}}}, one, kNow);
}

TEST(Pattern, IsTheWholeTextUnlessAStarIsWritten) {
  EXPECT_TRUE(matches_pattern("a.example", "A.Example"));
  EXPECT_FALSE(matches_pattern("a.example", "ba.example"));
  EXPECT_FALSE(matches_pattern("a.example", "a.example.org"));
  EXPECT_FALSE(matches_pattern("", "a"));
  EXPECT_TRUE(matches_pattern("", ""));
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("a*", "a"));
  EXPECT_TRUE(matches_pattern("*.example", "b.a.example"));
  EXPECT_TRUE(matches_pattern("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(matches_pattern("a*b*c", "aXcYb"));
  EXPECT_TRUE(matches_pattern("a**", "abc"));
  EXPECT_FALSE(matches_pattern("a?c", "abc"));
  EXPECT_TRUE(matches_pattern("a?c", "a?c"));
}

TEST(Pattern, EndsSoonHoweverManyStarsThereAre) {
  const std::string pattern = std::string(200, '*') + "a*a*a*a*a*a*a*a*a*a*b";
  EXPECT_FALSE(matches_pattern(pattern, std::string(5000, 'a')));
}

TEST(QueueFilter, TakesWholeAddressesAndWholeDomains) {
  EXPECT_TRUE(selects(Field::Target, "me@target.example"));
  EXPECT_TRUE(selects(Field::Target, "target.example"));
  EXPECT_FALSE(selects(Field::Target, "e@target.example"));
  EXPECT_FALSE(selects(Field::Target, "arget.example"));
  EXPECT_FALSE(selects(Field::Target, "me@"));
  EXPECT_TRUE(selects(Field::Target, "*@target.example"));
  EXPECT_TRUE(selects(Field::Target, "*.example"));
  EXPECT_TRUE(selects(Field::Alias, "info@fwd.example"));
  EXPECT_FALSE(selects(Field::Alias, "me@target.example"));
  EXPECT_TRUE(selects(Field::Domain, "fwd.example"));
  EXPECT_FALSE(selects(Field::Domain, "info@fwd.example"));
  EXPECT_TRUE(selects(Field::Sender, "sender.example"));
  EXPECT_FALSE(selects(Field::Sender, ""));
}

TEST(QueueFilter, TakesTheDomainBehindTheLastAtSign) {
  auto one = subject();
  one.target = "\"a@b.example\"@target.example";
  EXPECT_TRUE(selects(Field::Target, "target.example", one));
  EXPECT_FALSE(selects(Field::Target, "b.example", one));
  one.alias = "postmaster";
  EXPECT_TRUE(selects(Field::Alias, "postmaster", one));
}

TEST(QueueFilter, KnowsTheNullSenderByItsBracketsOnly) {
  auto null = subject();
  null.mail_from = "";
  EXPECT_TRUE(selects(Field::Sender, "<>", null));
  EXPECT_FALSE(selects(Field::Sender, "", null));
  EXPECT_FALSE(selects(Field::Sender, "sender.example", null));
  EXPECT_FALSE(selects(Field::Sender, "<>"));
}

TEST(QueueFilter, TakesAHostByItsEndBehindADot) {
  EXPECT_TRUE(selects(Field::Host, "outlook.com"));
  EXPECT_TRUE(selects(Field::Host, "mx1.mail.outlook.com"));
  EXPECT_FALSE(selects(Field::Host, "look.com"));
  EXPECT_FALSE(selects(Field::Host, "com.outlook"));
  EXPECT_TRUE(selects(Field::Host, "mx*.outlook.com"));
  EXPECT_FALSE(selects(Field::Host, "*.mail"));
  auto untried = subject();
  untried.host = "";
  EXPECT_FALSE(selects(Field::Host, "*", untried));
}

TEST(QueueFilter, TakesAHostByItsGroup) {
  const QueueCondition group{.field = Field::Host,
                             .text = "microsoft",
                             .group = {{"mail.outlook.com"},
                                       {.text = "us.mail.outlook.com", .is_of_group = false},
                                       {"mx.microsoft"}}};
  const auto takes = [&](std::string_view host, bool negated = false) {
    auto one = subject();
    one.host = host;
    QueueCondition condition = group;
    condition.negated = negated;
    return matches({{condition}}, one, kNow);
  };
  EXPECT_TRUE(takes("mx1.Mail.Outlook.com"));
  EXPECT_TRUE(takes("mx.microsoft"));
  EXPECT_TRUE(takes("a.microsoft")) << "the name is the end of a host's, too";
  EXPECT_FALSE(takes("mx1.outlook.com"));
  EXPECT_FALSE(takes("xmail.outlook.com"));
  EXPECT_FALSE(takes("mx.us.mail.outlook.com")) << "which is another's";
  EXPECT_FALSE(takes(""));
  EXPECT_FALSE(takes("mx1.mail.outlook.com", true));
  EXPECT_TRUE(takes("mx.us.mail.outlook.com", true));
}

TEST(QueueFilter, TakesTheCodeOfTheLastAttempt) {
  EXPECT_TRUE(selects(Field::Code, "4.7.1"));
  EXPECT_TRUE(selects(Field::Code, "4.7.*"));
  EXPECT_FALSE(selects(Field::Code, "4.7"));
  auto untried = subject();
  untried.code = "";
  EXPECT_FALSE(selects(Field::Code, "*", untried));
}

TEST(QueueFilter, TakesAgeStateAndMessageId) {
  const auto aged = [](Field field, std::chrono::seconds age) {
    return matches({{{.field = field, .age = age}}}, subject(), kNow);
  };
  EXPECT_TRUE(aged(Field::OlderThan, 1h));
  EXPECT_FALSE(aged(Field::OlderThan, 2h));
  EXPECT_TRUE(aged(Field::YoungerThan, 3h));
  EXPECT_FALSE(aged(Field::YoungerThan, 2h));
  EXPECT_TRUE(selects(Field::MessageId, "4711@sender.example"));
  EXPECT_FALSE(selects(Field::MessageId, "4711"));
  QueueCondition deferred{.field = Field::State, .deferred = true};
  EXPECT_TRUE(matches({{deferred}}, subject(), kNow));
  auto fresh = subject();
  fresh.attempts = 0;
  EXPECT_FALSE(matches({{deferred}}, fresh, kNow));
  deferred.deferred = false;
  EXPECT_TRUE(matches({{deferred}}, fresh, kNow));
  fresh.state = RecipientState::Held;
  EXPECT_FALSE(matches({{deferred}}, fresh, kNow));
}

TEST(QueueFilter, NeedsAllConditionsAndTurnsThoseThatAreNegated) {
  const QueueCondition target{.field = Field::Target, .text = "target.example"};
  QueueCondition code{.field = Field::Code, .text = "4.7.*"};
  EXPECT_TRUE(matches({}, subject(), kNow));
  EXPECT_TRUE(matches({{target, code}}, subject(), kNow));
  code.negated = true;
  EXPECT_FALSE(matches({{target, code}}, subject(), kNow));
  code.text = "5.*";
  EXPECT_TRUE(matches({{target, code}}, subject(), kNow));
  EXPECT_FALSE(asks_for_message({{target, code}}));
  EXPECT_TRUE(asks_for_message({{target, {.field = Field::Sender, .text = "<>"}}}));
}

QueueFilter by_id(const std::string& text, bool negated = false) {
  return {{{.field = Field::Id, .text = text, .negated = negated}}};
}

TEST(QueueFilter, TakesAnIdByItsBeginning) {
  for (const char* text : {"01m8gdxjrmz29yrmv7wj18s24q", "01M8", "0", "", "01m8*24q"}) {
    EXPECT_TRUE(selects(Field::Id, text)) << text;
    const auto range = id_range(by_id(text));
    ASSERT_TRUE(range) << text;
    EXPECT_TRUE(range->first <= kId && kId <= range->last) << text;
  }
  for (const char* text : {"01m9", "01m8gdxjrmz29yrmv7wj18s24r", "01m8*25q"}) {
    EXPECT_FALSE(selects(Field::Id, text)) << text;
  }
}

TEST(QueueFilter, MakesARangeOfTheIdsThatMayMatch) {
  const auto whole = id_range(by_id(kId.to_string()));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->first, kId);
  EXPECT_EQ(whole->last, kId);
  const auto prefix = id_range(by_id("01m8"));
  EXPECT_EQ(prefix->first.to_string(), "01M80000000000000000000000");
  EXPECT_EQ(prefix->last.to_string(), "01M8ZZZZZZZZZZZZZZZZZZZZZZ");
  const auto all = id_range({});
  EXPECT_EQ(all->first, mail::MessageId());
  EXPECT_EQ(all->last.to_string(), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  EXPECT_EQ(id_range(by_id("01m8", true))->first, mail::MessageId()) << "all but these";
  QueueFilter both = by_id("01m8");
  both.conditions.push_back(by_id("01m8g").conditions.front());
  EXPECT_EQ(id_range(both)->first.to_string(), "01M8G000000000000000000000");
  both.conditions.push_back(by_id("02").conditions.front());
  EXPECT_FALSE(id_range(both));
  EXPECT_FALSE(id_range(by_id("8"))) << "no id begins so";
  EXPECT_FALSE(id_range(by_id("0u")));
  EXPECT_FALSE(id_range(by_id(std::string(27, '0'))));
}

}  // namespace
}  // namespace relay::ports
