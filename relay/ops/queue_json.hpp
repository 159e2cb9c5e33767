// Queue rows as JSON objects: the stable machine-readable form ("v":1, fields are only added).
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include <boost/json/object.hpp>

#include "relay/ops/controls.hpp"
#include "relay/ports/spool.hpp"

namespace relay::ops {

std::string_view state_name(mail::RecipientState state);

/// One line of `queue list`: a copy.
boost::json::object row_json(const ports::QueueRow& row);

/// `queue show`: the message with all its copies.
boost::json::object message_json(const mail::QueuedMessage& queued);

/// Whether a copy is kept back by the risk pool's rate; may be empty.
using PaceOf = std::function<std::optional<Pace>(const mail::MessageId&, const mail::Route&)>;

/// `queue why`: the message, its copies and every recorded attempt, oldest first.
boost::json::object why_json(const mail::QueuedMessage& queued,
                             const std::vector<ports::AttemptRow>& attempts, const PaceOf& pace);

}  // namespace relay::ops
