#include "tests/simulation/verb_judge.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace relay::simulation {

using ports::QueueAction;
using State = CopyTruth::State;

CopyTruth* VerbJudge::find(const mail::CopyId& id) {
  MessageTruth* const message = book_.find(id.message);
  if (message == nullptr || id.index >= message->copies.size()) {
    verdicts_.violate(Rule::Lost, kNoCopy, "a verb has changed a copy of nobody");
    return nullptr;
  }
  return &message->copies[id.index];
}

void VerbJudge::end_copy(MessageTruth& message, CopyTruth& copy, bool tell) {
  copy.state = State::Failed;
  copy.ended_by_operator = true;
  message.copy_ended_at = clock_.steady();
  if (tell) book_.owe(message, copy.name.index, clock_.steady());
}

void VerbJudge::change(QueueAction action, MessageTruth& message, CopyTruth& copy) {
  verdicts_.note(Event::What::Verb, copy.name, 0, static_cast<int>(action));
  if (has_ended(copy.state)) {
    return verdicts_.violate(Rule::EndsTwice, copy.name, "a verb has changed what had ended");
  }
  switch (action) {
    case QueueAction::Retry:
      if (copy.state == State::Held) {
        verdicts_.violate(Rule::LeftAfterVerb, copy.name, "retry has released what was held");
      }
      if (copy.due_at <= clock_.steady()) {
        copy.found_by = std::min(copy.found_by, clock_.steady());
        return;
      }
      break;
    case QueueAction::Hold:
      copy.state = State::Held;
      break;
    case QueueAction::Release:
      if (copy.state == State::Held) copy.waits_since = clock_.steady();
      copy.state = State::Waiting;
      break;
    case QueueAction::Drop:
      end_copy(message, copy, false);
      break;
    case QueueAction::Bounce:
      end_copy(message, copy, message.may_be_told);
      message.silence_untold = !message.may_be_told && !message.null_sender;
      break;
  }
  copy.due = clock_.wall();
  copy.due_at = copy.found_by = clock_.steady();
}

void VerbJudge::changed(QueueAction action, const std::vector<mail::CopyId>& copies) {
  for (const mail::CopyId& id : copies) {
    CopyTruth* const copy = find(id);
    if (copy == nullptr) continue;
    change(action, *book_.find(id.message), *copy);
    copy->in_limbo = true;
    copy->limbo_since = clock_.steady();
  }
}

std::vector<CopyName> VerbJudge::answered(QueueAction action,
                                          const std::vector<mail::CopyId>& copies,
                                          std::size_t under_way) {
  const auto awaited = std::ranges::find(unanswered_, copies, &Slice::copies);
  if (awaited != unanswered_.end()) unanswered_.erase(awaited);
  std::vector<CopyName> due;
  std::size_t least = 0;  // whose dot may still be taken, for all that the relay can know
  std::size_t most = 0;
  for (const mail::CopyId& id : copies) {
    CopyTruth* const copy = find(id);
    if (copy == nullptr) continue;
    copy->in_limbo = false;
    // Copies recorded since the rows were changed may have had their dot written by then; and the
    // relay may not have heard of copies recorded before.
    const bool meanwhile = copy->outcome_unheard || copy->dot_ended_at >= copy->limbo_since;
    if (copy->dot_open || copy->in_content || meanwhile) ++most;
    if (copy->dot_open && (copy->dot_taken || copy->refused_at > clock_.steady())) ++least;
    if (copy->state == State::Waiting) due.push_back(copy->name);
  }
  const bool takes_back = action != QueueAction::Retry && action != QueueAction::Release;
  if (takes_back && (under_way < least || under_way > most)) {
    verdicts_.violate(
        Rule::VerbMiscounts, kNoCopy,
        fmt::format("said {} under way; the dot of {} to {} is written", under_way, least, most));
  }
  return due;
}

void VerbJudge::await_answer(unsigned verb, QueueAction action, std::vector<mail::CopyId> copies) {
  unanswered_.push_back({.verb = verb, .action = action, .copies = std::move(copies)});
}

void VerbJudge::over(unsigned verb) {
  for (;;) {
    const auto found = std::ranges::find(unanswered_, verb, &Slice::verb);
    if (found == unanswered_.end()) return;
    const Slice slice = std::move(*found);
    unanswered_.erase(found);
    answered(slice.action, slice.copies, 0);
  }
}

}  // namespace relay::simulation
