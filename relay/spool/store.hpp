// The queue as SQL: every operation of the port as plain calls on one connection. Knows no threads,
// transactions begin and end outside.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "relay/ports/spool.hpp"
#include "relay/spool/greylist.hpp"
#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

struct TokenLimits {
  std::int64_t per_client = 1000;
  std::int64_t total = 1'000'000;
};

class Store {
 public:
  Store(Connection& connection, TokenLimits limits);

  // Writing; inside a transaction. All throw DatabaseError.
  void append(const mail::MessageId& id, std::uint32_t sequence, std::string_view octets);
  void discard(const mail::MessageId& id);
  /// Error TokenQuota or Unconfirmed: a limit is reached, nothing was written.
  std::expected<void, ports::SpoolError> insert(const ports::NewMessage& message);
  /// False: no such message.
  bool record(const ports::Update& update);
  std::uint64_t change(const ports::QueueFilter& filter, ports::QueueAction action,
                       base::WallTime now);
  std::uint64_t release(const std::vector<ports::AwaitingCopy>& copies, base::WallTime now);
  std::int64_t remove_drafts();  ///< chunks without message; at start
  /// A thousand at a time, the oldest first: a clock that is wrong for a while costs no more.
  void remove_expired_tokens(base::WallTime now);

  // Reading.
  std::optional<mail::QueuedMessage> load(const mail::MessageId& id);
  /// Error Corrupt when the stored octets are not those that were accepted.
  std::expected<std::string, ports::SpoolError> read(const mail::MessageId& id,
                                                     std::uint32_t sequence);
  std::vector<mail::QueueItem> due(base::WallTime until, std::optional<ports::QueueCursor> cursor,
                                   std::size_t limit);
  std::optional<base::WallTime> next_due(base::WallTime after);

  struct Accepted {
    mail::MessageId id;
    std::string client;
    std::string reverse_path;
    std::vector<std::string> forward_paths;
    std::string content_sha256;
  };

  /// The newest, at most limit. Ids begin with their time: no other index is needed.
  std::vector<Accepted> accepted_since(base::WallTime since, std::size_t limit);
  std::optional<mail::ReversePath> find_token(const std::string& token, base::WallTime now);
  std::vector<ports::QueueRow> list(const ports::QueueFilter& filter,
                                    std::optional<ports::QueueCursor> cursor, std::size_t limit);
  std::uint64_t awaiting(const std::vector<std::string>& addresses);
  std::vector<ports::AwaitingCopy> awaiting_copies(const std::optional<ports::AwaitingCopy>& after,
                                                   std::size_t limit);
  std::vector<ports::AttemptRow> attempts(const mail::MessageId& id);
  ports::QueueTotals totals();

  Greylist& greylist() { return greylist_; }

 private:
  bool tokens_fit(const std::vector<mail::SenderToken>& tokens);
  bool awaiting_fits(const ports::NewMessage& message);
  void insert_message(const ports::NewMessage& message);
  void insert_routes(const ports::NewMessage& message);
  void update_recipient(const mail::MessageId& id, const ports::RecipientUpdate& update);
  void keep_history(const mail::MessageId& id, const ports::RecipientUpdate& update);
  bool remove_if_done(const mail::MessageId& id);
  bool is_empty(const mail::MessageId& id);

  Connection& connection_;
  TokenLimits limits_;
  Greylist greylist_;
  Statement insert_message_, insert_chunk_, insert_recipient_, insert_token_, insert_attempt_;
  Statement update_recipient_, unfinished_, delete_message_, delete_chunks_, delete_recipients_;
  Statement delete_attempts_, select_message_, select_recipients_, select_chunk_, select_due_;
  Statement select_next_due_, select_token_, select_attempts_, token_count_, token_total_;
  Statement token_known_, count_awaiting_, list_rows_, totals_;
};

/// SHA-256, 32 octets.
std::string sha256(std::string_view octets);

/// SHA-256 over id, sequence and octets: a damaged index that leads to the content of another
/// message is found as well as a damaged octet (K-5).
std::string chunk_digest(const mail::MessageId& id, std::uint32_t sequence,
                         std::string_view octets);

}  // namespace relay::spool
