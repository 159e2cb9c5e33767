// Parses the filter words that select the copies for a verb: `to:*@gmail.example -from:<> age:>2h`
// (guarantee "A filter never widens").
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "relay/ports/pause_rule.hpp"
#include "relay/ports/queue_filter.hpp"

namespace relay::ops {

/// Each word is one condition, and all must hold. A word that is empty, misspelt, or has the key of
/// another word is refused with a sentence for the operator; ignoring it would select more.
/// Everything is selected by no words, or by the single word `all`, and in no other way.
///
///   01JD7Z, id:01JD7Z   the beginning of an id, at least six characters
///   to:  alias:  from:  address or domain; `*` matches anything; from:<> is the null sender
///   domain:             of the forward-path
///   mx:                 host or group of the last attempt
///   code:4.7.*          enhanced status code of the last attempt
///   message-id:         of the header
///   age:>2h  age:<5m    time since the message was accepted
///   state:              waiting, deferred (waiting, and tried before) or held
///   -KEY:VALUE          the opposite of the condition; it counts as a key of its own
std::expected<ports::QueueFilter, std::string> parse_filter(const std::vector<std::string>& words);

/// The same for verbs that change the queue, where no words are refused, so that nobody empties the
/// queue by accident.
std::expected<ports::QueueFilter, std::string> parse_selection(
    const std::vector<std::string>& words);

/// True when the filter can match more than one message.
bool is_bulk(const ports::QueueFilter& filter);

/// What a pause applies to.
struct PauseTarget {
  ports::PauseRule::Kind kind = ports::PauseRule::Kind::Host;
  std::string value;  ///< folded
};

/// Parses one word: mx:HOST, domain:DOMAIN or alias:ADDRESS, without `*`.
std::expected<PauseTarget, std::string> parse_pause_target(const std::vector<std::string>& words);

/// "mx", "domain", "alias".
std::string_view name(ports::PauseRule::Kind kind);

}  // namespace relay::ops
