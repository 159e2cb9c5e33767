// Finds line ends and NULs in message content. All content a client sends passes through here, so
// it compares sixteen octets at a time where the processor can.
#pragma once

#include <bit>
#include <cstddef>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace relay::smtp {

constexpr bool is_line_octet(char c) { return c == '\r' || c == '\n' || c == '\0'; }

/// The first CR, LF or NUL in [at, end), or end.
inline const char* find_line_octet(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i cr = _mm_set1_epi8('\r');
  const __m128i lf = _mm_set1_epi8('\n');
  const __m128i nul = _mm_setzero_si128();
  for (; end - at >= 16; at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i hits =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, cr), _mm_cmpeq_epi8(block, lf)),
                     _mm_cmpeq_epi8(block, nul));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hits));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#endif
  while (at != end && !is_line_octet(*at)) ++at;
  return at;
}

}  // namespace relay::smtp
