// The rows of MemorySpool: messages and their copies, with everything that listings go by kept in
// order, so that no call looks at more than it answers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "relay/ports/consent_queue.hpp"
#include "relay/ports/delivery_queue.hpp"
#include "relay/ports/operator_queue.hpp"

namespace relay::fakes {

struct MemoryCopy {
  mail::QueuedRecipient row;
  std::string alias;  ///< as text
  std::string target;
  ports::LaneKey lane;
  bool untold = false;  ///< failed, and a fallback may still take over
};

struct MemoryMessage {
  mail::AcceptedMessage message;
  base::WallTime received_at;
  std::vector<std::string> chunks;
  std::vector<MemoryCopy> copies;  ///< by index
  std::size_t open = 0;            ///< copies that have not ended
  std::vector<ports::AttemptRow> history;
  std::map<std::uint16_t, ports::Notify> notices;
  std::optional<base::WallTime> report_due;
  bool delay_told = false;
  bool rows_damaged = false;
  std::uint32_t damaged_from = UINT32_MAX;  ///< the first chunk that cannot be read

  /// nullptr: there is none.
  MemoryCopy* copy(std::uint16_t index);
};

class MemoryMessages {
 public:
  using DueKey = std::pair<base::WallTime, mail::CopyId>;
  using All = std::map<mail::MessageId, MemoryMessage>;

  const All& all() const { return all_; }

  /// nullptr: it is gone.
  MemoryMessage* find(const mail::MessageId& id);

  void insert(const ports::NewMessage& message, std::vector<std::string> chunks,
              base::WallTime now);

  /// Every change of state, due time or consent goes through here.
  void change(MemoryMessage& message, MemoryCopy& copy,
              const std::function<void(mail::QueuedRecipient&)>& how);

  /// Takes the message away when all its copies have ended and nothing is owed for it. True: the
  /// copies have.
  bool settle(const mail::MessageId& id, base::WallTime now);

  void owe(MemoryMessage& message, std::uint16_t index, ports::Notify kind, base::WallTime now);
  void cancel(MemoryMessage& message, std::uint16_t index);
  void set_report_due(MemoryMessage& message, std::optional<base::WallTime> at);

  /// Cuts what is left of the content behind `appended` chunks; nullopt: size and content do not
  /// belong together.
  static std::optional<std::vector<std::string>> cut(const ports::NewMessage& message);

  const std::set<DueKey>& waiting() const { return waiting_; }

  const std::map<ports::LaneKey, std::set<DueKey>>& lanes() const { return lanes_; }

  const std::set<std::pair<base::WallTime, mail::MessageId>>& reports() const { return reports_; }

  /// (awaits, copy)
  const std::set<std::pair<std::string, mail::CopyId>>& awaiting() const { return awaiting_; }

  std::uint64_t awaiting(const std::string& address) const;

  ports::QueueTotals totals() const;

 private:
  void list(const MemoryMessage& message, const MemoryCopy& copy);
  void unlist(const MemoryMessage& message, const MemoryCopy& copy);

  All all_;
  std::set<DueKey> waiting_;
  std::map<ports::LaneKey, std::set<DueKey>> lanes_;
  std::set<std::pair<base::WallTime, mail::MessageId>> reports_;
  std::set<std::pair<std::string, mail::CopyId>> awaiting_;
  std::map<std::string, std::uint64_t> awaiting_each_;
  std::uint64_t held_ = 0;
  std::uint64_t octets_ = 0;
};

}  // namespace relay::fakes
