// The truth about every message and copy of a world, kept beside the queue and not by it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "relay/mail/message.hpp"
#include "relay/ports/delivery_queue.hpp"
#include "tests/simulation/verdicts.hpp"
#include "tests/simulation/world.hpp"

namespace relay::simulation {

/// In the key of a copy: the DSNs to the sender of that message, which share one address.
inline constexpr std::uint16_t kToSender = UINT16_MAX;

struct CopyTruth {
  enum class State : std::uint8_t {
    Arriving,  ///< its commit has not been answered
    Waiting,
    Held,
    Delivered,
    Failed,
    Refused,  ///< the commit failed: it must never leave
  };

  CopyName name;
  CopyName key;  ///< as servers see it: by the address
  std::size_t domain = 0;
  std::size_t group = 0;
  bool risk_pool = false;
  State state = State::Arriving;
  bool ended_by_operator = false;
  bool in_limbo = false;  ///< a verb has changed it, and has not been answered yet
  base::SteadyTime limbo_since;
  base::SteadyTime dot_ended_at;  ///< an outcome was recorded of what had its dot written
  bool outcome_unheard = false;   ///< … and the relay has not been told so yet
  std::uint32_t attempts = 0;
  unsigned taken = 0;           ///< by servers
  unsigned excused = 0;         ///< so often more than once
  bool dot_open = false;        ///< a dot was heard, and nothing was recorded since
  bool dot_taken = false;       ///< and the server took the message
  bool in_content = false;      ///< 354 was said, and no dot was heard: it may be on its way
  base::SteadyTime refused_at;  ///< or it did not, and says so then
  base::WallTime due;           ///< by the store's clock
  base::SteadyTime due_at;
  base::SteadyTime found_by;  ///< the relay, which was not told of it, may read it later than due
  base::SteadyTime waits_since;  ///< arrival, or release
  base::SteadyTime recorded_at;  ///< of the last attempt
  base::SteadyTime asked_from;   ///< of the one before: when the last but one began, at least
  bool all_turned = false;  ///< each host of that attempt ended so that the next is to be asked
};

/// A failure that has not been reported to the sender.
struct OwedNotice {
  std::uint16_t index = 0;
  base::SteadyTime since;
  std::ptrdiff_t owing = 0;  ///< messages that owed some by then, this one too
};

struct MessageTruth {
  std::uint32_t number = 0;
  mail::MessageId id;
  bool null_sender = false;
  bool may_be_told = false;  ///< its sender is to hear of failures
  std::optional<std::uint32_t> dsn_of;
  std::uint64_t body_hash = 0;
  bool committed = false;
  base::SteadyTime offered_at;  ///< after its commit; until then no other reader may begin with it
  std::vector<CopyTruth> copies;
  std::vector<std::string> aliases;  ///< by copy
  std::vector<OwedNotice> owed;
  base::SteadyTime copy_ended_at;            ///< the last that did
  std::vector<std::uint16_t> delayed;        ///< copies whose delay was noticed
  std::vector<std::uint16_t> delays_untold;  ///< … and nobody was told of it yet
  bool silence_untold =
      false;  ///< bounced by the operator: that nobody hears of it is not told yet
  std::optional<base::SteadyTime> reported_at;  ///< when its last DSN was written
  unsigned delay_notices = 0;
};

/// What the servers of a group have seen of the relay's connections.
struct HostTruth {
  base::SteadyTime asked_at = base::SteadyTime::min();
  base::SteadyTime took_at = base::SteadyTime::min();       ///< a message
  base::SteadyTime throttled_at = base::SteadyTime::min();  ///< it asked for a slower pace
  base::SteadyTime answered_at = base::SteadyTime::min();   ///< so that nobody else is asked
  std::size_t connections = 0;                              ///< that have not ended, or are tried
  base::SteadyTime left_at = base::SteadyTime::min();       ///< the last one ended
};

constexpr bool has_ended(CopyTruth::State state) {
  return state == CopyTruth::State::Delivered || state == CopyTruth::State::Failed;
}

class Book {
 public:
  explicit Book(const World& world);

