// Queue rows as JSON objects: the stable machine-readable form ("v":1, fields are only added).
#pragma once

#include <vector>

#include <boost/json/object.hpp>

#include "relay/ports/spool.hpp"

namespace relay::ops {

std::string_view state_name(mail::RecipientState state);

/// One line of `queue list`: a copy.
boost::json::object row_json(const ports::QueueRow& row);

/// `queue show`: the message with all its copies.
boost::json::object message_json(const mail::QueuedMessage& queued);

/// `queue why`: the message, its copies and every recorded attempt, oldest first.
boost::json::object why_json(const mail::QueuedMessage& queued,
                             const std::vector<ports::AttemptRow>& attempts);

}  // namespace relay::ops
