// What an event loop lost for want of memory.
#pragma once

namespace relay::base {

/// Reports it as a crash, and counts it among crashed_tasks(). Needs no memory itself.
void note_lost_handler() noexcept;

}  // namespace relay::base
