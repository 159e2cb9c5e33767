#include "relay/ops/filter.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::ops {
namespace {

using ports::QueueCondition;
using Field = QueueCondition::Field;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kId = "01JD7ZABCDEFGHJKMNPQRSTVWX";

QueueCondition the_condition(const std::string& word) {
  const auto filter = parse_filter({word});
  EXPECT_TRUE(filter) << word << ": " << (filter ? "" : filter.error());
  if (!filter || filter->conditions.size() != 1) return {};
  return filter->conditions.front();
}

std::string refusal(const std::vector<std::string>& words) {
  const auto filter = parse_filter(words);
  EXPECT_FALSE(filter) << testing::PrintToString(words);
  return filter ? "" : filter.error();
}

struct Word {
  const char* word;
  Field field;
  const char* text;
};

class FilterWord : public testing::TestWithParam<Word> {};

TEST_P(FilterWord, IsOneCondition) {
  const auto& [word, field, text] = GetParam();
  const auto condition = the_condition(word);
  EXPECT_EQ(condition.field, field);
  EXPECT_EQ(condition.text, text);
  EXPECT_FALSE(condition.negated);
  const auto opposite = the_condition("-" + std::string(word));
  EXPECT_EQ(opposite.field, field);
  EXPECT_EQ(opposite.text, text);
  EXPECT_TRUE(opposite.negated);
}

INSTANTIATE_TEST_SUITE_P(
    All, FilterWord,
    testing::Values(Word{"id:01JD7Z", Field::Id, "01jd7z"},
                    Word{"to:Me@Gmail.example", Field::Target, "me@gmail.example"},
                    Word{"to:gmail.example", Field::Target, "gmail.example"},
                    Word{"to:*@gmail.example", Field::Target, "*@gmail.example"},
                    Word{"to:<me@x.example>", Field::Target, "me@x.example"},
                    Word{"to:\"a@b\"@x.example", Field::Target, "\"a@b\"@x.example"},
                    Word{"to:b\xC3\xBC@b\xC3\xBC.example", Field::Target,
                         "b\xC3\xBC@xn--b-eha.example"},
                    Word{"alias:Info@fwd.example", Field::Alias, "info@fwd.example"},
                    Word{"alias:postmaster", Field::Alias, "postmaster"},
                    Word{"domain:fwd.example", Field::Domain, "fwd.example"},
                    Word{"domain:*.example", Field::Domain, "*.example"},
                    Word{"from:ann@s.example", Field::Sender, "ann@s.example"},
                    Word{"from:<>", Field::Sender, "<>"},
                    Word{"from:Ann..B@s.example.", Field::Sender, "\"ann..b\"@s.example"},
                    Word{"to:\"ann\"@s.example", Field::Target, "ann@s.example"},
                    Word{"from:ann..*@s.example", Field::Sender, "\"ann..*\"@s.example"},
                    Word{"to:a*b@*.example", Field::Target, "a*b@*.example"},
                    Word{"mx:Google.com.", Field::Host, "google.com"},
                    Word{"code:4.7.28", Field::Code, "4.7.28"},
                    Word{"code:4.7.*", Field::Code, "4.7.*"}, Word{"code:5.*", Field::Code, "5.*"},
                    Word{"message-id:<A:b@c>", Field::MessageId, "a:b@c"}),
    [](const auto& info) { return std::to_string(info.index); });

TEST(Filter, TakesAFullIdAsOneMessage) {
  const auto filter = parse_filter({kId});
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->conditions.front().text, "01jd7zabcdefghjkmnpqrstvwx");
  EXPECT_FALSE(is_bulk(*filter));
  EXPECT_TRUE(is_bulk(*parse_filter({std::string("-id:") + kId})));
}

TEST(Filter, TakesTheBeginningOfAnIdInAnyCase) {
  const auto filter = parse_filter({"01jd7z"});
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->conditions.front().field, Field::Id);
  EXPECT_TRUE(is_bulk(*filter));
}

TEST(Filter, KnowsAges) {
  const auto older = the_condition("age:>2h");
  EXPECT_EQ(older.field, Field::OlderThan);
  EXPECT_EQ(older.age, 2h);
  const auto younger = the_condition("-age:<5m");
  EXPECT_EQ(younger.field, Field::YoungerThan);
  EXPECT_EQ(younger.age, 5min);
  EXPECT_TRUE(younger.negated);
}