  /// A message about to be committed, with the hash of its body. `dsn_of`: the message to whose
  /// sender this DSN goes.
  MessageTruth& add(const ports::NewMessage& message, std::uint32_t number,
                    std::optional<std::uint32_t> dsn_of, std::uint64_t body_hash);

  MessageTruth* find(const mail::MessageId& id);
  MessageTruth* find(std::string_view textual_id);
  CopyTruth* find(CopyName name);

  std::deque<MessageTruth>& messages() { return messages_; }

  const std::deque<MessageTruth>& messages() const { return messages_; }

  /// The next number for a DSN; they follow the numbers of the plan.
  std::uint32_t next_number() const { return static_cast<std::uint32_t>(messages_.size()); }

  /// Whether a failure of this copy must be reported to its sender.
  void owe(MessageTruth& message, std::uint16_t index, base::SteadyTime now);

  /// Messages with a failure that must be reported.
  std::ptrdiff_t owing() const;

  /// Copies with this key that may be under way.
  std::vector<CopyTruth*> with_key(CopyName key);

  std::optional<std::size_t> domain_named(std::string_view name) const;

  const World& world() const { return world_; }

  /// By domain: when it moved; max: it did not.
  std::vector<base::SteadyTime> moved_at;

  std::vector<HostTruth> hosts;

  const std::vector<std::string>& groups() const { return groups_; }

  std::size_t group_of_domain(std::size_t domain, bool risk_pool) const {
    return group_of_domain_[domain] * 2 + (risk_pool ? 1 : 0);
  }

  /// Whether the host may be asked for mail of this domain.
  bool usable(std::size_t domain, std::size_t host) const {
    return (usable_[domain] >> host & 1U) != 0;
  }

  std::uint64_t usable_mask(std::size_t domain) const { return usable_[domain]; }

  /// Whether it is one of the hosts that the domain has after it has moved.
  bool usable_later(std::size_t domain, std::size_t host) const {
    return std::ranges::find(world_.domains[domain].moves_to, host, &Exchange::host) !=
           world_.domains[domain].moves_to.end();
  }

  /// The group of a domain that moves; no other domain is in it.
  bool moves(std::size_t group) const { return moves_[group / 2]; }

  /// The group of a host that is in the list of a domain.
  std::uint16_t preference(std::size_t domain, std::size_t host) const;

  std::optional<std::size_t> host_named(std::string_view name) const;

 private:
  const World& world_;
  std::deque<MessageTruth> messages_;  ///< by number
  std::unordered_map<mail::MessageId, std::uint32_t> by_id_;
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> dsns_of_;
  std::unordered_map<std::string, std::size_t> by_domain_;
  std::vector<std::string> groups_;
  std::vector<std::size_t> group_of_domain_;
  std::vector<std::uint64_t> usable_;
  std::vector<bool> moves_;  ///< by group
};

// Addresses of a world name the message and copy that they belong to.

std::string recipient_address(const World& world, std::uint32_t message, std::uint16_t index,
                              const CopyPlan& copy);
std::string alias_address(std::uint32_t message, const CopyPlan& copy);
std::string hosted_domain(std::size_t target_domain);
std::string sender_address(const World& world, std::uint32_t message, std::size_t domain);
std::string rewritten_sender(std::uint32_t message, unsigned variant);

/// The copy of a recipient as servers see it; nullopt: no such address was ever made.
std::optional<CopyName> key_of(std::string_view address);

/// The message whose rewritten sender this is.
std::optional<std::uint32_t> message_of_sender(std::string_view address);

/// The N of "[rN]" in a reply's text; 0: there is none.
std::uint32_t reply_number(std::string_view text);

}  // namespace relay::simulation
