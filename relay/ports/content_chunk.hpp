// How content is divided.
#pragma once

#include <cstddef>

namespace relay::ports {

/// Content is stored in chunks of this many octets; the last may be shorter.
inline constexpr std::size_t kChunkOctets = 256UL * 1024;

}  // namespace relay::ports
