// The queue as the inbound side sees it, kept in memory for the test to look at. Not a queue: no
// copy becomes due or leaves.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "relay/ports/clock.hpp"
#include "relay/ports/consent_queue.hpp"
#include "relay/ports/greylist.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/ports/token_store.hpp"

namespace relay::inbound {

/// Keeps what was committed; fails where told to.
class RecordingQueue final : public ports::IntakeQueue {
 public:
  struct Stored {
    ports::NewMessage message;
    std::string content;  ///< chunks put together
    std::size_t chunks = 0;
  };

  base::Task<std::expected<void, ports::SpoolError>> append(mail::MessageId draft,
                                                            std::uint32_t sequence,
                                                            std::string chunk) override;
  void discard(mail::MessageId draft) noexcept override;
  base::Task<std::expected<ports::CommitProof, ports::SpoolError>> commit(
      ports::NewMessage message) override;

  /// Not asked by the inbound side.
  base::Task<std::expected<std::vector<ports::RememberedMessage>, ports::SpoolError>>
  accepted_within(std::chrono::milliseconds span, std::size_t limit) override;

  base::WallTime now() const noexcept override { return time; }

  bool poisoned() const noexcept override { return poison; }

  base::WallTime time{std::chrono::hours(9)};  ///< by its clock, which is not that of sessions
  std::vector<Stored> stored;
  std::map<mail::MessageId, std::string> drafts;
  int discarded = 0;
  std::function<void()> on_append;  ///< while a chunk is stored
  std::function<void()> on_commit;  ///< while a message becomes durable
  std::optional<ports::SpoolError> append_error, commit_error;
  bool poison = false;
};

struct RecordingTokens final : ports::TokenStore {
  base::Task<std::expected<mail::ReversePath, ports::SpoolError>> find(std::string token) override;

  base::Task<std::expected<bool, ports::SpoolError>> has_room(mail::SenderToken token) override {
    asked.push_back(std::move(token));
    co_return !is_full;
  }

  std::map<std::string, mail::ReversePath> senders;
  std::vector<mail::SenderToken> asked;  ///< for room
  bool is_full = false;
  std::optional<ports::SpoolError> error;
};

/// Answers from the messages that the queue was given.
class RecordingConsent final : public ports::ConsentQueue {
 public:
  explicit RecordingConsent(const RecordingQueue& queue) : queue_(queue) {}

  base::Task<std::expected<std::uint64_t, ports::SpoolError>> awaiting(
      std::vector<std::string> addresses) override;
  base::Task<std::expected<std::vector<ports::AwaitingCopy>, ports::SpoolError>> awaiting_copies(
      std::optional<ports::AwaitingCopy> after, std::size_t limit) override;
  base::Task<std::expected<std::uint64_t, ports::SpoolError>> release(
      std::vector<ports::AwaitingCopy> copies) override;

  std::vector<ports::AwaitingCopy> released;

 private:
  std::vector<ports::AwaitingCopy> waiting() const;

  const RecordingQueue& queue_;
};

/// Greylisting as in the store, but unbounded, and entries never expire.
class RecordingGreylist final : public ports::GreylistStore {
 public:
  explicit RecordingGreylist(const ports::Clock& clock) : clock_(clock) {}

  base::Task<std::expected<ports::GreylistAnswer, ports::SpoolError>> see(
      ports::GreylistKey key, ports::GreylistRules rules) override;

  std::size_t visitors() const { return visits_.size(); }

  std::optional<ports::SpoolError> error;

 private:
  struct Visit {
    base::WallTime at;
    std::uint32_t passes = 0;
  };

  const ports::Clock& clock_;
  std::map<std::string, Visit> visits_;
};

}  // namespace relay::inbound
