// The fakes end their waits at a cut, as the real classes do.
#include <array>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/scripted_stream.hpp"

namespace relay::fakes {
namespace {

using namespace std::chrono_literals;

TEST(FakeResolver, EndsALookupThatIsCutOff) {
  boost::asio::io_context io;
  FakeClock clock;
  FakeResolver resolver(clock, "slow.example NEVER\n");
  base::Cut cut;
  std::optional<ports::DnsError> error;
  boost::asio::co_spawn(io.get_executor(),
                        resolver.mx("slow.example", {.at = clock.steady() + 1h, .cut = &cut}),
                        [&error](std::exception_ptr, const auto& got) { error = got.error(); });
  io.poll();
  EXPECT_FALSE(error);
  cut.make();
  io.restart();
  io.poll();
  EXPECT_EQ(error, ports::DnsError::Timeout);
  EXPECT_EQ(clock.sleepers(), 0U);
}

TEST(ScriptedStream, EndsAReadThatIsCutOff) {
  boost::asio::io_context io;
  auto wire = std::make_shared<Wire>();
  wire->wait_at_end = true;
  ScriptedStream stream(wire);
  base::Cut cut;
  const base::Deadline deadline{.at = base::SteadyTime::max(), .cut = &cut};
  std::array<char, 8> buffer{};
  std::optional<ports::IoError> error;
  const auto read = [&] {
    boost::asio::co_spawn(io.get_executor(), stream.read_some(buffer, deadline),
                          [&error](std::exception_ptr, const auto& got) { error = got.error(); });
    io.restart();
    io.poll();
  };
  read();
  EXPECT_FALSE(error);
  cut.make();
  io.restart();
  io.poll();
  EXPECT_EQ(error, ports::IoError::Timeout);
  error.reset();
  wire->incoming.emplace_back("250 ok\r\n");
  read();
  EXPECT_EQ(error, ports::IoError::Timeout) << "nothing is read after a cut";
}

}  // namespace
}  // namespace relay::fakes
