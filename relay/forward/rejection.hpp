#pragma once

#include <string>

#include "relay/mail/status.hpp"

namespace relay::forward {

/// What to do with a message that we would refuse but that one of our gateways has already
/// accepted. The gateway could only bounce it, to a sender that may be forged.
enum class LateRefusal {
  Refuse,
  Hold,
  Risk,  ///< send it from the risk pool; hold it if no safe name is left for it
};

/// Why a recipient or message is refused, as sent to the client.
struct Rejection {
  int code = 550;
  mail::EnhancedStatus status{5, 1, 1};
  std::string text;
  bool bad_bounce_address = false;  ///< an SRS address with a wrong tag: the client may be guessing
  bool guessable = false;           ///< an SRS address whose tag could be found by brute force
};

}  // namespace relay::forward
