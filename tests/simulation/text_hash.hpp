// FNV-1a, for keys that need to be the same on every machine.
#pragma once

#include <cstdint>
#include <string_view>

namespace relay::simulation {

constexpr std::uint64_t text_hash(std::string_view text, std::uint64_t seed = 0xCBF29CE484222325U) {
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return seed;
}

}  // namespace relay::simulation
