// The operator's rules that pause mail for a while.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/delivery/host_list.hpp"
#include "relay/ports/pause_rule.hpp"

namespace relay::delivery {

/// Not thread-safe; the dispatcher guards it.
class PauseRules {
 public:
  PauseRules() = default;

  explicit PauseRules(std::vector<ports::PauseRule> rules) : rules_(std::move(rules)) {}

  /// The first rule about one of these hosts or their provider; nullptr: none.
  const ports::PauseRule* about(const HostList& list) const;

  /// The first rule about this forward-path (as the client gave it) or its domain; nullptr: none.
  const ports::PauseRule* about_alias(std::string_view forward_path) const;

  bool are_about_aliases() const;

  bool any() const { return !rules_.empty(); }

 private:
  std::vector<ports::PauseRule> rules_;
};

}  // namespace relay::delivery
