// Translates a plan into values of the ports: messages, filters, rules.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "relay/ports/delivery_feed.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/ports/operator_queue.hpp"
#include "tests/simulation/book.hpp"

namespace relay::simulation {

/// Message `number` of the plan, accepted now.
ports::NewMessage new_message(const World& world, std::uint32_t number, base::WallTime now);

/// The message as it is offered to the delivery side.
ports::FreshMessage fresh_message(const ports::NewMessage& message, base::WallTime now);

/// The filter of a verb of the plan.
ports::QueueFilter filter_of(const World& world, const Book& book, const Incident& incident);

/// An operator's order, and its number.
struct OperatorsOrder {
  ports::QueueAction action = ports::QueueAction::Retry;
  unsigned number = 0;
};

/// The order as the reason for it.
std::string reason_for(const OperatorsOrder& order);

OperatorsOrder ordered_with(std::string_view reason);

/// The subject of a rule of the plan.
std::pair<ports::PauseRule::Kind, std::string> pause_target(const World& world,
                                                            const Incident& incident);

}  // namespace relay::simulation
