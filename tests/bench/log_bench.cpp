// The cost of an event for its caller: its line, and its way into the ring that the log's thread
// empties. The floor is memcpy of the line.
#include <stdexcept>
#include <string>

#include "relay/app/log_sink.hpp"
#include "relay/base/log.hpp"
#include "tests/bench/turns.hpp"

namespace {

using namespace relay;
using bench::take_turns;

base::Event attempt() {
  const base::WallTime now{std::chrono::milliseconds(1'795'500'000'123)};
  base::Event event("attempt", now);
  event.text("msg_id", "01KB0V6Q8V3Z7W5N4M2X1Y0T9S").number("copy", 0).number("attempt", 1);
  event.text("target", "me@target.example").text("host", "mx.target.example");
  event.text("address", "192.0.2.9").flag("tls", true).text("tls_version", "TLSv1.3");
  event.open("reply").number("code", 250).text("text", "2.0.0 Ok: queued as 4XyZ1234").close();
  return event;
}

auto one_copy(const std::string& line) {
  return [&line, copy = std::string(line.size(), '\0')]() mutable {
    copy.assign(line);
    benchmark::DoNotOptimize(copy.data());
  };
}

void write_line(benchmark::State& state) {
  const std::string line = attempt().line();
  take_turns(
      state, line.size(), [] { benchmark::DoNotOptimize(attempt().line()); }, one_copy(line));
}

/// Of the thread that reports; lines that the other thread cannot keep up with are overwritten.
void write_to_ring(benchmark::State& state) {
  const auto log = app::LogSink::open("/dev/null");
  if (!log) throw std::runtime_error(log.error());
  const std::string line = attempt().line();
  take_turns(state, line.size(), [&] { (*log)->write(attempt()); }, one_copy(line));
}

BENCHMARK(write_line)->UseManualTime();
BENCHMARK(write_to_ring)->UseManualTime();

}  // namespace
