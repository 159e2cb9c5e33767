// Stands between the operator's desk and the rest of a world, so that the judge hears of each verb
// when the store has done it, and of each answer when it is given.
#pragma once

#include <vector>

#include "relay/ports/delivery_control.hpp"
#include "relay/ports/operator_queue.hpp"
#include "tests/simulation/judge.hpp"
#include "tests/simulation/watched_queue.hpp"

namespace relay::simulation {

/// Copies that a verb has made due, unknown to the delivery side so far.
struct Moving {
  std::vector<CopyName> copies;
};

class WatchedOperators final : public ports::OperatorQueue {
 public:
  WatchedOperators(ports::OperatorQueue& inner, StoreMood& mood, Judge& judge, Moving& moving)
      : inner_(inner), mood_(mood), judge_(judge), moving_(moving) {}

  base::WallTime now() const noexcept override { return inner_.now(); }

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
  ports::OperatorQueue& inner_;
  StoreMood& mood_;
  Judge& judge_;
  Moving& moving_;
};

class WatchedControl final : public ports::DeliveryControl {
 public:
  WatchedControl(ports::DeliveryControl& inner, Judge& judge, Moving& moving)
      : inner_(inner), judge_(judge), moving_(moving) {}

  std::size_t withdraw(const std::vector<mail::CopyId>& copies) override;
  void wake() override;
  void set_pauses(std::vector<ports::PauseRule> rules) override;

  std::optional<ports::Waiting> why_waiting(const mail::CopyId& copy, const ports::LaneKey& lane,
                                            const std::string& alias) const override {
    return inner_.why_waiting(copy, lane, alias);
  }

 private:
  ports::DeliveryControl& inner_;
  Judge& judge_;
  Moving& moving_;
};

}  // namespace relay::simulation
