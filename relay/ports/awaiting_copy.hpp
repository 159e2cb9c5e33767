#pragma once

#include <string>

#include "relay/mail/message.hpp"

namespace relay::ports {

/// A copy that waits for the consent of its target.
struct AwaitingCopy {
  std::string awaits;  ///< mail::Route::awaits
  mail::CopyId copy;
  std::string target;  ///< as text
};

}  // namespace relay::ports
