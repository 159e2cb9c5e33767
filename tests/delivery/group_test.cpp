#include "relay/delivery/group.hpp"

#include <gtest/gtest.h>

#include "tests/delivery/a_host_list.hpp"

namespace relay::delivery {
namespace {

using namespace std::chrono_literals;

const base::SteadyTime kStart{std::chrono::hours(100)};
constexpr std::size_t kMost = 20;

class GroupTest : public testing::Test {
 protected:
  void hear(const Feedback& feedback, base::SteadyTime now = kStart, std::size_t living = 0) {
    group_.hear(feedback, list_.key, living, kMost, 30s, now);
  }

  static Feedback unreachable(const std::string& why = "connection refused") {
    mail::Outcome outcome;
    outcome.attempt.text = why;
    return {.unreachable = outcome};
  }

  HostList list_ = a_host_list("a1 b2");
  Group group_{list_, false};
};

TEST_F(GroupTest, TellsItsSessionsWhatItHasLearnt) {
  EXPECT_EQ(group_.most_recipients, 0U);
  hear({.took = true, .stated = {.recipients = 3, .messages = 2}});
  EXPECT_EQ(group_.most_recipients, 3U);
  EXPECT_EQ(group_.most_messages, 2U);
  for (int i = 0; i < 20; ++i) hear({.took = true});
  EXPECT_EQ(group_.most_recipients, 4U) << "it may have changed its mind";
}

TEST_F(GroupTest, AnUnknownOneHasOneSession) { EXPECT_EQ(group_.window_at(kStart, kMost), 1U); }

TEST_F(GroupTest, WhatTakesMailMayHaveMoreAndMore) {
  hear({.took = true});
  EXPECT_EQ(group_.window_at(kStart, kMost), 5U);
  for (int i = 0; i < 100; ++i) hear({.took = true});
  EXPECT_EQ(group_.window_at(kStart, kMost), kMost);
  EXPECT_TRUE(group_.is_proven(kStart + 59min));
  EXPECT_FALSE(group_.is_proven(kStart + 61min));
  EXPECT_EQ(group_.window_at(kStart + 61min, kMost), 1U);
}

TEST_F(GroupTest, WhatOneHostTookCountsWhateverAnotherHasSaid) {
  for (const Feedback& feedback :
       {Feedback{.took = true, .throttled = true}, Feedback{.took = true, .is_full = true}}) {
    Group group(list_, false);
    group.was_cut_off();
    group.hear(feedback, list_.key, 1, kMost, 30s, kStart);
    EXPECT_FALSE(group.needs_full_time) << "it would wait among those that are slow";
    EXPECT_TRUE(group.is_proven(kStart));
    EXPECT_EQ(group.window_at(kStart, kMost), 1U) << "… but wants no more at once";
  }
}

/// Each further message would be one more reason to keep us out.
TEST_F(GroupTest, WhoSaysSlowDownToAllMailIsLeftInPeaceForAWhile) {
  mail::Outcome why;
  why.attempt.text = "4.7.0 Slow down";
  const Feedback slow_down{.throttled = true, .slow_down = why};
  hear(slow_down);
  ASSERT_NE(group_.outage_of(list_.key, kStart + 29s), nullptr);
  EXPECT_EQ(group_.outage_of(list_.key, kStart)->outcome.attempt.text, "4.7.0 Slow down");
  EXPECT_EQ(group_.outage_of(list_.key, kStart + 31s), nullptr);
  hear(slow_down, kStart + 31s);
  EXPECT_NE(group_.outage_of(list_.key, kStart + 80s), nullptr) << "each time for longer";
  EXPECT_EQ(group_.throttled_in_row, 2U);
  hear({.took = true}, kStart + 80s);
  EXPECT_EQ(group_.outage_of(list_.key, kStart + 80s), nullptr);
  EXPECT_EQ(group_.throttled_in_row, 0U);
  Feedback both = slow_down;
  both.took = true;
  hear(both, kStart + 81s);
  EXPECT_EQ(group_.outage_of(list_.key, kStart + 81s), nullptr) << "it takes some";
}

TEST_F(GroupTest, ThrottlingHalvesTheWindow) {
  for (int i = 0; i < 12; ++i) hear({.took = true});
  EXPECT_EQ(group_.window_at(kStart, kMost), 16U);
  hear({.throttled = true});
  EXPECT_EQ(group_.window_at(kStart, kMost), 8U);
  for (int i = 0; i < 10; ++i) hear({.throttled = true});
  EXPECT_EQ(group_.window_at(kStart, kMost), 1U);
}

TEST_F(GroupTest, NoMoreConnectionsMeansThoseThatLive) {
  for (int i = 0; i < 12; ++i) hear({.took = true});
  hear({.is_full = true}, kStart, 3);
  EXPECT_EQ(group_.window_at(kStart, kMost), 3U);
  EXPECT_EQ(group_.outage_of(list_.key, kStart), nullptr) << "it says nothing of the host";
  for (int i = 0; i < 20; ++i) hear({.took = true});
  EXPECT_EQ(group_.window_at(kStart, kMost), 4U) << "after a while one more is tried";
}

/// A hop that takes one recipient at a time is not asked for two every few messages.
TEST_F(GroupTest, ALimitThatStandsIsTriedLessAndLessOften) {
  unsigned asked_for_more = 0;
  unsigned next_at = 0;
  hear({.took = true, .stated = {.recipients = 1}});
  for (unsigned taken = 1; taken <= 2000; ++taken) {
    if (group_.learnt.recipients == 1) {
      hear({.took = true});
      continue;
    }
    ++asked_for_more;
    next_at = taken;
    hear({.took = true, .stated = {.recipients = 1}});
  }
  EXPECT_EQ(asked_for_more, 6U) << "after 20, 40, 80 … transactions";
  EXPECT_GT(next_at, 1200U);
  // If the server raises its limit, probing finds that, and then grows at the first pace again.
  for (int i = 0; i < 2000; ++i) hear({.took = true});
  EXPECT_GE(group_.learnt.recipients, 2U);
  const std::size_t before = group_.learnt.recipients;
  for (int i = 0; i < 1400; ++i) hear({.took = true});
  EXPECT_GT(group_.learnt.recipients, before + 1);
}

TEST_F(GroupTest, KeepsToALimitOfRecipientsAndTriesALittleMoreAfterAWhile) {
  hear({.took = true, .stated = {.recipients = 2}});
  EXPECT_EQ(group_.learnt.recipients, 2U);
  for (int i = 0; i < 19; ++i) hear({.took = true});
  EXPECT_EQ(group_.learnt.recipients, 2U);
  hear({.took = true});
  EXPECT_EQ(group_.learnt.recipients, 3U);
  hear({.took = true, .stated = {.recipients = 2}});
  EXPECT_EQ(group_.learnt.recipients, 2U);
}

/// An outage has a reply of its own, which never ends a copy, whatever the outcome of others in the
/// attempt that found it.
TEST_F(GroupTest, AnOutageAnswersForItsHostsAndDoublesUpToTenMinutes) {
  hear(unreachable());
  ASSERT_NE(group_.outage_of(list_.key, kStart + 29s), nullptr);
  EXPECT_EQ(group_.outage_of(list_.key, kStart)->outcome.kind, mail::OutcomeKind::Deferred);
  EXPECT_EQ(group_.outage_of(list_.key, kStart)->outcome.attempt.text, "connection refused");
  EXPECT_EQ(group_.outage_of(list_.key, kStart + 31s), nullptr);
  hear(unreachable(), kStart + 31s);
  EXPECT_NE(group_.outage_of(list_.key, kStart + 31s + 59s), nullptr) << "doubled";
  base::SteadyTime now = kStart + 2min;
  for (int i = 0; i < 40; ++i, now += 11min) hear(unreachable(), now);
  EXPECT_EQ(group_.outage_of(list_.key, now), nullptr) << "never for longer than ten minutes";
  hear({.took = true}, now);
  hear(unreachable(), now);
  EXPECT_EQ(group_.outage_of(list_.key, now + 31s), nullptr) << "it begins anew";
}

TEST_F(GroupTest, AnOutageOfOneTenantIsNoneOfTheOthers) {
  HostList tenant = a_host_list("a1");
  tenant.provider = "big";
  Group provider(tenant, false);
  for (int i = 0; i < 12; ++i) provider.hear({.took = true}, "b2 ", 0, kMost, 30s, kStart);
  provider.hear(unreachable(), "a1 ", 0, kMost, 30s, kStart);
  EXPECT_NE(provider.outage_of("a1 ", kStart), nullptr);
  EXPECT_EQ(provider.outage_of("b2 ", kStart), nullptr);
  EXPECT_EQ(provider.window_at(kStart, kMost), 16U);
}

TEST_F(GroupTest, WhoWasCutOffHasItsFullTimeNextAndNoMoreThanOneSession) {
  for (int i = 0; i < 12; ++i) hear({.took = true});
  group_.was_cut_off();
  EXPECT_TRUE(group_.needs_full_time);
  EXPECT_EQ(group_.window_at(kStart, kMost), 1U);
  hear({.took = true});
  EXPECT_FALSE(group_.needs_full_time);
}

TEST_F(GroupTest, WhoTookTheMailInTheEndHasNoTimeouts) {
  hear({.timed_out = true});
  EXPECT_TRUE(group_.has_timeouts);
  hear({.took = true, .timed_out = true});
  EXPECT_FALSE(group_.has_timeouts) << "its first host was silent, and its second took the mail";
}

TEST_F(GroupTest, WhatItLearntIsKeptForADay) {
  EXPECT_FALSE(group_.is_worth_keeping(kStart));
  hear({.stated = {.recipients = 2}});
  EXPECT_TRUE(group_.is_worth_keeping(kStart + 23h));
  EXPECT_FALSE(group_.is_worth_keeping(kStart + 25h));
}

}  // namespace
}  // namespace relay::delivery
