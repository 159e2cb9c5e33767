// What greylisting asks about a visit, and the answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace relay::ports {

struct GreylistKey {
  std::string sender;   ///< digest of network, reverse-path and forward-path
  std::string network;  ///< digest of the network alone
  /// Digest of the widest network (IPv4 /24, IPv6 /48), whose share of the rows a visit uses.
  std::string counted_under;
};

struct GreylistRules {
  std::chrono::seconds delay{};         ///< a visit after this time passes
  std::chrono::seconds retry_window{};  ///< a visit later than this is a first one
  std::chrono::seconds remember{};      ///< since the last visit of one that has passed
  std::uint32_t trusted_after = 0;      ///< passes that a network needs, `delay` apart
  bool takes_new = true;                ///< false: first visits are answered First, but not stored
};

enum class GreylistAnswer {
  First,           ///< never seen, or too long ago
  TooSoon,         ///< came again before the delay was over
  Passed,          ///< has waited long enough: this visit is the first to pass
  Known,           ///< has passed before
  TrustedNetwork,  ///< other visits of this network have passed often enough
};

constexpr bool must_wait(GreylistAnswer answer) {
  return answer == GreylistAnswer::First || answer == GreylistAnswer::TooSoon;
}

inline constexpr std::uint32_t kFewVisits = 8;

}  // namespace relay::ports
