// The cost of a path beside its floor, the part that no program can avoid, such as SHA-256 of the
// same octets. The two take turns, so that both see the same machine, in bursts long enough for the
// clock to tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>

#include <benchmark/benchmark.h>

namespace relay::bench {

/// Of this thread.
inline double cpu_seconds() {
  std::timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Seconds that `times` calls take.
template <class Work>
double burst(Work& work, std::int64_t times) {
  const double began = cpu_seconds();
  for (std::int64_t i = 0; i < times; ++i) work();
  return cpu_seconds() - began;
}

/// Calls that take some 100 µs together.
template <class Work>
std::int64_t burst_length(Work& work) {
  std::int64_t times = 1;
  while (burst(work, times) < 1e-4 && times < 1'000'000) times *= 2;
  return times;
}

/// One call of `path` handles `octets`. Shows CPU time and octets a second of the path, the time of
/// the floor, and the ratio of both.
template <class Path, class Floor>
void take_turns(benchmark::State& state, std::size_t octets, Path path, Floor floor) {
  const std::int64_t paths = burst_length(path);
  const std::int64_t floors = burst_length(floor);
  double in_path = 0;
  double in_floor = 0;
  while (state.KeepRunningBatch(paths)) {
    const double seconds = burst(path, paths);
    state.SetIterationTime(seconds);
    in_path += seconds / static_cast<double>(paths);
    in_floor += burst(floor, floors) / static_cast<double>(floors);
  }
  const auto bursts = static_cast<double>(state.iterations() / paths);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(octets));
  state.SetItemsProcessed(state.iterations());
  state.counters["floor_ns"] = in_floor / bursts * 1e9;
  state.counters["ratio"] = in_path / in_floor;
}

/// A path whose floor is unknown.
template <class Path>
void take_turns(benchmark::State& state, std::size_t octets, Path path) {
  const std::int64_t paths = burst_length(path);
  while (state.KeepRunningBatch(paths)) state.SetIterationTime(burst(path, paths));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(octets));
  state.SetItemsProcessed(state.iterations());
}

}  // namespace relay::bench

/// A function of benchmark::State and more, under a name of its own.
#define RELAY_BENCH(function, name, ...) \
  BENCHMARK_CAPTURE(function, name, __VA_ARGS__)->UseManualTime()
