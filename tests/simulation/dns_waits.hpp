// How long a domain may wait for the look-up of its hosts, where others do not answer.
#pragma once

#include <chrono>
#include <vector>

#include "tests/simulation/world.hpp"

namespace relay::simulation {

class DnsWaits {
 public:
  enum class Answer : std::uint8_t { Found, Failed, Silence };

  explicit DnsWaits(const World& world);

  void answered(std::size_t domain, Answer answer);
  void process_died();

  /// The most that one look-up may be late. A domain that was found the last time does not wait for
  /// domains that never were.
  std::chrono::nanoseconds most(std::size_t domain) const;

 private:
  enum class State : std::uint8_t { Unknown, Known, Silent };

  const std::vector<DomainPlan>& domains_;
  std::vector<State> states_;
  std::size_t places_;
  std::chrono::seconds quick_;
  std::chrono::seconds whole_;
  std::size_t born_silent_ = 0;    ///< lanes of domains that have never answered
  std::size_t become_silent_ = 0;  ///< … of others, since the world began
};

}  // namespace relay::simulation
