#pragma once

#include "relay/ports/clock.hpp"

namespace relay::net {

/// The clocks of the machine. Stateless; one object serves all shards.
class SystemClock : public ports::Clock {
 public:
  base::WallTime wall() const override;
  base::SteadyTime steady() const override;
  base::Task<> sleep_until(base::SteadyTime at) override;
  base::Task<> sleep_until(base::SteadyTime at, base::Bell& bell) override;
};

}  // namespace relay::net
