// A queue in memory, for tests of those who use one. Passes the same contract test as SqliteSpool.
// Can fail at a chosen call; a commit that fails leaves nothing.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "relay/ports/spool.hpp"

namespace relay::fakes {

class MemorySpool final : public ports::Spool {
 public:
  explicit MemorySpool(std::size_t max_greylist_rows = 1'000'000)
      : max_greylist_rows_(max_greylist_rows) {}

  /// The n-th writing call from now (1: the next) fails with `error`; Poisoned stays.
  void fail_write(int n, ports::SpoolError error);

  std::size_t messages() const;
  std::size_t drafts() const;
  std::size_t greylist_rows() const;
  std::vector<ports::Update> updates() const;  ///< everything recorded, in order

  base::Task<std::expected<void, ports::SpoolError>> append(mail::MessageId draft,
                                                            std::uint32_t sequence,
                                                            std::string chunk) override;
  void discard(mail::MessageId draft) noexcept override;
  base::Task<std::expected<ports::CommitProof, ports::SpoolError>> commit(
      ports::NewMessage message) override;
  base::Task<std::expected<mail::QueuedMessage, ports::SpoolError>> load(
      mail::MessageId id) override;
  base::Task<std::expected<std::string, ports::SpoolError>> read(mail::MessageId id,
                                                                 std::uint32_t sequence) override;
  base::Task<std::expected<void, ports::SpoolError>> record(ports::Update update) override;
  base::Task<std::expected<std::vector<mail::QueueItem>, ports::SpoolError>> due(
      base::WallTime until, std::optional<ports::QueueCursor> cursor, std::size_t limit) override;
  base::Task<std::expected<std::optional<base::WallTime>, ports::SpoolError>> next_due(
      base::WallTime after) override;
  base::Task<std::expected<mail::ReversePath, ports::SpoolError>> find_token(
      std::string token, base::WallTime now) override;
  base::Task<std::expected<std::vector<ports::RememberedMessage>, ports::SpoolError>>
  accepted_since(base::WallTime since, std::size_t limit) override;
  base::Task<std::expected<ports::GreylistAnswer, ports::SpoolError>> greylist(
      ports::GreylistKey key, ports::GreylistRules rules, base::WallTime now) override;
  base::Task<std::expected<std::uint64_t, ports::SpoolError>> awaiting(
      std::vector<std::string> addresses) override;
  base::Task<std::expected<std::vector<ports::AwaitingCopy>, ports::SpoolError>> awaiting_copies(
      std::optional<ports::AwaitingCopy> after, std::size_t limit) override;
  base::Task<std::expected<std::uint64_t, ports::SpoolError>> release(
      std::vector<ports::AwaitingCopy> copies, base::WallTime now) override;
  base::Task<std::expected<std::vector<ports::QueueRow>, ports::SpoolError>> list(
      ports::QueueFilter filter, std::optional<ports::QueueCursor> cursor,
      std::size_t limit) override;
  base::Task<std::expected<std::vector<ports::AttemptRow>, ports::SpoolError>> attempts(
      mail::MessageId id) override;
  base::Task<std::expected<std::uint64_t, ports::SpoolError>> change(ports::QueueFilter filter,
                                                                     ports::QueueAction action,
                                                                     base::WallTime now) override;
  base::Task<std::expected<ports::QueueTotals, ports::SpoolError>> totals() override;

  bool poisoned() const noexcept override { return poisoned_; }

  static constexpr std::size_t kTokensPerClient = 1000;

 private:
  struct Stored {
    mail::QueuedMessage queued;
    std::vector<ports::AttemptRow> history;
    std::string content_sha256;
  };

  struct Visitor {
    base::WallTime at;
    base::WallTime expires;
    std::uint32_t passes = 0;
  };

  std::optional<ports::SpoolError> failure();
  /// A visitor as the list knows him at `now`.
  std::optional<Visitor> visitor(const std::string& key, base::WallTime now);
  void keep(const std::string& key, Visitor visitor);
  std::expected<void, ports::SpoolError> store(const ports::NewMessage& message);
  std::uint64_t count_awaiting(const std::string& address) const;
  void remove_if_done(const mail::MessageId& id);
  std::vector<ports::QueueRow> rows(const ports::QueueFilter& filter) const;

  mutable std::mutex mutex_;
  std::map<mail::MessageId, Stored> messages_;
  std::map<mail::MessageId, std::map<std::uint32_t, std::string>> chunks_;
  std::map<std::string, mail::SenderToken> tokens_;
  std::vector<ports::Update> updates_;
  std::map<std::string, Visitor> greylist_;
  const std::size_t max_greylist_rows_;
  int fail_at_ = 0;
  ports::SpoolError fail_with_ = ports::SpoolError::Full;
  bool poisoned_ = false;
};

}  // namespace relay::fakes
