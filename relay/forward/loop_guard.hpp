// Stops messages that go round: too many hops, or through this host before.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "relay/forward/rejection.hpp"

namespace relay::forward {

class LoopGuard {
 public:
  static constexpr int kMaxHops = 50;    ///< Received fields (RFC 5321 §6.3 wants at least 100 or
                                         ///< a better method; ours also knows itself)
  static constexpr int kMaxOwnHops = 2;  ///< times this host may be named in "by"

  explicit LoopGuard(std::string hostname) : hostname_(std::move(hostname)) {}

  LoopGuard() = default;

  /// Reads the Received fields of a header block: 554 5.4.6 when the message is in a loop.
  std::optional<Rejection> check(std::string_view header_block) const;

 private:
  std::string hostname_;
};

}  // namespace relay::forward
