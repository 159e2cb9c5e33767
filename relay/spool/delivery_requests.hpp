// The queue as the delivery side sees it; each call is a request to the writer.
#pragma once

#include "relay/ports/delivery_queue.hpp"
#include "relay/spool/tables.hpp"
#include "relay/spool/writer.hpp"

namespace relay::spool {

/// Reads a chunk of content; error Corrupt if it is not what was accepted.
base::Task<std::expected<std::string, ports::SpoolError>> read_content(Writer& writer,
                                                                       Tables& tables,
                                                                       mail::MessageId id,
                                                                       std::uint32_t sequence);

class DeliveryRequests final : public ports::DeliveryQueue {
 public:
  DeliveryRequests(Writer& writer, Tables& tables) : writer_(writer), tables_(tables) {}

  base::WallTime now() const noexcept override { return writer_.now(); }

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

  bool poisoned() const noexcept override { return writer_.poisoned(); }

 private:
  ports::DuePage without_held(DueCopies::Listed listed);

  Writer& writer_;
  Tables& tables_;
};

}  // namespace relay::spool
