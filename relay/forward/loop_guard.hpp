// Refuses messages in a loop: too many Received fields, or this host among them repeatedly
// (guarantee "Mail does not go round").
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "relay/forward/rejection.hpp"
#include "relay/mail/header.hpp"

namespace relay::forward {

inline constexpr std::uint32_t kMaxHops = 100;  ///< where nothing else is set (RFC 5321 §6.3)

class LoopGuard {
 public:
  /// This many Received fields of this host make a loop.
  static constexpr std::uint32_t kMaxOwnHops = 2;

  /// Up to `max_hops` Received fields are accepted; RFC 5321 §6.3 asks for at least 100.
  explicit LoopGuard(std::string hostname, std::uint32_t max_hops = kMaxHops)
      : hostname_(std::move(hostname)), max_hops_(max_hops) {}

  LoopGuard() = default;

  /// Reads the Received fields: 554 5.4.6 when the message is in a loop.
  std::optional<Rejection> check(const mail::Header& header) const;

 private:
  std::string hostname_;
  std::uint32_t max_hops_ = kMaxHops;
};

}  // namespace relay::forward
