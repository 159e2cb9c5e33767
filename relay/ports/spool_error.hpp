// What the durable queue answers instead of a result. One list for all of its interfaces.
#pragma once

#include <string_view>

namespace relay::ports {

enum class SpoolError {
  Full,         ///< disk or quota: 452, keep what is there
  Unconfirmed,  ///< enough copies wait for the consent of a target: 450
  Poisoned,     ///< an I/O error was seen; nothing can be promised any more: 421, then exit
  NotFound,
  Corrupt,      ///< what is stored is not what was accepted: hold it, never send it
  Stopping,     ///< this process is about to end
  Unavailable,  ///< the store cannot be reached now: nothing was done; 450, and no dot is sent
  Unknown,      ///< nobody can say whether it was done: ask again with the same id, or look
};

std::string_view describe(SpoolError error);

}  // namespace relay::ports
