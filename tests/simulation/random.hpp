// Chance that repeats: one 64-bit seed gives the same world on every machine. The distributions of
// the standard library are not used, for each library has its own.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace relay::simulation {

/// Also turns neighbouring seeds into unrelated ones.
constexpr std::uint64_t splitmix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15U);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

/// xoshiro256** of Blackman and Vigna.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) {
    for (auto& word : state_) word = splitmix(seed);
  }

  constexpr std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// From 0 to limit - 1. Precondition: limit is not 0.
  constexpr std::uint64_t below(std::uint64_t limit) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * limit) >> 64U);
  }

  /// Both included.
  constexpr std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
  }

  constexpr bool chance(unsigned of_a_thousand) { return below(1000) < of_a_thousand; }

  /// Both included. Short ones are as likely as long ones: 3 s as well as 3 min.
  constexpr std::chrono::milliseconds span(std::chrono::milliseconds least,
                                           std::chrono::milliseconds most) {
    const std::int64_t times = most.count() / (least.count() > 0 ? least.count() : 1);
    const auto halves =
        static_cast<std::int64_t>(std::bit_width(static_cast<std::uint64_t>(times)));
    const std::int64_t upper = most.count() >> between(0, halves > 0 ? halves - 1 : 0);
    return std::chrono::milliseconds(between(least.count(), std::max(upper, least.count())));
  }

  template <class Range>
  constexpr auto& pick(Range& range) {
    return range[below(std::size(range))];
  }

  /// A separate stream: draws from it do not change the draws from this one.
  constexpr Random fork() { return Random(next()); }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace relay::simulation
