// The real delivery side in a simulated world.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "relay/base/log.hpp"
#include "relay/delivery/scheduler.hpp"
#include "relay/ports/delivery_queue.hpp"
#include "tests/simulation/random.hpp"
#include "tests/simulation/world.hpp"

namespace relay::simulation {

/// One life of a process: made, started, stopped or killed. Everything given outlives it.
class RelayUnderTest {
 public:
  RelayUnderTest(const World& world, std::vector<base::Executor> shards, ports::Clock& clock,
                 ports::Resolver& resolver, ports::Dialer& dialer, ports::DeliveryQueue& queue,
                 Random random);

  void start() { scheduler_.start(); }

  base::Task<bool> stop() { return scheduler_.stop(); }

  ports::DeliveryFeed& feed() { return scheduler_; }

  ports::DeliveryControl& control() { return scheduler_; }

  base::Log& log() { return log_; }

  delivery::Totals totals() const { return scheduler_.totals(); }

  /// Publishes the policy anew with other limits, and announces it.
  void reload(std::size_t variant);

  /// Lines of severity error so far.
  unsigned long errors() const { return log_.errors; }

 private:
  /// Builds the lines, as the real log does, and throws them away.
  struct Sink final : base::Log {
    void write(base::Event event) override {
      if (event.severity() == base::Severity::Error) ++errors;
    }

    unsigned long errors = 0;
  };

  mail::MessageId make_id(base::WallTime now);

  const World& world_;
  Random random_;
  Sink log_;
  base::Watchdog watchdog_;
  base::Published<delivery::Policy> policy_;
  delivery::Scheduler scheduler_;
};

delivery::Policy policy_of(const World& world, std::size_t variant);

}  // namespace relay::simulation
