// The queue as the operator sees it. Everything is text as it is stored: a damaged row can be
// looked at and acted upon like any other. Listings and changes go in slices, so that no call keeps
// the store from accepting mail for long.
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

/// One condition of a filter. Texts are folded to lower case; "*" in them stands for any octets.
struct QueueCondition {
  enum class Field {
    Id,         ///< the beginning of a textual id
    Target,     ///< where the copy goes: an address, or a domain when there is no "@"
    Alias,      ///< the forward-path as the client gave it: an address, or a domain
    Domain,     ///< the domain of that forward-path
    Sender,     ///< the original reverse-path: an address, a domain, or "<>"
    Host,       ///< the host of the last attempt: its name, or the end of it behind a dot
    Code,       ///< the enhanced code of the last attempt
    MessageId,  ///< of the header, without brackets
    OlderThan,  ///< accepted longer ago than `age`
    YoungerThan,
    State,
  };

  Field field = Field::Id;
  std::string text;
  std::chrono::seconds age{0};
  mail::RecipientState state = mail::RecipientState::Waiting;
  bool deferred = false;  ///< with state Waiting: and was tried before
  bool negated = false;
};

/// All conditions must hold; none at all selects everything.
struct QueueFilter {
  std::vector<QueueCondition> conditions;
};

enum class QueueAction {
  Retry,    ///< makes what waits due now; count and expiry stay
  Hold,     ///< keeps what waits until it is released
  Release,  ///< lets go what is held
  Drop,     ///< ends copies without telling the sender
  Bounce,   ///< ends copies and tells the sender
};

/// A copy as it is stored.
struct QueueRow {
  mail::CopyId copy;
  base::WallTime received_at;
  std::uint64_t size = 0;
  std::string client;  ///< textual IP
  std::string helo;
  std::string tls;         ///< version with which it came, or ""
  std::string message_id;  ///< of the header, without brackets; ""
  std::string mail_from;   ///< original reverse-path, "" is the null one
  std::string alias;
  std::string target;
  std::string sender;  ///< the reverse-path under which the copy leaves
  mail::Handling handling;
  bool held_on_entry = false;
  std::string awaits;  ///< whose consent; ""
  mail::RecipientState state = mail::RecipientState::Waiting;
  mail::End end = mail::End::None;
  std::uint32_t attempts = 0;
  base::WallTime next_due;
  base::WallTime released_at;  ///< epoch: it was never held
  bool warned = false;
  bool possible_duplicate = false;
  mail::DeliveryAttempt last;
};

/// A part of a listing, by (id, index). `next`: where to go on; nullopt: that was all.
struct QueuePage {
  std::vector<QueueRow> rows;
  std::optional<mail::CopyId> next;
};

/// What one slice of a change did, by (id, index).
struct ChangedSlice {
  std::vector<mail::CopyId> changed;
  /// Of QueueAction::Hold: what was held already. It is no change, but the dot of a copy that was
  /// held a moment ago may be written.
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
  std::uint64_t owed_reports = 0;  ///< messages with notices that no DSN has told of
};

/// Mail that does not leave until somebody, or time, says so.
struct PauseRule {
  enum class Kind : std::uint8_t {
    Host,    ///< mx: the name of a host or group, or what it ends with behind a dot
    Domain,  ///< domain: of the forward-path
    Alias,   ///< alias: the forward-path
  };

  Kind kind = Kind::Host;
  std::string value;  ///< folded
  std::string reason;
  base::WallTime since;                 ///< by the store's clock
  std::optional<base::WallTime> until;  ///< nullopt: until it is taken away

  friend bool operator==(const PauseRule&, const PauseRule&) = default;
};

/// Implementations pass tests/spool/operator_contract.
class OperatorQueue {
 public:
  virtual ~OperatorQueue() = default;

  virtual base::WallTime now() const noexcept = 0;

  /// Copies that have not ended, behind `after`; at most limit, and fewer when many had to be
  /// looked at. An id in the filter is found without looking at others.
  virtual base::Task<std::expected<QueuePage, SpoolError>> list(QueueFilter filter,
                                                                std::optional<mail::CopyId> after,
                                                                std::size_t limit) = 0;

  /// All copies of a message, ended ones too, by index. NotFound when it is gone.
  virtual base::Task<std::expected<std::vector<QueueRow>, SpoolError>> copies(
      mail::MessageId id) = 0;

  /// The recorded attempts of a message, the oldest first.
  virtual base::Task<std::expected<std::vector<AttemptRow>, SpoolError>> attempts(
      mail::MessageId id) = 0;

  /// Content chunk `sequence`; "" behind the last.
  virtual base::Task<std::expected<std::string, SpoolError>> read(mail::MessageId id,
                                                                  std::uint32_t sequence) = 0;

  /// Applies the action to the next matching copies behind `after`: one transaction that takes no
  /// longer than 20 ms. `reason` is kept with copies that end. Whatever is done with a copy, it
  /// waits for nobody's consent any more; only Retry leaves held copies alone.
  virtual base::Task<std::expected<ChangedSlice, SpoolError>> change(
      QueueFilter filter, QueueAction action, std::string reason,
      std::optional<mail::CopyId> after) = 0;

  virtual base::Task<std::expected<QueueTotals, SpoolError>> totals() = 0;

  /// Sets a rule, or replaces the one of the same kind and value. `span`: how long it holds.
  virtual base::Task<std::expected<PauseRule, SpoolError>> pause(
      PauseRule::Kind kind, std::string value, std::string reason,
      std::optional<std::chrono::milliseconds> span) = 0;

  /// False: there is no such rule.
  virtual base::Task<std::expected<bool, SpoolError>> resume(PauseRule::Kind kind,
                                                             std::string value) = 0;

  /// Rules that hold now; those whose time is over are taken away.
  virtual base::Task<std::expected<std::vector<PauseRule>, SpoolError>> pauses() = 0;
};

}  // namespace relay::ports
