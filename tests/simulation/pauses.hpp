// The operator's rules that hold in a world, and since when the relay has known of them.
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

  /// Those that hold from now on, instead of those before.
  void set(const std::vector<ports::PauseRule>& rules);

  /// A rule keeps back what was sent to this alias and would go to this host; with "" for the host,
  /// whatever it might be. Known for more than `known_for`.
  bool keep_back(std::string_view alias, std::string_view host,
                 std::chrono::milliseconds known_for = {}) const;

  bool none() const { return rules_.empty(); }

  /// When a rule last ceased to hold: what waited behind it counts from there.
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
