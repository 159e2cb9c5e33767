// Does the work of one group, job after job over one connection; several may serve a group. Also
// answers, without a connection, for jobs of lanes that nobody can be asked about.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "relay/delivery/settlement.hpp"
#include "relay/delivery/workshop.hpp"

namespace relay::delivery {

class DeliverySession {
 public:
  DeliverySession(Workshop& shop, PlacePtr place)
      : shop_(shop), place_(std::move(place)), runner_(shop.ports, shop.failing, *place_) {}

  /// Runs until the group has nothing more for it.
  base::Task<> run();

 private:
  Workshop& shop_;
  PlacePtr place_;
  AttemptRunner runner_;
};

/// Answers the jobs of a lane with what its look-up, or an outage, says.
base::Task<> answer_jobs(Workshop& shop, LanePtr lane);

/// One job from its assignment to its record. Owns the claims of the copies until then.
class JobKeeper {
 public:
  /// `runner` null: the assignment has an answer.
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
  void find_outdated(const Consignment& consignment, AttemptReport& report) const;
  base::Task<bool> record(const Consignment& consignment, const AttemptReport& report);
  base::Task<std::expected<ports::RecordAnswer, ports::SpoolError>> insist(ports::Update update);
  base::Task<> heed_spool_error(ports::SpoolError error, std::string_view consequence);
  bool is_paused(const std::vector<std::uint16_t>& indices) const;
  bool may_go_on(const std::vector<std::uint16_t>& indices, bool at_dot);
  void expect_again(const ports::CopyUpdate& update);
  /// The fallback of an alias has taken over: what it replaces does not leave any more, and its own
  /// copies are looked for. Returns what was replaced.
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
  std::shared_ptr<const mail::QueuedMessage> queued_;  ///< of serve()
  std::vector<std::uint16_t> held_;                    ///< claimed still
  bool is_at_dot_ = false;  ///< what happened must be recorded before others may try
  std::uint64_t withdrawals_seen_ = 0;
};

}  // namespace relay::delivery
