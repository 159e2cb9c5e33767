#pragma once

#include <string>

#include "relay/mail/status.hpp"

namespace relay::forward {

/// What becomes of a message that a gateway of ours has accepted already, and that we would refuse:
/// it could only bounce it, to a sender who may be forged.
enum class LateRefusal {
  Refuse,
  Hold,
  Risk,  ///< it leaves from the risk pool; it is held where no name is left for it
};

/// Why a recipient or message is not taken, as it goes on the wire.
struct Rejection {
  int code = 550;
  mail::EnhancedStatus status{5, 1, 1};
  std::string text;
  bool bad_bounce_address = false;  ///< an SRS address with a wrong tag: whoever asks may guess
  bool guessable = false;           ///< an SRS address whose tag could be found by trying
};

}  // namespace relay::forward
