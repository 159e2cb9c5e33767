// The queue as SQL: every operation of the port as plain calls on one connection. Knows no threads,
// transactions begin and end outside.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "relay/ports/spool.hpp"
#include "relay/spool/content_file.hpp"
#include "relay/spool/greylist.hpp"
#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

struct TokenLimits {
  std::int64_t per_client = 1000;
  std::int64_t total = 1'000'000;
};

/// A piece of content and its chunk_digest(): made by callers, on their own threads, for the one
/// that writes to the disk has enough to do.
struct Chunk {
  std::string_view octets;
  std::string_view digest;
};

struct StoredChunk {
  std::string octets;
  std::string digest;
};

/// XXH3-128 of the octets, seeded with id and sequence: a damaged index that leads to the content
/// of another message is found as well as a damaged octet (K-5). It finds accidents; who can write
/// the queue on purpose could write any digest (ADR 23).
std::string chunk_digest(const mail::MessageId& id, std::uint32_t sequence,
                         std::string_view octets);

/// The place of last_chunk, or the one behind the end when it is empty.
std::uint32_t last_sequence(const ports::NewMessage& message);

/// The digest of last_chunk at its place; "" when there is none.
std::string last_chunk_digest(const ports::NewMessage& message);

/// Whether the chunk is what was accepted (K-5). The end of the content, without octets, is.
bool is_sound(const mail::MessageId& id, std::uint32_t sequence, const StoredChunk& chunk);

class Store {
 public:
  Store(Connection& connection, ContentFile& content, TokenLimits limits);

  // Writing; inside a transaction. All throw DatabaseError.
  /// The next chunk of a message that is not accepted yet; the first, number 0, makes it a draft.
  void append(const mail::MessageId& id, std::uint32_t sequence, const Chunk& chunk);
  void discard(const mail::MessageId& id);
  /// Error TokenQuota or Unconfirmed: a limit is reached, nothing was written.
  /// `digest` is that of last_chunk at its place: chunk_digest(), "" when there is none.
  std::expected<void, ports::SpoolError> insert(const ports::NewMessage& message,
                                                std::string_view digest);
  /// False: no such message.
  bool record(const ports::Update& update);
  std::uint64_t change(const ports::QueueFilter& filter, ports::QueueAction action,
                       base::WallTime now);
  std::uint64_t release(const std::vector<ports::AwaitingCopy>& copies, base::WallTime now);
  std::int64_t remove_drafts();  ///< those of a process that is gone: at start; how many
  void adopt_slots();            ///< at start, after that
  /// A thousand at a time, the oldest first: a clock that is wrong for a while costs no more.
  void remove_expired_tokens(base::WallTime now);

  // The end of the transaction.
  void committed(bool on_disk) { content_.committed(on_disk); }

  void rolled_back();

  // Reading.
  std::optional<mail::QueuedMessage> load(const mail::MessageId& id);
  /// The octets are what the disk gave: is_sound() tells whether they are those that were accepted.
  /// No octets: the content ends before. Error Corrupt when a chunk is missing.
  std::expected<StoredChunk, ports::SpoolError> read(const mail::MessageId& id,
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
  void insert_chunk(const mail::MessageId& id, std::uint32_t sequence, const Chunk& chunk);
  void insert_message(const ports::NewMessage& message, std::string_view digest);
  void give_up_slots(const mail::MessageId& id);
  void insert_routes(const ports::NewMessage& message);
  void update_recipient(const mail::MessageId& id, const ports::RecipientUpdate& update);
  void keep_history(const mail::MessageId& id, const ports::RecipientUpdate& update);
  bool is_last(const ports::Update& update);
  bool remove_if_done(const mail::MessageId& id);
  void remove(const mail::MessageId& id);
  bool is_empty(const mail::MessageId& id);

  Connection& connection_;
  ContentFile& content_;
  TokenLimits limits_;
  Greylist greylist_;
  Statement insert_message_, insert_chunk_, insert_recipient_, insert_token_, insert_attempt_;
  Statement update_recipient_, unfinished_, delete_message_, delete_chunks_, delete_recipients_;
  Statement delete_attempts_, select_message_, select_recipients_, select_chunk_, select_due_;
  Statement select_next_due_, select_token_, select_attempts_, token_count_, token_total_;
  Statement token_known_, count_awaiting_, list_rows_, totals_, message_known_, another_unfinished_;
  Statement insert_draft_, delete_draft_, insert_slot_, delete_slots_, select_slot_;
};

}  // namespace relay::spool
