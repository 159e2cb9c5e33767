// A delivery queue that hands everything on to another. Who wants to break one call derives from
// it.
#pragma once

#include <utility>

#include "relay/ports/delivery_queue.hpp"

namespace relay::controls {

class PassingQueue : public ports::DeliveryQueue {
 public:
  template <class T>
  using Answer = base::Task<std::expected<T, ports::SpoolError>>;

  explicit PassingQueue(ports::DeliveryQueue& below) : below_(below) {}

  base::WallTime now() const noexcept override { return below_.now(); }

  Answer<mail::QueuedMessage> load(mail::MessageId id,
                                   std::vector<std::uint16_t> indices) override {
    return below_.load(id, std::move(indices));
  }

  Answer<std::string> read(mail::MessageId id, std::uint32_t sequence) override {
    return below_.read(id, sequence);
  }

  Answer<ports::RecordAnswer> record(ports::Update update) override {
    return below_.record(std::move(update));
  }

  Answer<void> hold_damaged(mail::MessageId id) override { return below_.hold_damaged(id); }

  Answer<ports::DuePage> due(std::optional<ports::DueCursor> after, std::size_t limit) override {
    return below_.due(std::move(after), limit);
  }

  Answer<ports::DuePage> due_in_lane(ports::LaneKey lane, std::optional<ports::DueCursor> after,
                                     std::size_t limit) override {
    return below_.due_in_lane(std::move(lane), std::move(after), limit);
  }

  Answer<std::vector<ports::WaitingLane>> waiting_lanes(std::optional<ports::LaneKey> after,
                                                        std::size_t limit) override {
    return below_.waiting_lanes(std::move(after), limit);
  }

  Answer<std::optional<std::chrono::milliseconds>> next_due_in() override {
    return below_.next_due_in();
  }

  Answer<std::size_t> undo_far_due_times(std::chrono::milliseconds longest,
                                         std::size_t limit) override {
    return below_.undo_far_due_times(longest, limit);
  }

  Answer<std::vector<mail::MessageId>> reports_due(std::size_t limit) override {
    return below_.reports_due(limit);
  }

  Answer<std::optional<std::chrono::milliseconds>> next_report_in() override {
    return below_.next_report_in();
  }

  Answer<ports::Notices> notices(mail::MessageId id) override { return below_.notices(id); }

  Answer<void> report(ports::Report report) override { return below_.report(std::move(report)); }

  bool poisoned() const noexcept override { return below_.poisoned(); }

 protected:
  ports::DeliveryQueue& below() const { return below_; }

 private:
  ports::DeliveryQueue& below_;
};

}  // namespace relay::controls
