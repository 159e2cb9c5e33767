// Judges DSNs: who is told, of what, how often, and whether every debt is paid in time.
#pragma once

#include <cstdint>
#include <vector>

#include "relay/ports/delivery_queue.hpp"
#include "tests/simulation/book.hpp"
#include "tests/simulation/verdicts.hpp"

namespace relay::simulation {

class NoticeJudge {
 public:
  NoticeJudge(Book& book, Verdicts& verdicts, SimClock& clock)
      : book_(book), verdicts_(verdicts), clock_(clock) {}

  /// The store has applied this: the DSNs are messages of the world from now on.
  void reported(const ports::Report& report);

  /// DSNs that are owed at that moment must not be owed for too long. Debts older than `calm_since`
  /// count from then, because before it the relay could not work.
  void check_debts(base::SteadyTime now, base::SteadyTime calm_since);

  /// How long the relay takes for each message with notices.
  void set_slack(std::chrono::milliseconds slack) { slack_ = slack; }

  /// The store's clock, which measures the minute, has been moved.
  void wall_jumped() { wall_jumped_ = true; }

 private:
  void take_notices(MessageTruth& message, const ports::Report& report);
  void check_rate(MessageTruth& message, const ports::Report& report);
  void check_contents(const MessageTruth& message, const ports::Report& report);
  void add_dsn(const MessageTruth& of, const ports::NewMessage& dsn);

  Book& book_;
  Verdicts& verdicts_;
  SimClock& clock_;
  bool wall_jumped_ = false;
  std::chrono::milliseconds slack_{0};
};

/// Hash of the body, as a server computes it.
std::uint64_t body_hash_of(std::string_view content);

}  // namespace relay::simulation
