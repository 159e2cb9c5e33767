// Connections that could not be taken: counted each, logged once a minute.
#include "relay/app/turned_away.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"

namespace relay::app {
namespace {

using inbound::HostTrouble;
using testing::HasSubstr;

struct Lines final : base::Log {
  void write(base::Event event) override { all.push_back(std::move(event).line()); }

  std::vector<std::string> all;
};

TEST(TurnedAway, IsCountedEachTimeAndLoggedOnceAMinute) {
  fakes::FakeClock clock;
  fakes::FakeResolver resolver(clock, "");
  inbound::HostTroubles troubles(resolver);
  Lines lines;
  TurnedAway turned_away(troubles, lines, clock);
  for (int i = 0; i < 100; ++i) turned_away.note(HostTrouble::Descriptors);
  EXPECT_EQ(troubles.of(HostTrouble::Descriptors).times, 100U);
  EXPECT_TRUE(troubles.of(HostTrouble::Descriptors).lasts(clock.steady()));
  ASSERT_EQ(lines.all.size(), 1U);
  EXPECT_THAT(lines.all[0], HasSubstr(R"("level":"warning","event":"turned_away")"));
  EXPECT_THAT(lines.all[0], HasSubstr("LimitNOFILE"));
  EXPECT_THAT(lines.all[0], HasSubstr(R"("pauses":1)"));
  clock.advance(TurnedAway::kBetweenLines);
  turned_away.note(HostTrouble::Memory);
  EXPECT_EQ(troubles.of(HostTrouble::Memory).times, 1U);
  ASSERT_EQ(lines.all.size(), 2U);
  EXPECT_THAT(lines.all[1], HasSubstr("no memory left"));
  EXPECT_THAT(lines.all[1], HasSubstr(R"("pauses":100)"));
}

}  // namespace
}  // namespace relay::app
