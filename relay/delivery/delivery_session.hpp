// Does the work of one group, job after job on one connection; a group may have several. Also
// answers, without a connection, the jobs of lanes whose hosts are unknown or unreachable.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "relay/delivery/settlement.hpp"
#include "relay/delivery/workshop.hpp"
#include "relay/ports/copy_update.hpp"

namespace relay::delivery {

class DeliverySession {
 public:
  DeliverySession(Workshop& shop, PlacePtr place)
      : shop_(shop), place_(std::move(place)), runner_(shop.ports, shop.failing, *place_) {}

  /// Runs until the dispatcher has no more work for it.
  base::Task<> run();

 private:
  Workshop& shop_;
  PlacePtr place_;
  AttemptRunner runner_;
};

/// Ends the jobs of a lane with the result of its failed look-up, or of an outage.
base::Task<> answer_jobs(Workshop& shop, LanePtr lane);

/// One job from assignment to record. Holds the claims of its copies until then.
class JobKeeper {
 public:
  /// `runner` null: the assignment contains the answer.
  JobKeeper(Workshop& shop, Assignment assignment, AttemptRunner* runner, PlacePtr place);
  ~JobKeeper();
  JobKeeper(const JobKeeper&) = delete;
  JobKeeper& operator=(const JobKeeper&) = delete;

  base::Task<> serve();

 private:
  using Positions = std::vector<std::size_t>;

  base::Task<std::shared_ptr<const mail::QueuedMessage>> message();
  std::vector<Positions> alike(const mail::QueuedMessage& queued);
  base::Task<bool> deliver(const Consignment& consignment, ContentSource& content);
  base::Task<AttemptReport> attempt(const Consignment& consignment, ContentSource& content);
  base::Task<bool> record(const Consignment& consignment, const AttemptReport& report);
  base::Task<std::expected<ports::RecordAnswer, ports::SpoolError>> insist(ports::Update update);
  base::Task<> heed_spool_error(ports::SpoolError error, std::string_view consequence);
  bool is_paused(const std::vector<std::uint16_t>& indices) const;
  bool may_go_on(const std::vector<std::uint16_t>& indices, bool at_dot);
  void expect_again(const ports::CopyUpdate& update);
  /// The fallback of an alias took over: withdraws the copies it replaces and looks for its own.
  /// Returns the indices replaced.
  std::set<std::uint16_t> heed_fallbacks(const ports::RecordAnswer& answer);
  void after_record(const Settlement& settlement, const ports::RecordAnswer& answer);
  void give_back(std::vector<std::uint16_t> indices);
  void forget(const std::vector<std::uint16_t>& indices);
  void let_go(const std::vector<std::uint16_t>& indices, bool is_recorded);

  void done_with(const std::vector<std::uint16_t>& indices) { let_go(indices, true); }

  Workshop& shop_;
  Assignment assignment_;
  AttemptRunner* const runner_;
  const PlacePtr place_;
  std::shared_ptr<const mail::QueuedMessage> queued_;  ///< the message of the job; set by serve()
  std::vector<std::uint16_t> held_;                    ///< copies still claimed
  bool is_at_dot_ = false;  ///< an outcome must be recorded before anybody may try again
  std::uint64_t withdrawals_seen_ = 0;
};

}  // namespace relay::delivery
