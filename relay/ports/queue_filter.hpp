// What the conditions of a QueueFilter mean. Pure. Every queue uses these functions, so that a
// condition selects the same copies in every store.
#pragma once

#include <optional>
#include <string_view>

#include "relay/ports/operator_queue.hpp"

namespace relay::ports {

/// "*" in `pattern` matches any octets, even none; all else matches itself, case ignored.
bool matches_pattern(std::string_view pattern, std::string_view text);

/// A pattern with "@" is compared with the whole address, one without with its domain. An address
/// without "@" (the bare postmaster) is compared as a whole.
bool matches_address(std::string_view pattern, std::string_view address);

/// Matches the host's name, or its ending after a dot. An empty host matches nothing.
bool matches_host(std::string_view pattern, std::string_view host);

/// Whether the longest of the ends that fits the host is one of the group.
bool is_of_group(const std::vector<HostEnd>& ends, std::string_view host);

/// What a filter examines of a copy. The views belong to the caller.
struct QueueSubject {
  mail::MessageId id;
  std::string_view target;
  std::string_view alias;
  std::string_view mail_from;  ///< "": the null sender
  std::string_view host;       ///< of the last attempt
  std::string_view code;       ///< enhanced code of the last attempt; "" before the first
  std::string_view message_id;
  base::WallTime received_at;
  mail::RecipientState state = mail::RecipientState::Waiting;
  std::uint32_t attempts = 0;
};

bool matches(const QueueFilter& filter, const QueueSubject& subject, base::WallTime now);

/// Whether a condition is about the message, not only the copy: sender, message id, age.
bool asks_for_message(const QueueFilter& filter);

/// Ids from `first` to `last`, both included.
struct IdRange {
  mail::MessageId first;
  mail::MessageId last;
};

/// The range of ids that holds every copy the filter can select; nullopt: it selects none.
std::optional<IdRange> id_range(const QueueFilter& filter);

}  // namespace relay::ports
