// The queue as the operator sees it; each call is a request to the writer.
#pragma once

#include "relay/ports/operator_queue.hpp"
#include "relay/spool/tables.hpp"
#include "relay/spool/writer.hpp"

namespace relay::spool {

class OperatorRequests final : public ports::OperatorQueue {
 public:
  OperatorRequests(Writer& writer, Tables& tables) : writer_(writer), tables_(tables) {}

  base::WallTime now() const noexcept override { return writer_.now(); }

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
  Writer& writer_;
  Tables& tables_;
};

}  // namespace relay::spool
