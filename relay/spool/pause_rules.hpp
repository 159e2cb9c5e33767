// The operator's pause rules, stored. Writing functions run inside a transaction.
#pragma once

#include <string>
#include <vector>

#include "relay/ports/pause_rule.hpp"
#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

class PauseRules {
 public:
  explicit PauseRules(Connection& connection);

  void set(const ports::PauseRule& rule);
  bool remove(ports::PauseRule::Kind kind, const std::string& value);
  std::vector<ports::PauseRule> in_force(base::WallTime now);
  void remove_expired(base::WallTime now);

 private:
  Connection& connection_;
  Statement set_, remove_, select_, remove_expired_;
};

}  // namespace relay::spool
