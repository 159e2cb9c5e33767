// The queue as the operator sees it. Everything is text as it is stored, so a damaged row can be
// shown and acted upon like any other. Listings and changes go in slices, so that no call keeps the
// store from accepting mail for long.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/spool_error.hpp"

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

enum class QueueAction {
  Retry,    ///< makes waiting copies due now; attempt count and expiry stay
  Hold,     ///< holds waiting copies until they are released
  Release,  ///< releases held copies
  Drop,     ///< ends copies without a DSN
  Bounce,   ///< ends copies with a DSN
};

/// A copy as it is stored.
struct QueueRow {
  mail::CopyId copy;
  base::WallTime received_at;
  std::uint64_t size = 0;
  std::string client;  ///< textual IP
  std::string helo;
  std::string tls;         ///< TLS version it came with, or ""
  std::string message_id;  ///< Message-ID of the header, without brackets; or ""
  std::string mail_from;   ///< the original reverse-path; "" is the null sender
  std::string alias;
  std::string target;
  std::string sender;  ///< the reverse-path under which the copy leaves
  mail::Handling handling;
  bool held_on_entry = false;
  std::string awaits;  ///< whose consent it waits for; or ""
  mail::RecipientState state = mail::RecipientState::Waiting;
  mail::End end = mail::End::None;
  std::uint32_t attempts = 0;
  base::WallTime next_due;
  base::WallTime released_at;  ///< release of a held copy, or use of a fallback; else epoch
  bool warned = false;
  bool possible_duplicate = false;
  mail::DeliveryAttempt last;
};

/// A page of a listing, in the order (id, index). `next`: where it continues; nullopt: it is
/// complete.
struct QueuePage {
  std::vector<QueueRow> rows;
  std::optional<mail::CopyId> next;
};

/// What one slice of a change did, in the order (id, index).
struct ChangedSlice {
  std::vector<mail::CopyId> changed;
  /// With QueueAction::Hold: matching copies that were held already. They do not count as changed,
  /// but an attempt that began before the hold may still be under way.
  std::vector<mail::CopyId> held_before;
  std::optional<mail::CopyId> next;
};

struct AttemptRow {
  std::uint16_t index = 0;
  mail::DeliveryAttempt attempt;
};

struct QueueTotals {
  std::uint64_t messages = 0;
  std::uint64_t waiting = 0;  ///< copies
  std::uint64_t held = 0;
  std::uint64_t bytes = 0;
  std::uint64_t owed_reports = 0;  ///< messages with notices that no DSN has reported
};

/// A rule by which mail does not leave, until the operator ends it or its time is over.
struct PauseRule {
  enum class Kind : std::uint8_t {
    Host,    ///< mx: the name of a host or group, or its ending after a dot
    Domain,  ///< domain: of the forward-path
    Alias,   ///< alias: the forward-path
  };

  Kind kind = Kind::Host;
  std::string value;  ///< folded
  std::string reason;
  base::WallTime since;                 ///< by the store's clock
  std::optional<base::WallTime> until;  ///< nullopt: until it is removed

  friend bool operator==(const PauseRule&, const PauseRule&) = default;
};

/// Implementations pass tests/spool/operator_contract_test.cpp.
class OperatorQueue {
 public:
  virtual ~OperatorQueue() = default;

  virtual base::WallTime now() const noexcept = 0;

  /// Copies that have not ended, those after `after`; at most `limit`, and fewer when many rows had
  /// to be examined. A filter with an id finds its copies without examining others.
  virtual base::Task<std::expected<QueuePage, SpoolError>> list(QueueFilter filter,
                                                                std::optional<mail::CopyId> after,
                                                                std::size_t limit) = 0;

  /// All copies of a message by index, including ended ones. NotFound when the message is gone.
  virtual base::Task<std::expected<std::vector<QueueRow>, SpoolError>> copies(
      mail::MessageId id) = 0;

  /// The recorded attempts of a message, the oldest first.
  virtual base::Task<std::expected<std::vector<AttemptRow>, SpoolError>> attempts(
      mail::MessageId id) = 0;

  /// Content chunk `sequence`; "" after the last.
  virtual base::Task<std::expected<std::string, SpoolError>> read(mail::MessageId id,
                                                                  std::uint32_t sequence) = 0;

  /// Applies the action to the next matching copies after `after`, in one transaction. It is made
  /// to take 20 ms at most: a slice is smaller when the last one took longer. `reason` is stored
  /// with copies that end. Every action clears the consent that a copy waits for, except Retry,
  /// which does not touch held copies.
  virtual base::Task<std::expected<ChangedSlice, SpoolError>> change(
      QueueFilter filter, QueueAction action, std::string reason,
      std::optional<mail::CopyId> after) = 0;

  virtual base::Task<std::expected<QueueTotals, SpoolError>> totals() = 0;

  /// Sets a rule, or replaces the one of the same kind and value. `span`: how long it holds;
  /// nullopt: until it is removed.
  virtual base::Task<std::expected<PauseRule, SpoolError>> pause(
      PauseRule::Kind kind, std::string value, std::string reason,
      std::optional<std::chrono::milliseconds> span) = 0;

  /// Removes a rule. False: there is no such rule.
  virtual base::Task<std::expected<bool, SpoolError>> resume(PauseRule::Kind kind,
                                                             std::string value) = 0;

  /// The rules in force; removes those whose time is over.
  virtual base::Task<std::expected<std::vector<PauseRule>, SpoolError>> pauses() = 0;
};

}  // namespace relay::ports
