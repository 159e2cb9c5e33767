// The operator's rules in force in a world, and since when the relay knows them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/ports/operator_queue.hpp"
#include "tests/simulation/sim_clock.hpp"

namespace relay::simulation {

class Pauses {
 public:
  explicit Pauses(const SimClock& clock) : clock_(clock) {}

  /// Replaces the rules in force.
  void set(const std::vector<ports::PauseRule>& rules);

  /// Whether a rule that the relay has known for more than `known_for` keeps back copies for this
  /// alias and host; "" stands for any host.
  bool keep_back(std::string_view alias, std::string_view host,
                 std::chrono::milliseconds known_for = {}) const;

  bool none() const { return rules_.empty(); }

  /// When a rule last ended: copies that it kept back count from there.
  base::SteadyTime lifted_at() const;

 private:
  struct Known {
    ports::PauseRule rule;
    base::SteadyTime since;
    base::SteadyTime until;
  };

  const SimClock& clock_;
  std::vector<Known> rules_;
  base::SteadyTime removed_at_;
};

}  // namespace relay::simulation
