// The power-cut explorer: for every moment of a recorded life, the states the disk may be in after
// a cut, each opened as at a start and compared with what had been promised. Some live on for a
// while and are cut again.
#pragma once

#include <cstdint>
#include <random>

#include "tests/fakes/fake_clock.hpp"
#include "tests/powercut/cut_disk.hpp"
#include "tests/powercut/promises.hpp"
#include "tests/powercut/workload.hpp"

namespace relay::powercut {

class Explorer {
 public:
  Explorer(const Recording& recording, std::uint64_t seed, Remembering* remembering);

  /// Spreads about `images` over all moments; ends at the moment that brings the troubles to
  /// `enough`.
  Verdict explore(std::uint64_t images, std::uint64_t enough);

 private:
  void judge(Files files, const Promises& promises);
  void live_on(const Files& files);
  void live(spool::OpenedDatabase& queue);

  const Recording& recording_;
  std::mt19937_64 random_;
  SimulatedDisk disk_;
  fakes::FakeClock clock_;
  CutDisk cut_;
  Promises promises_;
  Verdict verdict_;
};

}  // namespace relay::powercut
