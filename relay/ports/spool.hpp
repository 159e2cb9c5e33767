#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/greylist.hpp"

namespace relay::ports {

enum class SpoolError {
  Full,         ///< disk or quota: 452, keep what is there
  TokenQuota,   ///< the client has too many stored senders: 452
  Unconfirmed,  ///< enough copies wait for the consent of a target: 450
  Poisoned,     ///< an I/O error was seen; nothing can be promised any more: 421, then exit
  NotFound,
  Corrupt,  ///< stored length or hash does not match: hold, never send (K-5)
  Stopping,
};

std::string_view describe(SpoolError error);

/// Proof that a message is on stable storage. Only a Spool can make one, and the 250 after DATA
/// cannot be built without one (rule P-15).
class CommitProof {
 public:
  const mail::MessageId& id() const { return id_; }

 private:
  friend class Spool;

  explicit CommitProof(mail::MessageId id) : id_(id) {}

  mail::MessageId id_;
};

/// A message ready to be made durable.
struct NewMessage {
  mail::AcceptedMessage message;
  std::vector<mail::Route> routes;
  std::vector<mail::SenderToken> tokens;
  std::string last_chunk;      ///< content after what append() took; a small message whole
  std::string content_sha256;  ///< 32 octets, over the whole original content
  base::WallTime first_due;    ///< normally received_at
  std::uint64_t max_awaiting = UINT64_MAX;  ///< copies that may wait for one address, this included
};

/// A message accepted before, as far as it takes to know it again.
struct RememberedMessage {
  CommitProof proof;
  std::string client;                      ///< textual IP
  std::string reverse_path;                ///< without brackets
  std::vector<std::string> forward_paths;  ///< as the client gave them, in order
  std::string content_sha256;              ///< 32 octets
};

/// What an attempt changed about one copy.
struct RecipientUpdate {
  std::uint16_t index = 0;
  mail::RecipientState state = mail::RecipientState::Waiting;
  std::uint32_t attempts = 0;
  base::WallTime next_due;
  bool warned = false;
  bool possible_duplicate = false;
  mail::DeliveryAttempt attempt;
};

/// Outcome of an attempt, with the DSNs it causes: one transaction, so never neither, never two
/// (C9).
struct Update {
  mail::MessageId id;
  std::vector<RecipientUpdate> recipients;
  std::vector<NewMessage> bounces;  ///< delay notices, too
};

struct AttemptRow {
  std::uint16_t index = 0;
  mail::DeliveryAttempt attempt;
};

/// Where a listing goes on: pass the last row's key.
struct QueueCursor {
  base::WallTime next_due;
  mail::MessageId id;
  std::uint16_t index = 0;
};

/// What an operator selects (operator.md §2 FILTER); all given parts must match.
struct QueueFilter {
  std::optional<mail::MessageId> id;
  std::string id_prefix;  ///< textual ULID prefix
  std::string target;     ///< substring of the target or alias address, folded
  std::string sender;     ///< substring of the original reverse-path, folded
  std::optional<mail::RecipientState> state;
};

/// A copy that waits for the consent of its target.
struct AwaitingCopy {
  std::string awaits;  ///< mail::Route::awaits
  mail::MessageId id;
  std::uint16_t index = 0;
  mail::Mailbox target;
};

enum class QueueAction { Retry, Hold, Release, Drop };

struct QueueRow {
  mail::AcceptedMessage message;
  mail::QueuedRecipient recipient;
};

struct QueueTotals {
  std::uint64_t messages = 0;
  std::uint64_t waiting = 0;  ///< copies
  std::uint64_t held = 0;
  std::uint64_t bytes = 0;
};

/// The durable queue. All calls may come from any shard; each resumes its caller there.
/// Implementations: SqliteSpool, MemorySpool (tests); one contract test for both.
class Spool {
 public:
  virtual ~Spool() = default;

  /// Content is read and appended in chunks of this many octets; the last may be shorter.
  static constexpr std::size_t kChunkOctets = 256UL * 1024;

