// What senders have not been told yet: a row for each copy, and one for each message that says when
// a DSN is to tell of them. Inside a transaction where it writes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "relay/ports/delivery_queue.hpp"
#include "relay/spool/tally.hpp"

namespace relay::spool {

class Notices {
 public:
  Notices(Connection& connection, Tally& tally);

  /// A failure takes the place of a delay. Delays of a message whose sender was told of one are
  /// dropped.
  void owe(const mail::MessageId& id, std::uint16_t index, ports::Notify kind, base::WallTime now);

  /// The copy was delivered or dropped: nobody needs to hear of its delay.
  void cancel(const mail::MessageId& id, std::uint16_t index);

  /// The last copy has ended: what is owed is due. False: nothing is owed.
  bool message_ended(const mail::MessageId& id, base::WallTime now);

  bool are_owed(const mail::MessageId& id);

  /// By index.
  std::vector<std::pair<std::uint16_t, ports::Notify>> of(const mail::MessageId& id);

  /// Takes these away, and nothing when one of them is not there: false. What came meanwhile is due
  /// at `next`; but of delays once is enough.
  bool pay(const ports::Report& report, base::WallTime next);

  /// The message cannot be read: it is asked for again at `at`.
  void put_off(const mail::MessageId& id, base::WallTime at);

  /// The longest owed first. One that is due later than any can be was put off by a wrong clock.
  std::vector<mail::MessageId> due(base::WallTime now, std::size_t limit);
  std::optional<base::WallTime> next_due(base::WallTime now);

 private:
  bool delay_was_told(const mail::MessageId& id);
  bool is_owed(const mail::MessageId& id, std::uint16_t index, ports::Notify kind);
  void end_report_without_notices(const mail::MessageId& id, std::optional<base::WallTime> next);
  void collect(std::vector<mail::MessageId>& ids, Statement& statement, std::int64_t bound,
               std::size_t limit);

  Connection& connection_;
  Tally& tally_;
  Statement delay_told_, mark_delay_told_, insert_, insert_report_, select_, is_owed_, delete_;
  Statement delete_delays_, any_, report_known_, delete_report_, set_due_, hasten_, due_,
      due_too_late_, first_due_;
};

}  // namespace relay::spool
