// Says something to the operator on stderr: for what the log cannot tell, since it is not open yet,
// or since it may be what failed.
#pragma once

#include <string_view>

#include "relay/base/log.hpp"

namespace relay::base {

/// The prefix of a log line that the journal reads from stderr: "<3>" for an error (sd-daemon(3)).
std::string_view journal_priority(Severity severity);

/// Writes `text`, which may have several lines, with a priority before each if the journal reads
/// them. A line is cut after 4 KiB. Waits for a slow reader for 50 ms at most; then the rest is
/// lost. Allocates no memory.
void say_on_stderr(Severity severity, std::string_view text) noexcept;

}  // namespace relay::base
