// What all sessions of the delivery side share; the scheduler owns it and outlives them.
#pragma once

#include <atomic>
#include <functional>

#include "relay/base/log.hpp"
#include "relay/base/published.hpp"
#include "relay/base/watchdog.hpp"
#include "relay/delivery/attempt.hpp"
#include "relay/delivery/clock_watch.hpp"
#include "relay/delivery/dispatcher.hpp"
#include "relay/delivery/metrics.hpp"
#include "relay/delivery/settlement.hpp"
#include "relay/ports/signer.hpp"

namespace relay::delivery {

struct Workshop {
  DeliveryPorts ports;
  ports::Signer* signer = nullptr;          ///< null: DSNs are not signed
  std::function<mail::MessageId()> new_id;  ///< of a DSN; empty: a random one
  base::Log& log;
  const base::Published<Policy>& policy;
  base::Watchdog& watchdog;
  Dice dice;
  FailingHosts failing;
  Dispatcher dispatcher;
  Metrics metrics;
  ClockWatch wall;
  std::atomic<bool> poisoned{false};
  std::function<void(std::chrono::milliseconds)> expect_due;  ///< something becomes due after this
  std::function<void()> reports_wanted;                       ///< notices were written
  OnTaken on_taken;                                           ///< may be empty
};

}  // namespace relay::delivery
