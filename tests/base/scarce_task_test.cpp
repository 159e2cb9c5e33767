// Memory that runs out while tasks begin, wait and end.
#include <chrono>
#include <cstddef>
#include <new>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "relay/base/errands.hpp"
#include "relay/base/spawn.hpp"
#include "relay/base/timer.hpp"
#include "tests/fakes/scarce_memory.hpp"

namespace relay::base {
namespace {

constexpr std::size_t kMost = 300;

Task<> nap(int times) {
  for (int i = 0; i < times; ++i) {
    Timer timer(co_await boost::asio::this_coro::executor, std::chrono::milliseconds(1));
    co_await timer.async_wait(use_task);
  }
}

/// As a thread of a shard does.
void run_with_losses(boost::asio::io_context& io) {
  io.restart();
  for (bool over = false; !over;) {
    try {
      io.run();
      over = true;
    } catch (const std::bad_alloc&) {
    }
  }
}

/// Calls `attempt`, within which the n-th allocation fails, until it needs fewer.
template <class Attempt>
std::size_t fail_each(Attempt attempt) {
  set_crash_reporter([](const std::string&, const std::string&) {});
  std::size_t n = 1;
  for (bool failed = true; failed && n < kMost; ++n) {
    attempt(n);
    failed = fakes::allocation_failed();
    fakes::fail_allocation(0);
  }
  EXPECT_LT(n, kMost) << "the end was not reached";
  return n;
}

/// How a supervised task ended.
struct Fate {
  bool was_started = true;
  int ends = 0;
  bool is_alive = false;
};

Task<> live(Fate& fate) {
  struct Life {
    Fate& fate;

    explicit Life(Fate& whose) : fate(whose) { fate.is_alive = true; }

    ~Life() { fate.is_alive = false; }
  };

  const Life life(fate);
  co_await nap(3);
}

Fate supervise(boost::asio::io_context& io, std::size_t n, OnCrash on_crash, bool from_the_shard) {
  Fate fate;
  const auto start = [&] {
    try {
      spawn_supervised(io.get_executor(), "a task with a long name", live(fate), on_crash, [&fate] {
        ++fate.ends;
        EXPECT_FALSE(fate.is_alive) << "done before its end";
      });
    } catch (const std::bad_alloc&) {
      fate.was_started = false;
    }
  };
  if (from_the_shard) boost::asio::post(io, start);
  fakes::fail_allocation(n);
  if (!from_the_shard) start();
  run_with_losses(io);
  return fate;
}

class ScarceTasks : public testing::TestWithParam<bool> {};

TEST_P(ScarceTasks, AreDoneOnceTheyHaveBegun) {
  int lost = 0;
  fail_each([&](std::size_t n) {
    boost::asio::io_context io(1);
    const auto before = crashed_tasks();
    const Fate fate = supervise(io, n, OnCrash::EndTask, GetParam());
    EXPECT_EQ(fate.ends, fate.was_started ? 1 : 0) << n;
    EXPECT_FALSE(fate.is_alive) << n;
    if (fate.was_started && crashed_tasks() > before) ++lost;
  });
  EXPECT_GT(lost, 1);
}

TEST_P(ScarceTasks, EndTheProcessThatCannotBeWithoutThem) {
  testing::GTEST_FLAG(death_test_style) = "fast";
  int ended = 0;
  fail_each([&](std::size_t n) {
    bool lost = false;
    {
      boost::asio::io_context io(1);
      const auto before = crashed_tasks();
      lost = supervise(io, n, OnCrash::EndTask, GetParam()).was_started && crashed_tasks() > before;
    }
    if (!lost) return;
    ++ended;
    EXPECT_DEATH(
        {
          boost::asio::io_context io(1);
          supervise(io, n, OnCrash::EndProcess, GetParam());
          std::_Exit(0);
        },
        "")
        << n;
  });
  EXPECT_GT(ended, 1);
}

INSTANTIATE_TEST_SUITE_P(From, ScarceTasks, testing::Values(false, true),
                         [](const auto& from) { return from.param ? "TheShard" : "OutsideOfIt"; });

TEST(ScarceMemory, ALastingTaskGoesOn) {
  fail_each([](std::size_t n) {
    boost::asio::io_context io(1);
    bool serves = true;
    int served = 0;
    bool was_started = true;
    fakes::fail_allocation(n);
    try {
      spawn_lasting(io.get_executor(), "a server", [&]() -> Task<> {
        return [](bool& goes_on, int& count) -> Task<> {
          while (goes_on) {
            co_await nap(1);
            goes_on = ++count < 20;
          }
        }(serves, served);
      });
    } catch (const std::bad_alloc&) {
      was_started = false;
    }
    run_with_losses(io);
    EXPECT_EQ(served, was_started ? 20 : 0) << n;
  });
}

/// The children work on what belongs to the task that waits for them.
TEST(ScarceMemory, WhoRunsAllGoesOnAfterTheLastHasEnded) {
  constexpr int kChildren = 5;
  int losses = 0;
  fail_each([&](std::size_t n) {
    boost::asio::io_context io(1);
    int ends = 0;
    bool was_started = true;
    const auto parent = [&]() -> Task<> {
      std::vector<int> counts(kChildren);
      int open = 0;
      const auto child = [&counts, &open](std::size_t i) -> Task<> {
        struct Open {
          int& number;

          explicit Open(int& which) : number(which) { ++number; }

          ~Open() { --number; }
        };

        const Open here(open);
        co_await nap(2);
        ++counts[i];
      };
      bool lacked = false;
      try {
        std::vector<Task<>> children;
        for (std::size_t i = 0; i < kChildren; ++i) children.push_back(child(i));
        co_await run_all(std::move(children));
      } catch (const std::bad_alloc&) {
        lacked = true;
        ++losses;
      }
      EXPECT_EQ(open, 0) << n;
      EXPECT_EQ(counts == std::vector<int>(kChildren, 1), !lacked) << n;
    };
    fakes::fail_allocation(n);
    try {
      spawn_supervised(io.get_executor(), "parent", parent(), OnCrash::EndTask,
                       [&ends] { ++ends; });
    } catch (const std::bad_alloc&) {
      was_started = false;
    }
    run_with_losses(io);
    EXPECT_EQ(ends, was_started ? 1 : 0) << n;
  });
  EXPECT_GT(losses, kChildren);
}

}  // namespace
}  // namespace relay::base
