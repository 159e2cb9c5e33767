#include "relay/base/task.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

namespace relay::base {
namespace {

struct Report {
  std::string task;
  std::string what;
};

Report& last_report() {
  static Report report;
  return report;
}

class TaskTest : public testing::Test {
 protected:
  void SetUp() override {
    last_report() = {};
    set_crash_reporter(
        [](const std::string& task, const std::string& what) { last_report() = {task, what}; });
  }

  boost::asio::io_context io_;
};

Task<> fail() {
  throw std::runtime_error("broken");
  co_return;
}

Task<> be_cancelled() {
  throw boost::system::system_error(boost::asio::error::operation_aborted);
  co_return;
}

TEST_F(TaskTest, AnExceptionIsReportedAndCountedAndTheRestGoesOn) {
  const auto before = crashed_tasks();
  bool done = false;
  spawn_supervised(io_.get_executor(), "session", fail(), OnCrash::EndTask, [&] { done = true; });
  io_.run();
  EXPECT_TRUE(done);
  EXPECT_EQ(crashed_tasks(), before + 1);
  EXPECT_EQ(last_report().task, "session");
  EXPECT_EQ(last_report().what, "broken");
}

TEST_F(TaskTest, BeingCancelledIsNoCrash) {
  const auto before = crashed_tasks();
  bool done = false;
  spawn_supervised(io_.get_executor(), "session", be_cancelled(), OnCrash::EndTask,
                   [&] { done = true; });
  io_.run();
  EXPECT_TRUE(done);
  EXPECT_EQ(crashed_tasks(), before);
}

TEST_F(TaskTest, ATaskThatMustNotDieEndsTheProcess) {
  EXPECT_DEATH(
      {
        boost::asio::io_context io;
        spawn_supervised(io.get_executor(), "scheduler", fail(), OnCrash::EndProcess);
        io.run();
      },
      "");
}

TEST_F(TaskTest, AnAnswerFromAnotherThreadResumesOnTheOwnShard) {
  std::thread::id resumed;
  const auto ask = [&]() -> Task<int> {
    std::thread other;
    const int answer = co_await await_answer<int>([&](auto resume) {
      other = std::thread([resume = std::move(resume)]() mutable { resume(42); });
    });
    resumed = std::this_thread::get_id();
    other.join();
    co_return answer;
  };
  auto result = boost::asio::co_spawn(io_, ask(), boost::asio::use_future);
  const auto guard = boost::asio::make_work_guard(io_);
  while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    io_.run_one_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(result.get(), 42);
  EXPECT_EQ(resumed, std::this_thread::get_id());
}

}  // namespace
}  // namespace relay::base
