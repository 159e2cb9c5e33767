#include "relay/base/log.hpp"

#include <gtest/gtest.h>

namespace relay::base {
namespace {

const WallTime kNow{std::chrono::milliseconds(1'795'500'000'123)};

TEST(Event, IsOneLineOfJsonInTheOrderOfItsFields) {
  Event event("attempt", kNow, Severity::Warning);
  event.text("msg_id", "01X").number("code", -7).flag("tls", true);
  event.open("smtp").text("text", "a\r\n\"b\"").close().number("after", 1);
  EXPECT_EQ(
      std::move(event).line(),
      R"({"v":1,"ts":"2026-11-24T06:00:00.123Z","level":"warning","event":"attempt",)"
      R"("msg_id":"01X","code":-7,"tls":true,"smtp":{"text":"a\u000d\u000a\"b\""},"after":1})");
}

TEST(Event, ClosesWhatWasLeftOpen) {
  Event event("x", kNow);
  event.open("a").open("b").number("n", 1);
  EXPECT_TRUE(std::move(event).line().ends_with(R"("a":{"b":{"n":1}}})"));
}

TEST(Event, HoldsListsOfTexts) {
  Event event("x", kNow);
  event.list("none", {}).list("ids", std::vector<std::string>{"a", "[\n"}).number("n", 1);
  EXPECT_TRUE(std::move(event).line().ends_with(R"("none":[],"ids":["a","[\u000a"],"n":1})"));
}

TEST(Event, IsKeptWhenSomebodySaysSo) {
  Event event("x", kNow);
  EXPECT_FALSE(event.kept());
  EXPECT_TRUE(event.keep().kept());
}

TEST(Event, CloseWithoutOpenDoesNothing) {
  Event event("x", kNow);
  event.close().number("n", 1);
  EXPECT_TRUE(std::move(event).line().ends_with(R"("event":"x","n":1})"));
}

TEST(Rfc3339, CountsDaysBeforeAndAfterTheEpoch) {
  EXPECT_EQ(rfc3339(WallTime{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(WallTime{std::chrono::milliseconds(951'782'400'000)}),
            "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(rfc3339(WallTime{std::chrono::milliseconds(-1)}), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace relay::base
