#include "tests/simulation/judge.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace relay::simulation {

using State = CopyTruth::State;
using namespace std::chrono_literals;

namespace {

bool says_cut_off(const ports::CopyUpdate& copy) {
  return std::ranges::any_of(copy.attempts, was_cut_off);
}

}  // namespace

Judge::Judge(const World& world, SimClock& world_clock, bool aloud)
    : clock(world_clock),
      verdicts(world_clock, aloud),
      book(world),
      pauses(world_clock),
      fairness(book, verdicts, world_clock, pauses),
      traffic(book, verdicts, world_clock, &fairness, &pauses),
      outcomes(book, verdicts, world_clock, traffic),
      notices(book, verdicts, world_clock),
      verbs(book, verdicts, world_clock),
      settled_at_(world_clock.steady()),
      calm_since_(world_clock.steady()),
      checked_(world_clock.steady()) {}

void Judge::arriving(const ports::NewMessage& message, std::uint32_t number) {
  MessageTruth& truth = book.add(message, number, std::nullopt, body_hash_of(message.content));
  for (std::size_t i = 0; i < truth.copies.size(); ++i) {
    CopyTruth& copy = truth.copies[i];
    if (message.routes[i].held) copy.state = State::Held;
    copy.due = clock.wall();
    copy.due_at = clock.steady();
    copy.waits_since = copy.recorded_at = copy.asked_from = clock.steady();
  }
}

void Judge::committed(std::uint32_t number, std::chrono::milliseconds found_after) {
  MessageTruth& message = book.messages()[number];
  message.committed = true;
  for (CopyTruth& copy : message.copies) {
    verdicts.note(Event::What::Accepted, copy.name, 0, static_cast<int>(copy.group));
    if (copy.state == State::Arriving) copy.state = State::Waiting;
    copy.found_by = clock.steady() + found_after;
  }
}

void Judge::rejected(std::uint32_t number) {
  for (CopyTruth& copy : book.messages()[number].copies) copy.state = State::Refused;
}

void Judge::recorded(const ports::Update& update, const ports::RecordAnswer& answer) {
  outcomes.recorded(update, answer);
  if (const MessageTruth* message = book.find(update.id)) {
    for (const auto& copy : update.copies) {
      if (copy.index < message->copies.size()) {
        const std::size_t group = message->copies[copy.index].group;
        fairness.recorded(group, copy.state == mail::RecipientState::Delivered);
        if (says_cut_off(copy)) fairness.cut_off(group);
      }
    }
  }
}

void Judge::gone(const ports::Update& update) {
  MessageTruth* const message = book.find(update.id);
  for (const auto& one : update.copies) {
    if (message == nullptr || one.index >= message->copies.size()) continue;
    CopyTruth& copy = message->copies[one.index];
    if (std::exchange(copy.dot_open, false)) {
      copy.dot_ended_at = clock.steady();
      copy.outcome_unheard = true;
    }
    if (!has_ended(copy.state)) verdicts.violate(Rule::Lost, copy.name, "the store has lost it");
  }
}

void Judge::heard(const ports::Update& update) {
  MessageTruth* const message = book.find(update.id);
  for (const auto& one : update.copies) {
    if (message == nullptr || one.index >= message->copies.size()) continue;
    message->copies[one.index].outcome_unheard = false;
  }
}

void Judge::content_unreadable(const mail::MessageId& id) {
  outcomes.content_unreadable();
  if (const MessageTruth* message = book.find(id)) fairness.content_unreadable(*message);
}

void Judge::process_died() {
  traffic.process_died();
  fairness.process_died();
  outcomes.process_died();
  verbs.process_died();
  for (MessageTruth& message : book.messages()) {
    for (CopyTruth& copy : message.copies) {
      copy.outcome_unheard = false;
      copy.in_limbo = false;
      copy.all_turned = false;  // what was learnt of hosts is gone, too
    }
  }
}

void Judge::trouble_begins(Trouble trouble) {
  ++troubles_[static_cast<std::size_t>(trouble)];
  set_calm();
}

void Judge::trouble_ends(Trouble trouble, std::chrono::milliseconds settles) {
  unsigned& count = troubles_[static_cast<std::size_t>(trouble)];
  if (count > 0) --count;
  settled_at_ = std::max(settled_at_, clock.steady() + settles);
  set_calm();
}

void Judge::set_calm() {
  const bool troubled = std::ranges::any_of(troubles_, [](unsigned count) { return count > 0; });
  calm_since_ = troubled ? base::SteadyTime::max() : settled_at_;
  fairness.calm_from(calm_since_);
}

/// From here on, copies that are due by the store's clock are due at another time.
void Judge::wall_jumped(std::chrono::milliseconds by) {
  for (MessageTruth& message : book.messages()) {
    for (CopyTruth& copy : message.copies) {
      if (copy.state != State::Waiting) continue;
      copy.due_at = clock.steady() + std::max(copy.due - clock.wall(), 0ms);
      copy.found_by = copy.due_at;
    }
  }
  constexpr auto kNoticed = 60s;  // less than this may be NTP that sets the clock
  const bool is_down = troubles_[static_cast<std::size_t>(Trouble::ProcessDown)] > 0;
  outcomes.wall_jumped(!is_down && std::chrono::abs(by) >= kNoticed);
  traffic.wall_jumped();
  notices.wall_jumped();
}

void Judge::before_advance(base::SteadyTime then) {
  if (then - checked_ < 1s) return;
  checked_ = then;
  fairness.check(then);
  notices.check_debts(then, calm_since_);
}

void Judge::world_ended(const ports::QueueTotals& totals) {
  std::uint64_t waiting = 0;
  std::uint64_t held = 0;
  for (const MessageTruth& message : book.messages()) {
    for (const CopyTruth& copy : message.copies) {
      if (copy.state == State::Held) ++held;
      if (copy.state != State::Waiting) continue;
      ++waiting;
      if (pauses.keep_back(message.aliases[copy.name.index], "")) continue;
      verdicts.violate(Rule::QueueNotEmpty, copy.name, "still waits when all is well");
    }
    if (!message.owed.empty()) {
      verdicts.violate(Rule::DsnUnpaid, {message.number, message.owed.front().index},
                       "a notice is owed in the end");
    }
  }
  if (totals.waiting != waiting || totals.held != held || totals.owed_reports != 0) {
    verdicts.violate(
        Rule::Lost, kNoCopy,
        fmt::format("the store holds {} waiting, {} held, {} owed; accepted and not ended are {} "
                    "and {}",
                    totals.waiting, totals.held, totals.owed_reports, waiting, held));
  }
}

}  // namespace relay::simulation
