// MemorySpool for the delivery side.
#pragma once

#include "tests/fakes/memory_core.hpp"

namespace relay::fakes {

class MemoryDelivery final : public ports::DeliveryQueue {
 public:
  explicit MemoryDelivery(MemoryCore& core) : core_(core) {}

  base::WallTime now() const noexcept override { return core_.now(); }

  base::Task<std::expected<mail::QueuedMessage, ports::SpoolError>> load(
      mail::MessageId id, std::vector<std::uint16_t> indices) override;
  base::Task<std::expected<std::string, ports::SpoolError>> read(mail::MessageId id,
                                                                 std::uint32_t sequence) override;
  base::Task<std::expected<ports::RecordAnswer, ports::SpoolError>> record(
      ports::Update update) override;
  base::Task<std::expected<void, ports::SpoolError>> hold_damaged(mail::MessageId id) override;
  base::Task<std::expected<ports::DuePage, ports::SpoolError>> due(
      std::optional<ports::DueCursor> after, std::size_t limit) override;
  base::Task<std::expected<ports::DuePage, ports::SpoolError>> due_in_lane(
      ports::LaneKey lane, std::optional<ports::DueCursor> after, std::size_t limit) override;
  base::Task<std::expected<std::vector<ports::WaitingLane>, ports::SpoolError>> waiting_lanes(
      std::optional<ports::LaneKey> after, std::size_t limit) override;
  base::Task<std::expected<std::optional<std::chrono::milliseconds>, ports::SpoolError>>
  next_due_in() override;
  base::Task<std::expected<std::size_t, ports::SpoolError>> undo_far_due_times(
      std::chrono::milliseconds longest, std::size_t limit) override;
  base::Task<std::expected<std::vector<mail::MessageId>, ports::SpoolError>> reports_due(
      std::size_t limit) override;
  base::Task<std::expected<std::optional<std::chrono::milliseconds>, ports::SpoolError>>
  next_report_in() override;
  base::Task<std::expected<ports::Notices, ports::SpoolError>> notices(mail::MessageId id) override;
  base::Task<std::expected<void, ports::SpoolError>> report(ports::Report report) override;

  bool poisoned() const noexcept override { return core_.poisoned; }

 private:
  ports::DuePage due_of(const std::set<MemoryMessages::DueKey>& keys,
                        const std::optional<ports::DueCursor>& after, std::size_t limit);

  MemoryCore& core_;
};

/// Content chunk `sequence`; "" behind the last.
std::expected<std::string, ports::SpoolError> content_of(MemoryCore& core, mail::MessageId id,
                                                         std::uint32_t sequence);

}  // namespace relay::fakes
