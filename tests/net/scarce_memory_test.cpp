// Memory that runs out while a connection waits.
#include "tests/fakes/scarce_memory.hpp"

#include <array>
#include <exception>
#include <new>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/net/loopback.hpp"

namespace relay::net {
namespace {

using namespace std::chrono_literals;

/// A read that must end at its deadline, whether it could begin or not.
struct Read {
  bool ended = false;

  void start(Shard& shard, ports::Stream& stream) {
    boost::asio::co_spawn(
        shard.executor(),
        [](ports::Stream& from) -> base::Task<> {
          std::array<char, 16> buffer{};
          co_await from.read_some(buffer, base::Deadline::after(150ms));
        }(stream),
        [this](const std::exception_ptr&) { ended = true; });
  }
};

/// As a thread of a shard does.
bool run_with_losses(Shard& shard, const std::function<bool()>& done) {
  while (true) {
    try {
      return run_until(shard.io(), done);
    } catch (const std::bad_alloc&) {
    }
  }
}

/// The first alarm of a quiet shard starts what ticks. Whichever allocation of that fails: the
/// alarm leaves nothing behind, and later ones ring.
TEST(ScarceMemory, LeavesNoAlarmBehindAndLaterOnesRing) {
  constexpr std::size_t kMost = 200;
  std::size_t n = 1;
  for (bool failed = true; failed && n < kMost; ++n) {
    Loopback loopback;
    auto [client, server] = loopback.connect_raw();
    ASSERT_TRUE(
        run_until(loopback.shard.io(), [&] { return loopback.shard.deadlines().armed() == 0; }));
    Read first;
    fakes::fail_allocation(n);
    try {
      first.start(loopback.shard, *server);
      loopback.shard.io().restart();
      loopback.shard.io().poll();
    } catch (const std::bad_alloc&) {
    }
    failed = fakes::allocation_failed();
    fakes::fail_allocation(0);
    Read second;
    auto other = loopback.connect_raw();
    second.start(loopback.shard, *other.server);
    EXPECT_TRUE(run_with_losses(loopback.shard, [&] { return second.ended; })) << n;
    EXPECT_TRUE(run_with_losses(loopback.shard, [&] {
      return loopback.shard.deadlines().armed() == 0;
    })) << n;
    ::close(client);
    ::close(other.client);
  }
  EXPECT_GT(n, 3U);
  EXPECT_LT(n, kMost) << "the end was not reached";
}

/// At whichever step the accept loop lacks memory, the listener goes on.
TEST(ScarceMemory, AListenerTakesConnectionsAfterwards) {
  constexpr std::size_t kMost = 300;
  base::set_crash_reporter([](const std::string&, const std::string&) {});
  std::size_t n = 1;
  std::size_t losses = 0;
  for (bool failed = true; failed && n < kMost; ++n) {
    Shard shard;
    int taken = 0;
    const ports::Endpoint any{boost::asio::ip::make_address("127.0.0.1"), 0};
    const auto listener = Listener::open(shard, {&any, 1}, [&](const StreamPtr&) { ++taken; },
                                         {.pause = std::chrono::milliseconds(1)});
    ASSERT_TRUE(listener) << listener.error();
    const auto before = base::crashed_tasks();
    int first = -1;
    fakes::fail_allocation(n);
    try {
      (*listener)->start();
      shard.io().poll();
      first = connect_socket((*listener)->endpoints().front());
      shard.io().poll();
    } catch (const std::bad_alloc&) {
    }
    failed = fakes::allocation_failed();
    fakes::fail_allocation(0);
    if (first < 0) (*listener)->start();  // there was no memory to start it
    if (base::crashed_tasks() > before) ++losses;
    if (first >= 0) ::close(first);
    const int known = taken;
    const int second = connect_socket((*listener)->endpoints().front());
    EXPECT_TRUE(run_with_losses(shard, [&] { return taken > known; })) << n;
    ::close(second);
  }
  EXPECT_GT(losses, 0U);
  EXPECT_LT(n, kMost) << "the end was not reached";
}

}  // namespace
}  // namespace relay::net
