// Refusals whose cause is this host: told apart from all others, logged as warnings, counted.
#include "relay/inbound/host_troubles.hpp"

#include <gtest/gtest.h>

#include "relay/inbound/events.hpp"
#include "relay/inbound/intake.hpp"

namespace relay::inbound {
namespace {

using ports::SpoolError;

constexpr base::WallTime kNow{std::chrono::milliseconds(1'000'000)};

TEST(HostTroubles, AreBehindSomeReplies) {
  EXPECT_EQ(trouble_behind(reply_for(SpoolError::Full)), HostTrouble::Disk);
  EXPECT_EQ(trouble_behind(reply_for(SpoolError::Poisoned)), HostTrouble::Storage);
  EXPECT_EQ(trouble_behind(reply_for(SpoolError::Unavailable)), HostTrouble::Storage);
  EXPECT_EQ(trouble_behind(smtp::Reply(452, {4, 3, 1}, "Too much mail at once, try again later")),
            HostTrouble::Memory);
  EXPECT_EQ(trouble_behind(smtp::Reply(451, {4, 4, 3}, "x cannot be authenticated now")),
            HostTrouble::Dns);
}

TEST(HostTroubles, AreNotBehindOthers) {
  EXPECT_EQ(trouble_behind(reply_for(SpoolError::Stopping)), std::nullopt);
  EXPECT_EQ(trouble_behind(reply_for(SpoolError::Unconfirmed)), std::nullopt);
  EXPECT_EQ(trouble_behind(smtp::Reply(451, {4, 7, 1}, "Greylisted")), std::nullopt);
  EXPECT_EQ(trouble_behind(smtp::Reply(452, {4, 5, 3}, "Too many recipients")), std::nullopt);
  EXPECT_EQ(trouble_behind(smtp::Reply(550, {5, 7, 1}, "No")), std::nullopt);
  EXPECT_EQ(trouble_behind(smtp::Reply(250, {2, 0, 0}, "Ok")), std::nullopt);
}

TEST(HostTroubles, AreCountedEachForItself) {
  HostTroubles troubles;
  EXPECT_EQ(troubles.of(HostTrouble::Disk).times, 0U);
  EXPECT_EQ(troubles.of(HostTrouble::Disk).last, std::nullopt);
  troubles.note(HostTrouble::Disk, kNow);
  troubles.note(HostTrouble::Disk, kNow + std::chrono::seconds(5));
  EXPECT_EQ(troubles.of(HostTrouble::Disk).times, 2U);
  EXPECT_EQ(troubles.of(HostTrouble::Disk).last, kNow + std::chrono::seconds(5));
  EXPECT_EQ(troubles.of(HostTrouble::Memory).times, 0U);
}

TEST(HostTroubles, AreWarningsInTheLog) {
  const mail::Client client;
  const auto level = [&](const smtp::Reply& reply) {
    return rejected_event({"end-of-data", {client}}, reply, kNow).severity();
  };
  EXPECT_EQ(level(reply_for(SpoolError::Full)), base::Severity::Warning);
  EXPECT_EQ(level(smtp::Reply(550, {5, 1, 1}, "No such user")), base::Severity::Info);
}

}  // namespace
}  // namespace relay::inbound