TEST(Filter, KnowsStates) {
  EXPECT_EQ(the_condition("state:held").state, mail::RecipientState::Held);
  const auto waiting = the_condition("state:waiting");
  EXPECT_EQ(waiting.state, mail::RecipientState::Waiting);
  EXPECT_FALSE(waiting.deferred);
  const auto deferred = the_condition("state:deferred");
  EXPECT_EQ(deferred.state, mail::RecipientState::Waiting);
  EXPECT_TRUE(deferred.deferred);
}

TEST(Filter, JoinsWords) {
  const auto filter = parse_filter({"to:gmail.example", "-from:<>", "age:>2h", "-age:>5h"});
  ASSERT_TRUE(filter) << filter.error();
  ASSERT_EQ(filter->conditions.size(), 4U);
  EXPECT_TRUE(filter->conditions[1].negated);
  EXPECT_EQ(filter->conditions[3].age, 5h);
}

TEST(Filter, SelectsEverythingOnlyByAllAloneOrByNoWord) {
  EXPECT_TRUE(parse_filter({"all"})->conditions.empty());
  EXPECT_TRUE(parse_filter({})->conditions.empty());
  EXPECT_TRUE(parse_selection({"all"})->conditions.empty());
  EXPECT_THAT(parse_selection({}).error(), HasSubstr("`all`"));
  EXPECT_THAT(refusal({"all", "to:x.example"}), HasSubstr("stands alone"));
  EXPECT_THAT(refusal({"to:x.example", "all"}), HasSubstr("stands alone"));
  EXPECT_THAT(refusal({"all", "all"}), HasSubstr("stands alone"));
  for (const char* word : {"to:*", "to:*@*", "from:**", "domain:*.*", "mx:*", "message-id:*"}) {
    EXPECT_THAT(refusal({word}), HasSubstr("`all` alone")) << word;
  }
}

TEST(Filter, RefusesAnEmptyValue) {
  for (const char* word : {"id:", "to:", "alias:", "domain:", "from:", "mx:", "code:", "age:",
                           "message-id:", "state:", "-to:", "-id:"}) {
    EXPECT_THAT(refusal({word}), HasSubstr("has no value")) << word;
  }
  EXPECT_THAT(refusal({"from:"}), HasSubstr("from:<>"));  // what was meant, most likely
  EXPECT_THAT(refusal({""}), HasSubstr("empty"));
  EXPECT_THAT(refusal({"message-id:<>"}), HasSubstr("message-id:"));
}

TEST(Filter, RefusesAKeyThatIsGivenTwice) {
  EXPECT_THAT(refusal({"to:a@x.example", "to:b@x.example"}), HasSubstr("to: is given twice"));
  EXPECT_THAT(refusal({"-to:a@x.example", "-to:b@x.example"}), HasSubstr("-to: is given twice"));
  EXPECT_THAT(refusal({kId, "01JD7Z"}), HasSubstr("id: is given twice"));
  EXPECT_THAT(refusal({kId, "id:01JD7Z"}), HasSubstr("id: is given twice"));
  EXPECT_THAT(refusal({"age:>2h", "age:<5h"}), HasSubstr("age:>2h -age:>5h"));
  EXPECT_TRUE(parse_filter({"to:x.example", "-to:a@x.example"}));  // one and its opposite
}

TEST(Filter, SaysWhatItKnowsWhenItDoesNotKnowAWord) {
  EXPECT_THAT(refusal({"color:red"}),
              HasSubstr("id: to: alias: domain: from: mx: code: age: message-id: state:"));
  EXPECT_THAT(refusal({"form:ann@x.example"}), HasSubstr("did you mean from:?"));
  EXPECT_THAT(refusal({"-form:ann@x.example"}), HasSubstr("did you mean from:?"));
  EXPECT_THAT(refusal({"ann@x.example"}), HasSubstr("to:, alias: or from:"));
  EXPECT_THAT(refusal({"held"}), HasSubstr("not a message id or filter word"));
  EXPECT_THAT(refusal({"al"}), HasSubstr("not a message id or filter word"));
  EXPECT_THAT(refusal({"-01JD7Z"}), HasSubstr("-id:01JD7Z"));
}

