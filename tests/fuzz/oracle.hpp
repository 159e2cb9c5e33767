// What a fuzz target demands beyond "no crash".
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace relay::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* octets, std::size_t size) {
  return {reinterpret_cast<const char*>(octets), size};
}

/// Hands out the input in pieces, their sizes taken from its first octets: any division must give
/// the same result.
template <class Take>
void in_pieces(std::string_view input, Take take) {
  const std::size_t marks = input.size() / 4;
  std::string_view rest = input.substr(marks);
  for (std::size_t i = 0; !rest.empty(); ++i) {
    const std::size_t wanted = i < marks ? static_cast<unsigned char>(input[i]) + 1U : rest.size();
    const std::size_t size = wanted < rest.size() ? wanted : rest.size();
    take(rest.substr(0, size));
    rest.remove_prefix(size);
  }
}

}  // namespace relay::fuzz

#define RELAY_FUZZ_TARGET(input)                                                        \
  static void fuzz_one(std::string_view input);                                         \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) { \
    fuzz_one(relay::fuzz::text_of(octets, size));                                       \
    return 0;                                                                           \
  }                                                                                     \
  static void fuzz_one(std::string_view input)