  /// Stores the next chunk (exactly kChunkOctets) of a message that is still coming in. Not
  /// durable and not part of the queue until commit(); unfinished drafts vanish on restart.
  virtual base::Task<std::expected<void, SpoolError>> append(mail::MessageId draft,
                                                             std::uint32_t sequence,
                                                             std::string chunk) = 0;

  /// Forgets a draft. Never fails, needs no waiting.
  virtual void discard(mail::MessageId draft) noexcept = 0;

  /// Makes message, routes, tokens and content durable together. On an error nothing of it stays.
  virtual base::Task<std::expected<CommitProof, SpoolError>> commit(NewMessage message) = 0;

  virtual base::Task<std::expected<mail::QueuedMessage, SpoolError>> load(mail::MessageId id) = 0;

  /// Content chunk `sequence`; "" behind the last.
  virtual base::Task<std::expected<std::string, SpoolError>> read(mail::MessageId id,
                                                                  std::uint32_t sequence) = 0;

  /// Records outcomes. When every copy of the message is final, the message is removed.
  virtual base::Task<std::expected<void, SpoolError>> record(Update update) = 0;

  /// Waiting copies with next_due <= until, after `cursor`, by (next_due, id, index), at most
  /// limit.
  virtual base::Task<std::expected<std::vector<mail::QueueItem>, SpoolError>> due(
      base::WallTime until, std::optional<QueueCursor> cursor, std::size_t limit) = 0;

  /// The earliest next_due of a waiting copy later than `after`.
  virtual base::Task<std::expected<std::optional<base::WallTime>, SpoolError>> next_due(
      base::WallTime after) = 0;

  /// The sender behind a token; NotFound when unknown or expired at `now`.
  virtual base::Task<std::expected<mail::ReversePath, SpoolError>> find_token(
      std::string token, base::WallTime now) = 0;

  /// Messages still in the queue that were accepted at `since` or later; the newest, at most limit.
  virtual base::Task<std::expected<std::vector<RememberedMessage>, SpoolError>> accepted_since(
      base::WallTime since, std::size_t limit) = 0;

  /// Notes a visit and says whether it is welcome. Goes to the disk with what is committed next: a
  /// visit forgotten in a power cut costs a delay, a sync for each would cost more.
  virtual base::Task<std::expected<GreylistAnswer, SpoolError>> greylist(GreylistKey key,
                                                                         GreylistRules rules,
                                                                         base::WallTime now) = 0;

  /// Copies that wait for the consent of one of these addresses: of the one with the most.
  virtual base::Task<std::expected<std::uint64_t, SpoolError>> awaiting(
      std::vector<std::string> addresses) = 0;

  /// Copies that wait for anybody's consent, after `after`, by (awaits, id, index), at most limit.
  virtual base::Task<std::expected<std::vector<AwaitingCopy>, SpoolError>> awaiting_copies(
      std::optional<AwaitingCopy> after, std::size_t limit) = 0;

  /// Lets those of the copies go that still wait for consent; returns how many.
  virtual base::Task<std::expected<std::uint64_t, SpoolError>> release(
      std::vector<AwaitingCopy> copies, base::WallTime now) = 0;

  // For the operator. Whatever he does with a copy, it waits for nobody's consent any more.
  virtual base::Task<std::expected<std::vector<QueueRow>, SpoolError>> list(
      QueueFilter filter, std::optional<QueueCursor> cursor, std::size_t limit) = 0;
  virtual base::Task<std::expected<std::vector<AttemptRow>, SpoolError>> attempts(
      mail::MessageId id) = 0;
  /// Applies the action to every matching copy; returns how many changed. Drop removes without DSN.
  virtual base::Task<std::expected<std::uint64_t, SpoolError>> change(QueueFilter filter,
                                                                      QueueAction action,
                                                                      base::WallTime now) = 0;
  virtual base::Task<std::expected<QueueTotals, SpoolError>> totals() = 0;

  /// True once Poisoned was seen: deliveries must not send another dot (reliability.md §2.3).
  virtual bool poisoned() const noexcept = 0;

 protected:
  /// For implementations only, after the transaction is on stable storage.
  static CommitProof proof_of(mail::MessageId id) { return CommitProof(id); }
};

}  // namespace relay::ports
