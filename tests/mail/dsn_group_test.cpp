#include "relay/mail/dsn_group.hpp"

#include <gtest/gtest.h>

namespace relay::mail {
namespace {

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

DsnRecipient recipient(DsnKind kind, End end, int seconds = 0,
                       const std::string& alias = "info@fwd.example",
                       const std::string& target = "me@mail.example") {
  DsnRecipient made{.kind = kind,
                    .original = ForwardPath(*Mailbox::parse(alias)),
                    .target = *Mailbox::parse(target),
                    .attempt = {},
                    .end = end};
  made.attempt.at = kNow + std::chrono::seconds(seconds);
  return made;
}

/// Refused, returned, expired, delayed; then the later attempt.
TEST(DsnGroup, TellsTheGravest) {
  const std::vector<DsnRecipient> in_order = {
      recipient(DsnKind::Failed, End::Refused, 1),  recipient(DsnKind::Failed, End::Refused, 0),
      recipient(DsnKind::Failed, End::Returned, 9), recipient(DsnKind::Failed, End::Expired, 10),
      recipient(DsnKind::Failed, End::Expired, 8),  recipient(DsnKind::Delayed, End::None, 20),
      recipient(DsnKind::Delayed, End::None, 19)};
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    for (std::size_t k = 0; k < in_order.size(); ++k) {
      EXPECT_EQ(is_graver(in_order[i], in_order[k]), i < k) << i << ' ' << k;
      if (i == k) continue;
      const auto groups = grouped({in_order[k], in_order[i]}, true);
      ASSERT_EQ(groups.size(), 1U);
      EXPECT_EQ(groups[0].gravest.attempt.at, in_order[std::min(i, k)].attempt.at);
    }
  }
}

TEST(DsnGroup, TellsTheFirstOfEquals) {
  const auto groups = grouped({recipient(DsnKind::Failed, End::Refused, 0, "a@x.example", "b@y.z"),
                               recipient(DsnKind::Failed, End::Refused, 0, "a@x.example", "c@y.z")},
                              true);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].gravest.target.to_string(), "b@y.z");
}

TEST(DsnGroup, IsOneForEachAliasWhereTargetsAreHidden) {
  const std::vector<DsnRecipient> recipients = {
      recipient(DsnKind::Failed, End::Refused, 0, "b@fwd.example", "x@y.example"),
      recipient(DsnKind::Failed, End::Refused, 0, "a@fwd.example", "x@y.example"),
      recipient(DsnKind::Delayed, End::None, 0, "B@Fwd.example", "z@y.example")};
  const auto hidden = grouped(recipients, true);
  ASSERT_EQ(hidden.size(), 2U);
  EXPECT_EQ(hidden[0].gravest.original.to_string(), "b@fwd.example") << "in their order";
  EXPECT_EQ(hidden[0].failed, 1U);
  EXPECT_EQ(hidden[0].delayed, 1U);
  EXPECT_EQ(grouped(recipients, false).size(), 3U) << "no alias and no target is left out";
}

TEST(DsnGroup, IsRetriedUntilTheEarliestEndOfItsCopies) {
  auto first = recipient(DsnKind::Delayed, End::None);
  auto second = recipient(DsnKind::Delayed, End::None);
  first.retry_until = kNow + std::chrono::hours(9);
  second.retry_until = kNow + std::chrono::hours(7);
  EXPECT_EQ(grouped({first, second}, true)[0].retry_until, kNow + std::chrono::hours(7));
  EXPECT_EQ(grouped({recipient(DsnKind::Failed, End::Refused), second}, true)[0].retry_until,
            kNow + std::chrono::hours(7));
}

}  // namespace
}  // namespace relay::mail
