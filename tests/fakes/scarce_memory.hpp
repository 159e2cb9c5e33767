// Memory that runs out at a chosen allocation of this thread: operator new and std::aligned_alloc,
// from which Asio takes coroutine frames and handlers. Links into a whole test program, and changes
// nothing there until it is asked to.
#pragma once

#include <cstddef>

namespace relay::fakes {

/// The n-th allocation of this thread from here fails, once. 0: none.
void fail_allocation(std::size_t n);

/// Whether one has failed since then.
bool allocation_failed();

}  // namespace relay::fakes
