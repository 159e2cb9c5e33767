#include "tests/fakes/memory_fallbacks.hpp"

#include <algorithm>

namespace relay::fakes {

using mail::RecipientState;

namespace {

ports::TakeOver take_over(MemoryCore& core, MemoryMessage& message, std::uint16_t group) {
  ports::TakeOver taken;
  for (MemoryCopy& copy : message.copies) {
    if (copy.row.route.group != group) continue;
    copy.untold = false;
    if (copy.row.state == RecipientState::StandsBy) {
      core.messages.change(message, copy, [&](mail::QueuedRecipient& row) {
        row.state = RecipientState::Waiting;
        row.route.stands_by = false;
        row.next_due = core.now();
        row.released_at = core.now();
      });
      taken.targets.push_back(copy.target);
      taken.alias = copy.alias;
    } else if (copy.row.state == RecipientState::Waiting) {
      core.messages.change(message, copy, [](mail::QueuedRecipient& row) {
        row.state = RecipientState::Failed;
        row.end = mail::End::Replaced;
      });
      taken.replaced.push_back(copy.row.route.index);
    }
  }
  return taken;
}

void stand_down(MemoryCore& core, MemoryMessage& message, std::uint16_t group) {
  for (MemoryCopy& copy : message.copies) {
    if (copy.row.route.group != group || !copy.untold) continue;
    copy.untold = false;
    core.messages.owe(message, copy.row.route.index, ports::Notify::OfFailure, core.now());
  }
  std::erase_if(message.copies, [&](const MemoryCopy& copy) {
    return copy.row.route.group == group && copy.row.state == RecipientState::StandsBy;
  });
}

}  // namespace

bool stands_by(const MemoryMessage& message, std::uint16_t group) {
  return group != 0 && std::ranges::any_of(message.copies, [&](const MemoryCopy& copy) {
           return copy.row.route.group == group && copy.row.state == RecipientState::StandsBy;
         });
}

GroupDecision decide_group(MemoryCore& core, MemoryMessage& message, std::uint16_t group,
                           bool failure, bool lateness) {
  bool delivered = false;
  bool is_open = false;
  for (const MemoryCopy& copy : message.copies) {
    if (copy.row.route.group != group) continue;
    delivered = delivered || copy.row.state == RecipientState::Delivered;
    is_open = is_open || !mail::is_final(copy.row.state);
  }
  GroupDecision decision;
  if (!delivered && (is_open ? lateness : failure)) {
    decision.taken_over = take_over(core, message, group);
    decision.taken_over->was_late = is_open;
  } else if (delivered || !is_open) {
    stand_down(core, message, group);
    decision.is_over = true;
  }
  return decision;
}

}  // namespace relay::fakes
