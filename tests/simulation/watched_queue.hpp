// Stands between the relay and the queue of a world. Calls take time and fail as the world demands,
// and the judge hears of each change when it becomes visible.
#pragma once

#include <optional>

#include "relay/ports/delivery_queue.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/ports/operator_queue.hpp"
#include "tests/simulation/judge.hpp"
#include "tests/simulation/random.hpp"

namespace relay::simulation {

/// How the store behaves; shared by all who call it.
class StoreMood {
 public:
  StoreMood(const World& world, SimClock& clock, Random random)
      : world_(world), clock_(clock), random_(random) {}

  void fail(ports::SpoolError error) { failing_ = error; }

  void heal() { failing_.reset(); }

  bool ill() const { return failing_.has_value(); }

  /// Time that a call waits for its turn, or for its answer.
  base::Task<> dawdle();

  /// The error of a writing call, if it fails. Unknown is decided by applies().
  std::optional<ports::SpoolError> write_error() const { return failing_; }

  std::optional<ports::SpoolError> read_error() const;

  /// The same for a read of content, which may fail alone.
  std::optional<ports::SpoolError> content_error();

  /// Whether a call that ends as Unknown was done all the same.
  bool applies() { return random_.chance(500); }

 private:
  const World& world_;
  SimClock& clock_;
  Random random_;
  std::optional<ports::SpoolError> failing_;
};

class WatchedQueue final : public ports::DeliveryQueue {
 public:
  WatchedQueue(ports::DeliveryQueue& inner, StoreMood& mood, Judge& judge)
      : inner_(inner), mood_(mood), judge_(judge) {}

  base::WallTime now() const noexcept override { return inner_.now(); }

  bool poisoned() const noexcept override { return inner_.poisoned(); }

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

 private:
  /// A reading call: takes time before and after.
  template <class T>
  base::Task<std::expected<T, ports::SpoolError>> read_through(
      base::Task<std::expected<T, ports::SpoolError>> call,
      std::optional<mail::MessageId> content_of = std::nullopt);

  ports::DeliveryQueue& inner_;
  StoreMood& mood_;
  Judge& judge_;
};

}  // namespace relay::simulation
