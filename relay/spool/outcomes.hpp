// Records the results of attempts. A result counts only if the copy is unchanged since the attempt
// began. Inside a transaction.
#pragma once

#include <expected>
#include <optional>
#include <vector>

#include "relay/ports/copy_update.hpp"
#include "relay/spool/fallbacks.hpp"
#include "relay/spool/messages.hpp"
#include "relay/spool/notices.hpp"

namespace relay::spool {

class Outcomes {
 public:
  Outcomes(Connection& connection, Messages& messages, Notices& notices, Fallbacks& fallbacks,
           Tally& tally);

  /// NotFound: the message does not exist any more.
  std::expected<ports::RecordAnswer, ports::SpoolError> record(const ports::Update& update,
                                                               base::WallTime now);

  /// Holds every waiting copy, even if its row is damaged.
  void hold_damaged(const mail::MessageId& id, base::WallTime now);

 private:
  /// The stored copy, and what else about its message matters.
  struct Copy {
    mail::RecipientState state = mail::RecipientState::Waiting;
    std::uint32_t attempts = 0;
    std::int64_t next_due_ms = 0;
    std::int64_t flags = 0;
    std::optional<std::int64_t> other_open;  ///< the first other copy that has not ended
    bool owed = false;                       ///< there are notices for the message
    std::int64_t octets = 0;                 ///< size of the message
    std::int64_t group = 0;                  ///< its alias's group with a fallback; 0: none
    bool has_fallback = false;               ///< … and the fallback can still take over
  };

  /// The updates of one group together.
  struct Touched {
    std::int64_t group = 0;
    Fallbacks::Events events;
    std::vector<std::uint16_t> delayed;  ///< their delay is reported unless the fallback takes over
  };

  static void touch(std::vector<Touched>& groups, const ports::CopyUpdate& update,
                    const Copy& copy);
  void decide(const mail::MessageId& id, const std::vector<Touched>& groups,
              ports::RecordAnswer& answer, base::WallTime now);

  std::optional<Copy> find(const mail::MessageId& id, std::uint16_t index);
  static ports::Recorded judge(const ports::CopyUpdate& update, const Copy& copy);
  static bool ends_message(const ports::Update& update, const Copy& copy);
  void apply(const mail::MessageId& id, const ports::CopyUpdate& update, const Copy& copy,
             ports::Recorded recorded, base::WallTime now);
  void notify(const mail::MessageId& id, const ports::CopyUpdate& update, const Copy& copy,
              base::WallTime now);
  void keep_history(const mail::MessageId& id, const ports::CopyUpdate& update);

  Connection& connection_;
  Messages& messages_;
  Notices& notices_;
  Fallbacks& fallbacks_;
  Tally& tally_;
  Statement select_, update_, insert_attempt_, forget_attempts_, hold_waiting_;
};

}  // namespace relay::spool
