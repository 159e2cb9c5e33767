// The queue as seen by the side that puts messages in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {

/// Content is stored in chunks of this many octets; the last may be shorter.
inline constexpr std::size_t kChunkOctets = 256UL * 1024;

/// Proof that a message is on stable storage. Only a queue can make one, and the 250 after DATA
/// cannot be built without it, so a false promise does not compile (guarantee "Accepted means on
/// disk").
class CommitProof {
 public:
  const mail::MessageId& id() const { return id_; }

 private:
  friend class IntakeQueue;

  explicit CommitProof(mail::MessageId id) : id_(id) {}

  mail::MessageId id_;
};

/// A message to make durable. It is received, and its copies that are not held are due, at the time
/// of the commit by the store's clock.
struct NewMessage {
  mail::AcceptedMessage message;
  std::vector<mail::Route> routes;
  std::vector<mail::SenderToken> tokens;
  /// The content after what append() has taken, of any length: the queue divides it into chunks.
  std::string content;
  std::string content_sha256;               ///< 32 octets, over the whole original content
  std::string resend_key;                   ///< how it is known when sent again; "": never
  std::uint64_t max_awaiting = UINT64_MAX;  ///< copies, with these, that may await one address
  bool owes_notices = false;                ///< the sender gets a DSN for copies refused on entry
};

/// A message accepted before, and its NewMessage::resend_key.
struct RememberedMessage {
  CommitProof proof;
  std::string resend_key;
};

/// So many of the newest messages with a resend key are remembered, at least.
inline constexpr std::size_t kMostRemembered = 20'000;

/// Implementations pass tests/spool/intake_contract_test.cpp. Calls may come from any shard, and
/// resume their caller there.
class IntakeQueue {
 public:
  virtual ~IntakeQueue() = default;

  /// The current time of the store's clock. Never waits.
  virtual base::WallTime now() const noexcept = 0;

  /// Stores the next chunk (exactly kChunkOctets) of a message that is still being received. It is
  /// neither durable nor in the queue before commit(); unfinished drafts vanish on restart. The
  /// same chunk may be given again.
  virtual base::Task<std::expected<void, SpoolError>> append(mail::MessageId draft,
                                                             std::uint32_t sequence,
                                                             std::string chunk) = 0;

  /// Forgets a draft. Never fails and never waits.
  virtual void discard(mail::MessageId draft) noexcept = 0;

  /// Makes message, routes, tokens and content durable together. After an error nothing of it is
  /// stored, except that after Unknown it may be. May be repeated: a message whose id exists is not
  /// stored again.
  virtual base::Task<std::expected<CommitProof, SpoolError>> commit(NewMessage message) = 0;

  /// Messages with a resend key that were committed within the last `span`, by the store's clock,
  /// those included that have left the queue; at most `limit` are looked at, the newest first.
  virtual base::Task<std::expected<std::vector<RememberedMessage>, SpoolError>> accepted_within(
      std::chrono::milliseconds span, std::size_t limit) = 0;

  /// True once Poisoned was returned.
  virtual bool poisoned() const noexcept = 0;

 protected:
  /// For implementations only, once the transaction is on stable storage.
  static CommitProof proof_of(mail::MessageId id) { return CommitProof(id); }
};

}  // namespace relay::ports
