#include "relay/base/errands.hpp"

#include <memory>
#include <optional>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "relay/base/timer.hpp"

namespace relay::base {
namespace {

/// An errand that ends when the test says so.
struct Gate {
  std::move_only_function<void(bool)> open;
  std::exception_ptr failure;

  Task<> pass() {
    co_await await_answer<bool>([this](auto resume) { open = std::move(resume); });
    if (failure) std::rethrow_exception(failure);
  }
};

class ErrandsTest : public testing::Test {
 protected:
  void SetUp() override {
    set_crash_reporter([](const std::string&, const std::string&) {});
  }

  void poll() {
    io_.restart();
    io_.poll();
  }

  /// Waits for all of kind 0.
  Task<> wait(bool& done) {
    while (errands_.open() > 0) co_await errands_.next_end();
    done = true;
  }

  void fail_with(const std::exception_ptr& failure) {
    Gate gate{.open = {}, .failure = failure};
    errands_.send("gate", gate.pass());
    bool done = false;
    boost::asio::co_spawn(io_, wait(done), boost::asio::detached);
    poll();
    EXPECT_FALSE(done);
    gate.open(true);
    poll();
    EXPECT_TRUE(done);
    EXPECT_EQ(errands_.open(), 0U);
    EXPECT_TRUE(errands_.any_failed());
  }

  boost::asio::io_context io_{1};
  Errands errands_{io_.get_executor(), 2};
};

TEST_F(ErrandsTest, WaitUntilTheLastHasEnded) {
  Gate one;
  Gate two;
  errands_.send("one", one.pass());
  errands_.send("two", two.pass());
  bool done = false;
  boost::asio::co_spawn(io_, wait(done), boost::asio::detached);
  poll();
  EXPECT_EQ(errands_.open(), 2U);
  two.open(true);
  poll();
  EXPECT_EQ(errands_.open(), 1U);
  EXPECT_FALSE(done);
  one.open(true);
  poll();
  EXPECT_TRUE(done);
  EXPECT_FALSE(errands_.any_failed());
}

TEST_F(ErrandsTest, OfOtherKindsAreCountedApart) {
  Gate one;
  errands_.send("one", one.pass(), 1);
  poll();
  EXPECT_EQ(errands_.open(0), 0U);
  EXPECT_EQ(errands_.open(1), 1U);
  bool done = false;
  boost::asio::co_spawn(io_, wait(done), boost::asio::detached);
  poll();
  EXPECT_TRUE(done);
  one.open(true);
  poll();
  EXPECT_EQ(errands_.open(1), 0U);
}

TEST_F(ErrandsTest, AnyExceptionEndsThem) {
  const auto before = crashed_tasks();
  fail_with(std::make_exception_ptr(std::out_of_range("a parser")));
  EXPECT_FALSE(errands_.lacked_memory());
  EXPECT_EQ(crashed_tasks(), before + 1);
}

TEST_F(ErrandsTest, LackOfMemoryIsToldToTheSender) {
  const auto before = crashed_tasks();
  fail_with(std::make_exception_ptr(std::bad_alloc()));
  EXPECT_TRUE(errands_.lacked_memory());
  EXPECT_EQ(crashed_tasks(), before);
}

/// The task that waits owns the errands, and what they work on: at the end of the shard each would
/// keep the other, and their connections.
TEST(ErrandsAtTheEnd, KeepNothingAlive) {
  const auto witness = std::make_shared<int>(0);
  std::optional<boost::asio::io_context> io(1);
  auto session = [](boost::asio::io_context& loop, std::shared_ptr<int> kept) -> Task<> {
    Errands errands(loop.get_executor());
    errands.send("for ever", [](boost::asio::io_context& where) -> Task<> {
      Timer timer(where.get_executor(), std::chrono::hours(1));
      co_await timer.async_wait(use_task);
    }(loop));
    while (errands.open() > 0) co_await errands.next_end();
    static_cast<void>(kept);
  };
  boost::asio::co_spawn(*io, session(*io, witness), boost::asio::detached);
  io->poll();
  EXPECT_EQ(witness.use_count(), 2);
  io.reset();
  EXPECT_EQ(witness.use_count(), 1);
}

Task<> fail() {
  throw std::runtime_error("broken");
  co_return;
}

TEST(RunAll, GoesOnWhenTheLastHasEndedAndThrowsWhatTheFirstThrew) {
  boost::asio::io_context io;
  int ended = 0;
  const auto slow = [&](int milliseconds) -> Task<> {
    Timer timer(io.get_executor(), std::chrono::milliseconds(milliseconds));
    co_await timer.async_wait(use_task);
    ++ended;
  };
  const auto all = [&]() -> Task<> {
    std::vector<Task<>> tasks;
    co_await run_all(std::move(tasks));
    tasks.clear();
    for (const int span : {3, 1, 2}) tasks.push_back(slow(span));
    co_await run_all(std::move(tasks));
    EXPECT_EQ(ended, 3);
    tasks.clear();
    tasks.push_back(fail());
    tasks.push_back(slow(1));
    co_await run_all(std::move(tasks));
  };
  auto done = boost::asio::co_spawn(io, all(), boost::asio::use_future);
  io.run();
  EXPECT_EQ(ended, 4) << "one that fails ends no other";
  EXPECT_THROW(done.get(), std::runtime_error);
}

}  // namespace
}  // namespace relay::base
