// Whether this build has a sanitizer. The sandbox and the file bounds are left out then, because a
// sanitizer needs system calls and files that they deny.
#pragma once

namespace relay::app {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace relay::app
