// The errors of the durable queue, the same for all of its interfaces.
#pragma once

#include <string_view>

namespace relay::ports {

enum class SpoolError {
  Full,         ///< no room on disk, or quota used up: 452; what is stored stays
  Unconfirmed,  ///< enough copies wait for the consent of a target: 450
  Poisoned,     ///< after an I/O error nothing can be promised: 421, then exit
  NotFound,
  Corrupt,      ///< stored data is not what was accepted: hold it, never send it
  Stopping,     ///< this process is about to end
  Unavailable,  ///< the store cannot be reached, nothing was done: 450, and send no dot
  Unknown,      ///< it may or may not have been done: ask again with the same id, or look
};

std::string_view describe(SpoolError error);

}  // namespace relay::ports
