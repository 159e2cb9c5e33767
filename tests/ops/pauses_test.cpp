// Pauses: stored, in force, over when their time is over.
#include <gmock/gmock.h>

#include "tests/ops/desk_house.hpp"

namespace relay::ops {
namespace {

using Kind = ports::PauseRule::Kind;
using testing::HasSubstr;
using namespace std::chrono_literals;

class PausesTest : public DeskHouse {
 protected:
  Answer<PauseView> pause(const std::string& word,
                          std::optional<std::chrono::milliseconds> span = std::nullopt,
                          const std::string& reason = "they are down") {
    return run(desk_.pause(order(Verb::Pause, {word}, reason), *parse_pause_target({word}), span));
  }

  Answer<PauseView> resume(const std::string& word) {
    return run(desk_.resume(order(Verb::Resume, {word}), *parse_pause_target({word})));
  }

  base::Task<> pause_a() {
    co_await desk_.pause(order(Verb::Pause, {"mx:a.example"}, "down"), {Kind::Host, "a.example"},
                         std::nullopt);
  }

  void start() {
    base::spawn_supervised(io_.get_executor(), "pauses", desk_.keep_pauses());
    turn();
  }

  void turn() {
    io_.restart();
    io_.poll();
  }

  void pass(std::chrono::nanoseconds span) {
    io_.restart();
    clock_.run_for(io_, span);
  }

  std::vector<std::string> in_force() const {
    std::vector<std::string> values;
    for (const auto& rule : delivery_.pauses) values.push_back(rule.value);
    return values;
  }
};

using Values = std::vector<std::string>;

TEST_F(PausesTest, AreInForceWhenTheVerbHasAnswered) {
  const auto view = pause("mx:google.com", 1h);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->holds);
  EXPECT_EQ(view->rule.until, clock_.wall() + 1h);
  EXPECT_EQ(in_force(), Values{"google.com"});
  ASSERT_TRUE(pause("alias:info@fwd.example"));
  EXPECT_EQ(in_force(), (Values{"google.com", "info@fwd.example"}));
  EXPECT_EQ(run(desk_.status()).pauses, delivery_.pauses);
}

TEST_F(PausesTest, TakeTheReasonThatWasGivenLast) {
  ASSERT_TRUE(pause("domain:fwd.example"));
  ASSERT_TRUE(pause("domain:fwd.example", 1h, "moving"));
  ASSERT_EQ(delivery_.pauses.size(), 1U);
  EXPECT_EQ(delivery_.pauses.front().reason, "moving");
  EXPECT_TRUE(delivery_.pauses.front().until);
}

TEST_F(PausesTest, NeedAReason) {
  const auto view = pause("mx:google.com", 1h, "");
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().exit, ExitCode::Usage);
  EXPECT_THAT(view.error().text, HasSubstr("pause needs --reason"));
  EXPECT_TRUE(queue_.rules.empty());
}

TEST_F(PausesTest, EndByResume) {
  ASSERT_TRUE(pause("mx:google.com"));
  ASSERT_TRUE(pause("mx:x.example"));
  const auto view = resume("mx:google.com");
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->holds);
  EXPECT_EQ(view->rule.reason, "they are down");
  EXPECT_EQ(in_force(), Values{"x.example"});
  const auto again = resume("mx:google.com");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().exit, ExitCode::NotFound);
  EXPECT_THAT(again.error().text, HasSubstr("mx:google.com"));
}

TEST_F(PausesTest, AreInTheLog) {
  ASSERT_TRUE(pause("mx:google.com", 1h));
  ASSERT_TRUE(resume("mx:google.com"));
  ASSERT_EQ(log_.lines.size(), 2U);
  EXPECT_THAT(log_.lines[0],
              HasSubstr(R"("event":"admin","verb":"queue.pause","filter":["mx:google.com"],)"
                        R"("reason":"they are down","uid":1000,"until":"2026-11-24T04:00:00)"));
  EXPECT_THAT(log_.lines[1], HasSubstr(R"("verb":"queue.resume")"));
  EXPECT_TRUE(log_.kept[0] && log_.kept[1]);
}

TEST_F(PausesTest, SurviveARestart) {
  queue_.rules = {{Kind::Host, "google.com", "down", clock_.wall(), {}},
                  {Kind::Domain, "over.example", "moving", clock_.wall() - 2h, clock_.wall() - 1h}};
  ASSERT_TRUE(run(desk_.restore_pauses()));
  EXPECT_EQ(in_force(), Values{"google.com"});
  queue_.fails = {{"pauses", {1, ports::SpoolError::Unavailable}}};
  EXPECT_FALSE(run(desk_.restore_pauses()));
  EXPECT_EQ(in_force(), Values{"google.com"});
}

TEST_F(PausesTest, AreOverWhenTheirTimeIsOver) {
  ASSERT_TRUE(pause("mx:a.example", 1h));
  start();
  ASSERT_TRUE(pause("mx:b.example", 10min));  // ends before the one that is slept for
  ASSERT_TRUE(pause("mx:c.example"));
  turn();
  pass(9min);
  EXPECT_EQ(in_force(), (Values{"a.example", "b.example", "c.example"}));
  pass(2min);
  EXPECT_EQ(in_force(), (Values{"a.example", "c.example"}));
  pass(1h);
  EXPECT_EQ(in_force(), Values{"c.example"});
}

TEST_F(PausesTest, StayInForceWhileTheStoreCannotBeAsked) {
  ASSERT_TRUE(pause("mx:a.example", 1h));
  start();
  queue_.fails = {{"pauses", {1, ports::SpoolError::Unavailable}}};
  pass(1h + 2s);
  EXPECT_EQ(in_force(), Values{"a.example"});
  pass(5s);
  EXPECT_EQ(in_force(), Values{});
}

TEST_F(PausesTest, DoNotSpinWhenTheStoreGivesARuleThatIsOver) {
  start();
  queue_.before = [this](const std::string& call) {
    if (call == "pauses") {
      queue_.rules = {{Kind::Host, "a.example", "", clock_.wall(), clock_.wall() + 1ms}};
    }
  };
  int read = 0;
  queue_.after = [&](const std::string& call) { read += call == "pauses" ? 1 : 0; };
  ASSERT_TRUE(pause("mx:b.example", 1s));
  turn();
  pass(10s);
  EXPECT_LE(read, 15);
}

/// A change by an operator while the store reads the rules is not undone by its answer.
TEST_F(PausesTest, AreNotForgottenByAReadThatBeganBefore) {
  bool once = true;
  queue_.after = [&](const std::string& call) {
    if (call != "pauses" || !std::exchange(once, false)) return;
    // The answer is on its way; the verb overtakes it.
    base::spawn_supervised(io_.get_executor(), "verb", pause_a());
    io_.poll();
  };
  ASSERT_TRUE(run(desk_.restore_pauses()));
  EXPECT_EQ(in_force(), Values{"a.example"});
}

TEST_F(PausesTest, AreLookedForWhenNobodyKnowsWhetherOneWasStored) {
  start();
  queue_.before = [this](const std::string& call) {
    if (call == "pause") queue_.rules = {{Kind::Host, "a.example", "down", clock_.wall(), {}}};
  };
  queue_.fails = {{"pause", {1, ports::SpoolError::Unknown}}};
  const auto view = pause("mx:a.example");
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().exit, ExitCode::Temporary);
  turn();
  EXPECT_EQ(in_force(), Values{"a.example"});
}

}  // namespace
}  // namespace relay::ops
