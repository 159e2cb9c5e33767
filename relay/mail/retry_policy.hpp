// How long a copy is tried.
#pragma once

#include <chrono>
#include <vector>

namespace relay::mail {

struct RetryPolicy {
  /// Waiting time after the 1st, 2nd, … attempt; the last one repeats. Not empty.
  std::vector<std::chrono::seconds> schedule{std::chrono::minutes{1},  std::chrono::minutes{5},
                                             std::chrono::minutes{15}, std::chrono::minutes{30},
                                             std::chrono::hours{1},    std::chrono::hours{2},
                                             std::chrono::hours{4}};
  std::chrono::seconds expire = std::chrono::hours{120};
  std::chrono::seconds warn_after = std::chrono::hours{4};  ///< 0: no delay notices
};

}  // namespace relay::mail
