// MemorySpool for the operator, and for targets that consent.
#pragma once

#include "relay/ports/queue_filter.hpp"
#include "tests/fakes/memory_core.hpp"

namespace relay::fakes {

class MemoryOperator final : public ports::OperatorQueue {
 public:
  explicit MemoryOperator(MemoryCore& core) : core_(core) {}

  base::WallTime now() const noexcept override { return core_.now(); }

  base::Task<std::expected<ports::QueuePage, ports::SpoolError>> list(
      ports::QueueFilter filter, std::optional<mail::CopyId> after, std::size_t limit) override;
  base::Task<std::expected<std::vector<ports::QueueRow>, ports::SpoolError>> copies(
      mail::MessageId id) override;
  base::Task<std::expected<std::vector<ports::AttemptRow>, ports::SpoolError>> attempts(
      mail::MessageId id) override;
  base::Task<std::expected<std::string, ports::SpoolError>> read(mail::MessageId id,
                                                                 std::uint32_t sequence) override;
  base::Task<std::expected<ports::ChangedSlice, ports::SpoolError>> change(
      ports::QueueFilter filter, ports::QueueAction action, std::string reason,
      std::optional<mail::CopyId> after) override;
  base::Task<std::expected<ports::QueueTotals, ports::SpoolError>> totals() override;
  base::Task<std::expected<ports::PauseRule, ports::SpoolError>> pause(
      ports::PauseRule::Kind kind, std::string value, std::string reason,
      std::optional<std::chrono::milliseconds> span) override;
  base::Task<std::expected<bool, ports::SpoolError>> resume(ports::PauseRule::Kind kind,
                                                            std::string value) override;
  base::Task<std::expected<std::vector<ports::PauseRule>, ports::SpoolError>> pauses() override;

 private:
  /// Calls `visit` with each selected copy that has not ended, until it says false or `most` copies
  /// were looked at.
  std::optional<mail::CopyId> each(
      const ports::QueueFilter& filter, const std::optional<mail::CopyId>& after, std::size_t most,
      const std::function<bool(const MemoryMessage&, const MemoryCopy&)>& visit);

  MemoryCore& core_;
};

class MemoryConsent final : public ports::ConsentQueue {
 public:
  explicit MemoryConsent(MemoryCore& core) : core_(core) {}

  base::Task<std::expected<std::uint64_t, ports::SpoolError>> awaiting(
      std::vector<std::string> addresses) override;
  base::Task<std::expected<std::vector<ports::AwaitingCopy>, ports::SpoolError>> awaiting_copies(
      std::optional<ports::AwaitingCopy> after, std::size_t limit) override;
  base::Task<std::expected<std::uint64_t, ports::SpoolError>> release(
      std::vector<ports::AwaitingCopy> copies) override;

 private:
  MemoryCore& core_;
};

}  // namespace relay::fakes
