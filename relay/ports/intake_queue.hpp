// The queue as seen by the side that puts messages in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/ports/commit_proof.hpp"
#include "relay/ports/content_chunk.hpp"
#include "relay/ports/new_message.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {

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
