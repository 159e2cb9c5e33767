// Whether this build watches itself, which the kernel's bounds on a process do not let it.
#pragma once

namespace relay::app {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace relay::app