TEST(Filter, RefusesValuesThatCannotBeMeant) {
  for (const char* word : {"state:delivered",
                           "a b",
                           "01JD7Z!",
                           "ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
                           "01JD7",
                           "0",
                           "01JD7ZABCDEFGHJKMNPQRSTVWXY",
                           "to:@x.example",
                           "to:ann@",
                           "domain:ann@x.example",
                           "mx:ann@x.example",
                           "code:4",
                           "code:421",
                           "code:2.0.0",
                           "code:*",
                           "code:4.7",
                           "code:4.x.1",
                           "age:2h",
                           "age:>2",
                           "age:>0s",
                           "age:>-1h",
                           "age:>99999999999w",
                           "to:*a*b*c*d*e"}) {
    EXPECT_FALSE(refusal({word}).empty()) << word;
  }
  EXPECT_THAT(refusal({"to:" + std::string(400, 'x')}), HasSubstr("octets"));
}

/// A condition selects less than everything.
bool narrows(const QueueCondition& condition) {
  if (condition.field == Field::OlderThan || condition.field == Field::YoungerThan) {
    return condition.age > 0s;
  }
  if (condition.field == Field::State) return true;
  return condition.text.find_first_not_of("*@.") != std::string::npos;
}

/// Each word narrows the selection, or the whole filter is refused (guarantee "A filter never
/// widens").
TEST(Filter, NeverWidens) {
  const std::vector<std::string> parts{
      "to",  "alias", "from",  "domain", "mx",     "code",       "age", "state", "id", ":",
      ":",   ":",     "-",     "*",      "@",      ".",          "<>",  ">",     "<",  "2h",
      "all", "held",  "4.7.1", "x",      "01JD7Z", "message-id", " ",   ""};
  std::mt19937 random(20261124);
  int taken = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::vector<std::string> words(1 + random() % 3);
    for (auto& word : words) {
      for (auto n = random() % 5; n > 0; --n) word += parts[random() % parts.size()];
    }
    const auto filter = parse_selection(words);
    if (!filter) {
      ASSERT_FALSE(filter.error().empty());
      continue;
    }
    if (words == std::vector<std::string>{"all"}) continue;
    ++taken;
    ASSERT_EQ(filter->conditions.size(), words.size()) << testing::PrintToString(words);
    for (const auto& condition : filter->conditions) {
      ASSERT_TRUE(narrows(condition)) << testing::PrintToString(words);
    }
  }
  EXPECT_GT(taken, 1000);  // the test takes words of both kinds
}

TEST(PauseTarget, IsAHostADomainOrAnAlias) {
  using Kind = ports::PauseRule::Kind;
  const auto host = parse_pause_target({"mx:Google.com"});
  ASSERT_TRUE(host);
  EXPECT_EQ(host->kind, Kind::Host);
  EXPECT_EQ(host->value, "google.com");
  EXPECT_EQ(parse_pause_target({"domain:fwd.example"})->kind, Kind::Domain);
  EXPECT_EQ(parse_pause_target({"alias:Info@fwd.example"})->value, "info@fwd.example");
  EXPECT_EQ(parse_pause_target({"alias:postmaster"})->kind, Kind::Alias);
  EXPECT_EQ(name(Kind::Host), "mx");
  EXPECT_EQ(name(Kind::Domain), "domain");
  EXPECT_EQ(name(Kind::Alias), "alias");
}

TEST(PauseTarget, IsRefusedWhenItIsAnythingElse) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"all"},
                                             {"mx:a.example", "mx:b.example"},
                                             {"to:x.example"},
                                             {"mx:*.x.example"},
                                             {"-mx:x.example"},
                                             {"alias:fwd.example"},
                                             {"domain:a@b.example"},
                                             {"mx:"},
                                             {kId}}) {
    const auto target = parse_pause_target(words);
    ASSERT_FALSE(target) << testing::PrintToString(words);
    EXPECT_FALSE(target.error().empty());
  }
}

}  // namespace
}  // namespace relay::ops
