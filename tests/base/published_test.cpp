#include "relay/base/published.hpp"

#include <gtest/gtest.h>

namespace relay::base {
namespace {

struct Whole {
  std::shared_ptr<const int> one;
  std::shared_ptr<const int> two;
};

std::shared_ptr<const Whole> whole(int value) {
  return std::make_shared<const Whole>(
      Whole{std::make_shared<const int>(value), std::make_shared<const int>(value)});
}

TEST(Published, PartsChangeWithTheWhole) {
  Published<Whole> published(whole(1));
  const Published<int> one(published, &Whole::one);
  const Published<int> two(published, &Whole::two);
  EXPECT_EQ(*one.get() + *two.get(), 2);
  const auto before = one.get();
  published.publish(whole(2));
  EXPECT_EQ(*one.get() + *two.get(), 4);
  EXPECT_EQ(*before, 1) << "who has it keeps it";
}

TEST(Published, WhoHasAPartHasTheWhole) {
  auto first = whole(1);
  const std::weak_ptr<const int> other_part = first->two;
  std::weak_ptr<const Whole> old = first;
  Published<Whole> published(std::move(first));
  const Published<int> one(published, &Whole::one);
  auto held = one.get();
  published.publish(whole(2));
  EXPECT_EQ(old.use_count(), 1);
  EXPECT_FALSE(other_part.expired());
  held.reset();
  EXPECT_TRUE(other_part.expired());
}

TEST(Published, APartMayBeMissing) {
  Published<Whole> published(std::make_shared<const Whole>());
  const Published<int> one(published, &Whole::one);
  EXPECT_FALSE(one.get());
}

}  // namespace
}  // namespace relay::base
