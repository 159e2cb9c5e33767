#include "relay/ops/filter.hpp"

#include <gtest/gtest.h>

namespace relay::ops {
namespace {

TEST(Filter, TakesAFullIdAsOneMessage) {
  const auto filter = parse_filter({"01JD7ZABCDEFGHJKMNPQRSTVWX"});
  ASSERT_TRUE(filter);
  ASSERT_TRUE(filter->id);
  EXPECT_EQ(filter->id->to_string(), "01JD7ZABCDEFGHJKMNPQRSTVWX");
  EXPECT_FALSE(is_bulk(*filter));
}

TEST(Filter, TakesTheBeginningOfAnIdInAnyCase) {
  const auto filter = parse_filter({"01jd7z"});
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->id_prefix, "01JD7Z");
  EXPECT_TRUE(is_bulk(*filter));
}

TEST(Filter, JoinsWords) {
  const auto filter = parse_filter({"to:Gmail.example", "from:Ann", "state:held"});
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->target, "gmail.example");
  EXPECT_EQ(filter->sender, "ann");
  EXPECT_EQ(filter->state, mail::RecipientState::Held);
}

TEST(Filter, RefusesWhatItDoesNotKnow) {
  for (const char* word :
       {"color:red", "state:delivered", "id:", "a b", "01JD7Z!", "ZZZZZZZZZZZZZZZZZZZZZZZZZZ"}) {
    EXPECT_FALSE(parse_filter({word})) << word;
  }
}

}  // namespace
}  // namespace relay::ops
