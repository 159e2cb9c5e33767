// The FILTER words of the queue verbs: `to:gmail.example from:ann state:held age:>2h 01JD7Z`.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/ports/spool.hpp"

namespace relay::ops {

/// Words are joined by "and". Known: id:PREFIX (or a bare id prefix), to:TEXT (target or alias),
/// from:TEXT (original sender), state:waiting|deferred|held, `all`. The error is a sentence for
/// the operator. No word at all is an error for changes: nobody drops a queue by accident.
std::expected<ports::QueueFilter, std::string> parse_filter(const std::vector<std::string>& words);

/// True when the filter can match more than one message.
bool is_bulk(const ports::QueueFilter& filter);

}  // namespace relay::ops
