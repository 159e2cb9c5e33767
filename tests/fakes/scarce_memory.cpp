#include "tests/fakes/scarce_memory.hpp"

#include <cerrno>
#include <cstdlib>
#include <new>

namespace {

thread_local std::size_t fail_at = 0;
thread_local bool failed = false;

bool fails() {
  if (fail_at == 0 || --fail_at > 0) return false;
  failed = true;
  return true;
}

void* allocate(std::size_t size) {
  if (fails()) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }

void* operator new[](std::size_t size) { return allocate(size); }

void operator delete(void* memory) noexcept { std::free(memory); }

void operator delete[](void* memory) noexcept { std::free(memory); }

void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) {
  if (fails()) {
    errno = ENOMEM;
    return nullptr;
  }
  void* memory = nullptr;
  const int error = ::posix_memalign(&memory, alignment, size);
  if (error != 0) errno = error;
  return error == 0 ? memory : nullptr;
}

namespace relay::fakes {

void fail_allocation(std::size_t n) {
  failed = false;
  fail_at = n;
}

bool allocation_failed() { return failed; }

}  // namespace relay::fakes
