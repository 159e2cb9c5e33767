// For event loops: a handler was lost for lack of memory.
#pragma once

namespace relay::base {

/// Reports the loss as a crash, and counts it in crashed_tasks(). Allocates no memory itself.
void note_lost_handler() noexcept;

}  // namespace relay::base
