// One destination: internal to the work store, which guards every member with its lock.
#pragma once

#include "relay/delivery/work_store.hpp"

namespace relay::delivery {

class Lane {
 public:
  Lane(std::string name, bool of_risk_pool) : key(std::move(name)), risk_pool(of_risk_pool) {}

  struct Idle {
    base::SteadyTime until;
    std::move_only_function<void(std::optional<Job>)> resume;
  };

  const std::string key;
  const bool risk_pool;
  std::deque<Job> jobs;
  std::size_t copies = 0;    ///< in jobs
  std::deque<Idle> idle;     ///< sessions that wait with an open connection
  std::size_t sessions = 0;  ///< idle ones included
  std::size_t window = 5;    ///< sessions that may run; grows with success
  bool overflowed = false;   ///< more of it is on disk
  bool waiting = false;      ///< stands in WorkStore::waiting_
  unsigned failures = 0;
  std::optional<Outage> outage;
};

}  // namespace relay::delivery
