// Messages and their copies as rows: put in whole, taken out whole, and how many copies have not
// ended. Inside a transaction where it writes.
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

  /// All copies that are not held are due at `now`. A message that is there is not stored again.
  void insert(const ports::NewMessage& message, const ContentCut& cut, base::WallTime now);

  /// Takes everything of the message away but its notices. Copies that have not ended count as
  /// `open`: at most one, the last, which then need not be written before it goes.
  void remove(const mail::MessageId& id, std::optional<mail::RecipientState> open = std::nullopt);
  /// The same, by who knows its octets already.
  void remove_sized(const mail::MessageId& id, std::int64_t octets,
                    std::optional<mail::RecipientState> open);

  bool has_open(const mail::MessageId& id);

  /// The first copy other than `index` that has not ended.
  std::optional<std::int64_t> open_besides(const mail::MessageId& id, std::int64_t index);

  /// All copies before this one have ended. Ends are for good, so it is only ever too low.
  std::int64_t open_from(const mail::MessageId& id) const;
  /// Of several copies of a message, `index` is the first that has not ended.
  void open_begins_at(const mail::MessageId& id, std::int64_t index);

  /// A copy of the message is to be sent that was not open before.
  void opened_again(const mail::MessageId& id) { open_from_.erase(id); }

  void rolled_back() override { open_from_.clear(); }

 private:
  bool insert_message(const ports::NewMessage& message);
  void insert_copy(const mail::MessageId& id, const mail::Route& route, std::int64_t due);

  Connection& connection_;
  Contents& contents_;
  Tally& tally_;
  Statement known_, size_, insert_message_, insert_copy_, first_open_;
  Statement delete_copies_, delete_attempts_, delete_message_;
  /// Or each end of a copy would walk past all that ended before it.
  std::unordered_map<mail::MessageId, std::int64_t> open_from_;
};

}  // namespace relay::spool
