#include "tests/powercut/operator_life.hpp"

#include <algorithm>

#include "relay/ports/consent_queue.hpp"
#include "relay/ports/delivery_queue.hpp"
#include "relay/ports/operator_queue.hpp"

namespace relay::powercut {

using ports::QueueAction;
using Field = ports::QueueCondition::Field;

base::Task<> OperatorLife::change(mail::CopyId copy, QueueAction action) {
  const std::string target =
      "t" + std::to_string(copy.index) + "@" + copy.message.to_string() + ".example";
  const ports::QueueFilter filter{{{.field = Field::Id, .text = copy.message.to_string()},
                                   {.field = Field::Target, .text = target}}};
  const auto slice = co_await spool_.operators().change(filter, action, "as ordered", std::nullopt);
  require(slice && slice->changed == std::vector{copy} && !slice->next, "the change");
}

base::Task<> OperatorLife::hold_one() {
  const auto copy = take(waiting_);
  if (!copy) co_return;
  note(Kind::Asked, *copy, State::Held);
  co_await change(*copy, QueueAction::Hold);
  note(Kind::Answered, *copy, State::Held);
  held_.push_back(*copy);
}

base::Task<> OperatorLife::release_one() {
  const auto copy = take(held_);
  if (!copy) co_return;
  note(Kind::Asked, *copy, State::Waiting);
  co_await change(*copy, QueueAction::Release);
  note(Kind::Answered, *copy, State::Waiting);
  waiting_.push_back(*copy);
}

base::Task<> OperatorLife::end_one() {
  const auto copy = take(draw(2) == 0 ? held_ : waiting_);
  if (!copy) co_return;
  const auto row = co_await spool_.operators().copies(copy->message);
  require(row.has_value(), "the look");
  const bool can_be_told = !row->front().mail_from.empty();
  const bool bounces = draw(2) == 0;
  if (bounces && can_be_told) note(Kind::DebtAsked, *copy);
  note(Kind::Asked, *copy, State::Ended);
  co_await change(*copy, bounces ? QueueAction::Bounce : QueueAction::Drop);
  note(Kind::Answered, *copy, State::Ended);
  if (!bounces || !can_be_told) co_return;
  note(Kind::DebtAnswered, *copy);
  if (std::ranges::find(owed_, copy->message) == owed_.end()) owed_.push_back(copy->message);
}

base::Task<> OperatorLife::retry_all() {
  const auto slice = co_await spool_.operators().change({}, QueueAction::Retry, "", std::nullopt);
  require(slice.has_value(), "the retry");
  // Whoever looks for what is due takes what was held in its place away from there.
  const auto due = co_await spool_.delivery().due(std::nullopt, 50);
  require(due.has_value(), "the look at what is due");
}

/// Only copies on which no other request acts at the moment.
base::Task<> OperatorLife::consent_to_all() {
  const auto awaiting = co_await spool_.consent().awaiting_copies(std::nullopt, 100);
  require(awaiting.has_value(), "the listing");
  std::vector<ports::AwaitingCopy> chosen;
  for (const ports::AwaitingCopy& one : *awaiting) {
    if (std::erase(held_, one.copy) == 0) continue;
    note(Kind::Asked, one.copy, State::Waiting);
    chosen.push_back(one);
  }
  const auto released = co_await spool_.consent().release(chosen);
  require(released && *released == chosen.size(), "the release");
  for (const ports::AwaitingCopy& one : chosen) {
    note(Kind::Answered, one.copy, State::Waiting);
    waiting_.push_back(one.copy);
  }
}

base::Task<> OperatorLife::find_damaged() {
  if (waiting_.empty()) co_return;
  const mail::MessageId id = waiting_[draw(waiting_.size())].message;
  std::vector<mail::CopyId> of_message;
  std::ranges::copy_if(waiting_, std::back_inserter(of_message),
                       [&](const mail::CopyId& copy) { return copy.message == id; });
  // The end of a copy under way would be unknown.
  const auto rows = co_await spool_.operators().copies(id);
  require(rows.has_value(), "the look");
  const auto open = std::ranges::count_if(
      *rows, [](const ports::QueueRow& row) { return row.state == mail::RecipientState::Waiting; });
  const bool untouched = std::ranges::all_of(of_message, [this](const mail::CopyId& copy) {
    return std::ranges::find(waiting_, copy) != waiting_.end();
  });
  if (!untouched || static_cast<std::size_t>(open) != of_message.size()) co_return;
  for (const mail::CopyId& copy : of_message) {
    std::erase(waiting_, copy);
    note(Kind::Asked, copy, State::Held);
  }
  const auto held = co_await spool_.delivery().hold_damaged(id);
  require(held.has_value(), "the hold");
  for (const mail::CopyId& copy : of_message) {
    note(Kind::Answered, copy, State::Held);
    held_.push_back(copy);
  }
}

base::Task<> OperatorLife::pause_or_resume() {
  Fact fact{.kind = Kind::PauseAsked, .text = "mx" + std::to_string(draw(5)) + ".example"};
  fact.off = std::erase(paused_, fact.text) > 0;
  disk_.note(fact);
  if (fact.off) {
    const auto resumed =
        co_await spool_.operators().resume(ports::PauseRule::Kind::Host, fact.text);
    require(resumed && *resumed, "the resume");
  } else {
    const auto rule = co_await spool_.operators().pause(ports::PauseRule::Kind::Host, fact.text,
                                                        "as ordered", std::nullopt);
    require(rule.has_value(), "the pause");
    paused_.push_back(fact.text);
  }
  fact.kind = Kind::PauseAnswered;
  disk_.note(fact);
}

}  // namespace relay::powercut
