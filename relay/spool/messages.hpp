// Messages and their copies as rows: inserted and removed as a whole, and which copies are open.
// Writing functions run inside a transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "relay/spool/contents.hpp"
#include "relay/spool/tally.hpp"

namespace relay::spool {

class Messages final : public Participant {
 public:
  Messages(Connection& connection, Contents& contents, Tally& tally);

  bool is_known(const mail::MessageId& id);

  /// Received at `now`, and due then unless a copy is held. False: the message is stored already,
  /// and left as it is.
  bool insert(const ports::NewMessage& message, const ContentCut& cut, base::WallTime now);

  /// Removes the message except for its notices. `open`: the state of its one copy that had not
  /// ended, which then need not be updated first.
  void remove(const mail::MessageId& id, std::optional<mail::RecipientState> open = std::nullopt);
  /// The same if the size is known already.
  void remove_sized(const mail::MessageId& id, std::int64_t octets,
                    std::optional<mail::RecipientState> open);

  bool has_open(const mail::MessageId& id);

  /// The first copy other than `index` that has not ended.
  std::optional<std::int64_t> open_besides(const mail::MessageId& id, std::int64_t index);

  /// All copies before this index have ended. Ends are permanent, so the value may be too low,
  /// never too high.
  std::int64_t open_from(const mail::MessageId& id) const;
  /// `index` is the first copy of the message that has not ended.
  void open_begins_at(const mail::MessageId& id, std::int64_t index);

  /// A copy that stood by, or had ended, is open from here on.
  void opened_again(const mail::MessageId& id) { open_from_.erase(id); }

  void rolled_back() override { open_from_.clear(); }

 private:
  bool insert_message(const ports::NewMessage& message, base::WallTime now);
  void insert_copy(const mail::MessageId& id, const mail::Route& route, std::int64_t due);

  Connection& connection_;
  Contents& contents_;
  Tally& tally_;
  Statement known_, size_, insert_message_, insert_copy_, first_open_;
  Statement delete_copies_, delete_attempts_, delete_message_;
  /// Cache of open_from(): without it each end of a copy would scan all that ended before.
  std::unordered_map<mail::MessageId, std::int64_t> open_from_;
};

}  // namespace relay::spool
