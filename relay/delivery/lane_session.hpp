// Does the work of one lane, job after job over one connection. Several may serve a lane.
#pragma once

#include <memory>
#include <string>

#include "relay/base/log.hpp"
#include "relay/base/published.hpp"
#include "relay/base/watchdog.hpp"
#include "relay/delivery/attempt_runner.hpp"
#include "relay/delivery/settlement.hpp"
#include "relay/delivery/work_store.hpp"

namespace relay::delivery {

/// What all sessions share; owned by the scheduler, which outlives them.
struct Workshop {
  DeliveryPorts ports;
  ports::Signer* signer = nullptr;  ///< null: DSNs are not signed
  base::Log& log;
  const base::Published<Policy>& policy;
  base::Watchdog& watchdog;
  Dice dice;
  WorkStore store;
  std::atomic<base::WallTime::rep> trusted_since{0};  ///< ms; start, or last jump of the clock
  std::atomic<base::WallTime::rep> jumped_at{0};      ///< ms; the last jump, 0: none in this run
  std::atomic<bool> poisoned{false};
  std::atomic<std::uint64_t> delivered{0};  ///< copies, with the two below: a Tally since the start
  std::atomic<std::uint64_t> bounced{0};
  std::atomic<std::uint64_t> suppressed{0};
  std::function<void(base::WallTime)> expect_due;  ///< something was recorded for later
};

class LaneSession {
 public:
  LaneSession(Workshop& shop, WorkStore::LanePtr lane)
      : shop_(shop), lane_(std::move(lane)), runner_(shop.ports, shop.dice) {}

  /// Runs until the lane has nothing more for it.
  base::Task<> run();

 private:
  using Group = std::vector<std::size_t>;

  base::Task<> serve(Job job);
  base::Task<std::shared_ptr<const mail::QueuedMessage>> message_of(const Job& job);
  std::vector<Group> groups_of(const mail::QueuedMessage& queued, const Job& job,
                               const Policy& policy) const;
  base::Task<bool> deliver(Consignment consignment, ContentSource& content);
  base::Task<AttemptReport> attempt(const Consignment& consignment, ContentSource& content);
  base::Task<bool> settle_and_record(const Consignment& consignment, const AttemptReport& report,
                                     ContentSource& content);
  base::Task<bool> record(ports::Update update);
  base::Task<bool> hold(const Consignment& consignment);

  Workshop& shop_;
  WorkStore::LanePtr lane_;
  AttemptRunner runner_;
};

}  // namespace relay::delivery
