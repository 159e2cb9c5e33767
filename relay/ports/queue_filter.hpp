// What the conditions of a QueueFilter mean. Pure: every queue asks here, so that a word selects
// the same copies wherever they are kept.
#pragma once

#include <optional>
#include <string_view>

#include "relay/ports/operator_queue.hpp"

namespace relay::ports {

/// "*" in `pattern` stands for any octets, none included; everything else for itself, case ignored.
bool matches_pattern(std::string_view pattern, std::string_view text);

/// A pattern with "@" is for the whole address, one without for its domain. An address without "@"
/// (the bare postmaster) is compared as a whole.
bool matches_address(std::string_view pattern, std::string_view address);

/// The host's name, or what it ends with behind a dot. No host, "", matches nothing.
bool matches_host(std::string_view pattern, std::string_view host);

/// What is asked of a copy. The views are the caller's.
struct QueueSubject {
  mail::MessageId id;
  std::string_view target;
  std::string_view alias;
  std::string_view mail_from;  ///< "": the null sender
  std::string_view host;       ///< of the last attempt
  std::string_view code;       ///< enhanced code of the last attempt; "": none yet
  std::string_view message_id;
  base::WallTime received_at;
  mail::RecipientState state = mail::RecipientState::Waiting;
  std::uint32_t attempts = 0;
};

bool matches(const QueueFilter& filter, const QueueSubject& subject, base::WallTime now);

/// Whether a condition speaks of the message, not of the copy alone: sender, message id, age.
bool asks_for_message(const QueueFilter& filter);

/// Ids from `first` to `last`, both included.
struct IdRange {
  mail::MessageId first;
  mail::MessageId last;
};

/// The ids among which all copies are that the filter may select; nullopt: it selects none.
std::optional<IdRange> id_range(const QueueFilter& filter);

}  // namespace relay::ports
