// Filters of copies, and what their conditions mean. Pure. Every queue uses these functions, so
// that a condition selects the same copies in every store.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/mail/message.hpp"

namespace relay::ports {

/// An ending of host names, after a dot or as a whole. The longest one that fits a host decides.
struct HostEnd {
  std::string text;
  bool is_of_group = true;  ///< false: hosts under it belong to another group
};

/// One condition of a filter. Texts are folded to lower case; "*" in them matches any octets.
struct QueueCondition {
  enum class Field {
    Id,         ///< the beginning of a textual id
    Target,     ///< where the copy goes: an address, or a domain when there is no "@"
    Alias,      ///< the forward-path as the client gave it: an address, or a domain
    Domain,     ///< the domain of that forward-path
    Sender,     ///< the original reverse-path: an address, a domain, or "<>"
    Host,       ///< the host of the last attempt: its name, or an ending of it after a dot; or its
                ///< group
    Code,       ///< the enhanced code of the last attempt
    MessageId,  ///< Message-ID of the header, without brackets
    OlderThan,  ///< accepted longer ago than `age`
    YoungerThan,
    State,
  };

  Field field = Field::Id;
  std::string text;
  std::vector<HostEnd> group;  ///< with Host: the hosts of the group named `text`; empty: no group
  std::chrono::seconds age{0};
  mail::RecipientState state = mail::RecipientState::Waiting;
  bool deferred = false;  ///< with state Waiting: only copies that were tried before
  bool negated = false;
};

/// Selects the copies for which all conditions hold; without conditions, all.
struct QueueFilter {
  std::vector<QueueCondition> conditions;
};

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
