// All judges of a world together.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "relay/ports/intake_queue.hpp"
#include "tests/simulation/book.hpp"
#include "tests/simulation/fairness.hpp"
#include "tests/simulation/notice_judge.hpp"
#include "tests/simulation/outcome_judge.hpp"
#include "tests/simulation/pauses.hpp"
#include "tests/simulation/traffic_judge.hpp"
#include "tests/simulation/verb_judge.hpp"

namespace relay::simulation {

struct Judge {
  Judge(const World& world, SimClock& clock, bool aloud = false);

  /// A message of the plan is about to be committed: from here on servers may see it.
  void arriving(const ports::NewMessage& message, std::uint32_t number);

  /// The message is durable; or it is not, and must never be seen. `found_after`: the relay was not
  /// told of it, and may take so long to find it.
  void committed(std::uint32_t number, std::chrono::milliseconds found_after = {});
  void rejected(std::uint32_t number);

  /// The store has applied an outcome.
  void recorded(const ports::Update& update, const ports::RecordAnswer& answer);
  /// The relay has the answer to recorded(), or to gone().
  void heard(const ports::Update& update);

  /// The store has forgotten that message.
  void gone(const ports::Update& update);

  /// The relay could not read the content of this message.
  void content_unreadable(const mail::MessageId& id);

  /// The relay has lost its memory, and with it the outcomes it was about to record.
  void process_died();

  /// While the relay cannot work, nothing counts as late. Waits count from the end of that time,
  /// plus `settles`.
  enum class Trouble : std::uint8_t { ProcessDown, StoreIll, LoopStalled, WallClock };
  void trouble_begins(Trouble trouble);
  void trouble_ends(Trouble trouble, std::chrono::milliseconds settles);

  void wall_jumped(std::chrono::milliseconds by);

  /// Nothing happens until then.
  void before_advance(base::SteadyTime then);

  /// The world was well for long enough to deliver everything. `totals`: the counts that the store
  /// keeps.
  void world_ended(const ports::QueueTotals& totals);

  SimClock& clock;
  Verdicts verdicts;
  Book book;
  Pauses pauses;
  Fairness fairness;
  TrafficJudge traffic;
  OutcomeJudge outcomes;
  NoticeJudge notices;
  VerbJudge verbs;

 private:
  void set_calm();

  std::array<unsigned, 4> troubles_{};  ///< how many of each kind there are
  base::SteadyTime settled_at_;
  base::SteadyTime calm_since_;
  base::SteadyTime checked_;
};

}  // namespace relay::simulation
