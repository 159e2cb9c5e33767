// The operator's changes to copies. Inside a transaction.
#pragma once

#include <optional>
#include <string>

#include "relay/ports/queue_rows.hpp"
#include "relay/spool/fallbacks.hpp"
#include "relay/spool/message_reader.hpp"
#include "relay/spool/messages.hpp"
#include "relay/spool/notices.hpp"
#include "relay/spool/queue_walk.hpp"

namespace relay::spool {

class QueueChanges final : public Participant {
 public:
  QueueChanges(Connection& connection, const ports::Clock& clock, QueueWalk& walk,
               MessageReader& reader, Messages& messages, Notices& notices, Fallbacks& fallbacks,
               Tally& tally);

  /// Changes the next slice after `after`.
  ports::ChangedSlice change(const ports::QueueFilter& filter, ports::QueueAction action,
                             const std::string& reason, const std::optional<mail::CopyId>& after);

  // What a change makes dirty is written by the commit, whose time is known only then: slices get
  // smaller while transactions take too long, and grow again.
  void committed(bool on_disk) override;

  void rolled_back() override { began_at_.reset(); }

 private:
  static constexpr std::size_t kMostLookedAt = 1000;
  /// Each change makes some three pages of indexes dirty: this many keep the commit short. Holding
  /// makes none dirty (kHeldInPlace in rows.hpp), so kMostLookedAt limits it.
  static constexpr std::size_t kMostChanged = 100;
  static constexpr std::chrono::milliseconds kLongest{20};  ///< of a transaction with a slice
  /// Not more: if the sync alone takes that long, smaller slices do not help.
  static constexpr unsigned kMostHalvings = 2;

  /// The action changes the copy, or must report it as held before.
  static bool is_meant(ports::QueueAction action, const QueueWalk::Found& copy);
  static bool applies(ports::QueueAction action, const QueueWalk::Found& copy);
  void apply(const QueueWalk::Found& copy, ports::QueueAction action, const std::string& reason,
             base::WallTime now);
  void retry(const QueueWalk::Found& copy, base::WallTime now);
  void hold(const QueueWalk::Found& copy);
  void release(const QueueWalk::Found& copy, base::WallTime now);
  void drop(const QueueWalk::Found& copy, const std::string& reason, base::WallTime now);
  void bounce(const QueueWalk::Found& copy, const std::string& reason, base::WallTime now);
  void end(const QueueWalk::Found& copy, mail::End end, const std::string& reason,
           base::WallTime now);
  /// A copy of the group ended without failing: the fallback does not take over for it.
  void settle_group(const mail::MessageId& id, std::int64_t group, base::WallTime now);
  bool can_be_told(const mail::CopyId& copy);

  const ports::Clock& clock_;
  QueueWalk& walk_;
  MessageReader& reader_;
  Messages& messages_;
  Notices& notices_;
  Fallbacks& fallbacks_;
  Tally& tally_;
  Statement set_due_, outdate_, hold_in_place_, await_no_more_, release_, end_;
  std::optional<base::SteadyTime> began_at_;  ///< the slice of this transaction
  unsigned halvings_ = 0;                     ///< of the size of slices
};

}  // namespace relay::spool
