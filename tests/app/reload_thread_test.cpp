// Reloads one after another: requests meanwhile, failures, and the end.
#include "relay/app/reload_thread.hpp"

#include <atomic>
#include <future>
#include <semaphore>
#include <stdexcept>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "relay/app/idle_thread.hpp"

namespace relay::app {
namespace {

using namespace std::chrono_literals;

/// A reload that waits until it is let go, and knows for how many it was done.
class ReloadThreadTest : public testing::Test {
 protected:
  std::unique_ptr<ReloadThread> make() {
    return std::make_unique<ReloadThread>(
        ReloadThread::Work{.at_start = [] {},
                           .reload =
                               [this](const std::vector<ops::Asker>& asked_by) {
                                 begun_.release();
                                 go_on_.acquire();
                                 served_.push_back(asked_by.size());
                                 if (fails_) throw std::runtime_error("no memory");
                                 ops::ReloadResult result;
                                 result.applied = !thread_->has_given_up();
                                 return result;
                               },
                           .tidy = [] { return false; }});
  }

  std::future<ops::ReloadResult> ask() {
    auto promise = std::make_shared<std::promise<ops::ReloadResult>>();
    auto answer = promise->get_future();
    thread_->ask({},
                 [promise](ops::ReloadResult result) { promise->set_value(std::move(result)); });
    return answer;
  }

  std::counting_semaphore<> begun_{0};
  std::counting_semaphore<> go_on_{0};
  std::atomic<bool> fails_{false};
  std::vector<std::size_t> served_;
  std::unique_ptr<ReloadThread> thread_ = make();
};

TEST_F(ReloadThreadTest, WhoAsksMeanwhileIsServedByTheNextTogetherWithOthers) {
  auto first = ask();
  begun_.acquire();
  auto second = ask();
  auto third = ask();
  go_on_.release(2);
  EXPECT_TRUE(first.get().applied);
  EXPECT_TRUE(second.get().applied);
  EXPECT_TRUE(third.get().applied);
  thread_.reset();
  EXPECT_EQ(served_, (std::vector<std::size_t>{1, 2}));
}

TEST_F(ReloadThreadTest, AtTheEndEverybodyIsToldAtOnceAndNothingIsApplied) {
  auto under_way = ask();
  begun_.acquire();
  auto waiting = ask();
  thread_->give_up();
  EXPECT_TRUE(thread_->is_busy());
  for (auto* answer : {&under_way, &waiting}) {
    ASSERT_EQ(answer->wait_for(0s), std::future_status::ready);
    const auto result = answer->get();
    EXPECT_FALSE(result.applied);
    EXPECT_EQ(result.problems, std::vector<std::string>{"the relay is shutting down"});
  }
  EXPECT_FALSE(ask().get().applied);
  EXPECT_TRUE(thread_->has_given_up());
  go_on_.release();
}

TEST_F(ReloadThreadTest, OneThatFailsIsTold) {
  fails_ = true;
  auto failed = ask();
  go_on_.release();
  EXPECT_EQ(failed.get().problems, std::vector<std::string>{"no memory"});
  fails_ = false;
  auto next = ask();
  go_on_.release();
  EXPECT_TRUE(next.get().applied);
}

TEST(IdleThread, RunsWhenNobodyElseWantsTo) {
  IdleThread thread;
  const int before = ::getpriority(PRIO_PROCESS, 0);
  int there = -1;
  thread.run([&] { there = ::getpriority(PRIO_PROCESS, 0); });
  ASSERT_TRUE(thread.is_idle());
  EXPECT_EQ(there, 19);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), before);
}

TEST(IdleThread, PassesOnWhatFails) {
  IdleThread thread;
  EXPECT_THROW(thread.run([] { throw std::runtime_error("x"); }), std::runtime_error);
  bool ran = false;
  thread.run([&] { ran = true; });
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace relay::app
