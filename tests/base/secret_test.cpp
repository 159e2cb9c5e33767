#include "relay/base/secret.hpp"

#include <gtest/gtest.h>

namespace relay::base {
namespace {

template <class T>
concept Streams = requires(std::ostream& out, const T& value) { out << value; };

// Nobody prints one by accident.
static_assert(!Streams<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);

const std::string kOctets(64, 'k');  // long enough to live on the heap

TEST(Secret, MovesAndLeavesNothingBehind) {
  Secret first(kOctets);
  Secret second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is the question
  EXPECT_EQ(second.reveal(), kOctets);
  Secret third;
  third = std::move(second);
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(third.reveal(), kOctets);
}

TEST(Secret, CopiesAreTheirOwn) {
  Secret copy;
  {
    const Secret original(kOctets);
    copy = original;
    const Secret& same = copy;
    copy = same;
  }
  EXPECT_EQ(copy.reveal(), kOctets);
}

}  // namespace
}  // namespace relay::base
