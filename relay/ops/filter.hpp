// The words that say which copies a verb is for: `to:*@gmail.example -from:<> age:>2h`.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "relay/ports/operator_queue.hpp"

namespace relay::ops {

/// Every word is one condition, and all of them must hold. Nothing is guessed: a word that is
/// empty, misspelt, or has a key that another word has, is refused with a sentence for the
/// operator, for a condition that is lost would select more. Without a word, and with `all` alone,
/// everything is selected; there is no other way to say that.
///
///   01JD7Z, id:01JD7Z   the beginning of an id, at least six characters
///   to:  alias:  from:  an address, or a domain; `*` stands for anything; from:<> the null sender
///   domain:             of the forward-path
///   mx:                 host or group of the last attempt
///   code:4.7.*          enhanced status code of the last attempt
///   message-id:         of the header
///   age:>2h  age:<5m    since it was accepted
///   state:              waiting, deferred (waiting, and tried before) or held
///   -KEY:VALUE          the opposite; it counts as a key of its own
std::expected<ports::QueueFilter, std::string> parse_filter(const std::vector<std::string>& words);

/// The same for what changes the queue: no word at all is refused, so that nobody drops a queue by
/// accident.
std::expected<ports::QueueFilter, std::string> parse_selection(
    const std::vector<std::string>& words);

/// True when the filter can match more than one message.
bool is_bulk(const ports::QueueFilter& filter);

/// What a pause is about.
struct PauseTarget {
  ports::PauseRule::Kind kind = ports::PauseRule::Kind::Host;
  std::string value;  ///< folded
};

/// One word: mx:HOST, domain:DOMAIN or alias:ADDRESS, without `*`.
std::expected<PauseTarget, std::string> parse_pause_target(const std::vector<std::string>& words);

/// "mx", "domain", "alias".
std::string_view name(ports::PauseRule::Kind kind);

}  // namespace relay::ops
