// What a plan says, in the words of the ports: messages, filters, rules.
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

/// As the mail comes to the delivery side with its offer.
ports::FreshMessage fresh_message(const ports::NewMessage& message, base::WallTime now);

/// What a verb of the plan is about.
ports::QueueFilter filter_of(const World& world, const Book& book, const Incident& incident);

/// What the operator of a world wants, and which of his orders it is.
struct OperatorsOrder {
  ports::QueueAction action = ports::QueueAction::Retry;
  unsigned number = 0;
};

/// The order as the reason for it.
std::string reason_for(const OperatorsOrder& order);

OperatorsOrder ordered_with(std::string_view reason);

/// What a rule of the plan is about.
std::pair<ports::PauseRule::Kind, std::string> pause_target(const World& world,
                                                            const Incident& incident);

}  // namespace relay::simulation
