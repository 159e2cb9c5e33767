// Connections that could not be taken: counted each, logged once a minute.
#include "relay/app/turned_away.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/support/logs.hpp"

namespace relay::app {
namespace {

using inbound::HostTrouble;
using testing::HasSubstr;

TEST(TurnedAway, IsCountedEachTimeAndLoggedOnceAMinute) {
  fakes::FakeClock clock;
  fakes::FakeResolver resolver(clock, "");
  inbound::HostTroubles troubles(resolver);
  support::RecordingLog lines;
  TurnedAway turned_away(troubles, lines, clock);
  for (int i = 0; i < 100; ++i) turned_away.note(HostTrouble::Descriptors);
  EXPECT_EQ(troubles.of(HostTrouble::Descriptors).times, 100U);
  EXPECT_TRUE(troubles.of(HostTrouble::Descriptors).lasts(clock.steady()));
  ASSERT_EQ(lines.lines.size(), 1U);
  EXPECT_THAT(lines.lines[0], HasSubstr(R"("level":"warning","event":"turned_away")"));
  EXPECT_THAT(lines.lines[0], HasSubstr("LimitNOFILE"));
  EXPECT_THAT(lines.lines[0], HasSubstr(R"("pauses":1)"));
  clock.advance(TurnedAway::kBetweenLines);
  turned_away.note(HostTrouble::Memory);
  EXPECT_EQ(troubles.of(HostTrouble::Memory).times, 1U);
  ASSERT_EQ(lines.lines.size(), 2U);
  EXPECT_THAT(lines.lines[1], HasSubstr("no memory left"));
  EXPECT_THAT(lines.lines[1], HasSubstr(R"("pauses":100)"));
}

}  // namespace
}  // namespace relay::app
