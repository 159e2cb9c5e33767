// Mistakes of compilers with coroutines, so that another compiler proves itself first: g++ 12
// destroys temporaries written inside a co_await expression twice, and mixes up two co_awaits
// joined by &&. A failure here is a reason to change the compiler, never the test.
#include <coroutine>
#include <exception>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace {

// The smallest lazy task: starts when awaited, resumes whoever awaits it.
template <class T>
class Task {
 public:
  struct promise_type {
    std::optional<T> value;
    std::coroutine_handle<> waiter = std::noop_coroutine();

    struct ResumeWaiter {
      bool await_ready() noexcept { return false; }

      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
        return self.promise().waiter;
      }

      void await_resume() noexcept {}
    };

    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }

    std::suspend_always initial_suspend() noexcept { return {}; }

    ResumeWaiter final_suspend() noexcept { return {}; }

    void return_value(T result) { value = std::move(result); }

    void unhandled_exception() { std::terminate(); }
  };

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}

  Task& operator=(Task&&) = delete;

  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const { return false; }

  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
    handle_.promise().waiter = waiter;
    return handle_;
  }

  T await_resume() { return std::move(*handle_.promise().value); }

  T run() {
    handle_.resume();
    return await_resume();
  }

 private:
  std::coroutine_handle<promise_type> handle_;
};

// Counts what is alive: a second destruction takes the count below what is right.
struct Counted {
  static inline int alive = 0;
  static inline int destroyed = 0;

  Counted() { ++alive; }

  Counted(const Counted&) { ++alive; }

  Counted(Counted&&) noexcept { ++alive; }

  Counted& operator=(const Counted&) = default;
  Counted& operator=(Counted&&) = default;

  ~Counted() {
    --alive;
    ++destroyed;
  }
};

struct Envelope {
  std::string reverse_path;
  std::shared_ptr<int> token;
  Counted counted;
};

Task<long> uses_of(Envelope envelope) { co_return envelope.token.use_count(); }

Task<std::string> text_of(std::function<std::string()> make) { co_return make(); }

Task<bool> answer(bool value, int& asked) {
  ++asked;
  co_return value;
}

class Coroutines : public testing::Test {
 protected:
  void SetUp() override { Counted::alive = Counted::destroyed = 0; }

  void TearDown() override { EXPECT_EQ(Counted::alive, 0); }
};

const std::string kLong(100, 'x');  // not within the string object

TEST_F(Coroutines, DestroyATemporaryAggregateOnce) {
  const auto token = std::make_shared<int>(1);
  auto outer = [](std::shared_ptr<int> held) -> Task<long> {
    co_return co_await uses_of(Envelope{.reverse_path = kLong, .token = held, .counted = {}});
  };
  EXPECT_GE(outer(token).run(), 3);
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(Coroutines, DestroyACapturingLambdaOnce) {
  const auto token = std::make_shared<int>(1);
  auto outer = [](std::shared_ptr<int> held) -> Task<std::string> {
    co_return co_await text_of([held, counted = Counted(), text = kLong] { return text; });
  };
  EXPECT_EQ(outer(token).run(), kLong);
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(Coroutines, DestroyATemporaryWhenTheResultIsKept) {
  const auto token = std::make_shared<int>(1);
  auto outer = [](std::shared_ptr<int> held) -> Task<std::string> {
    const std::string kept = co_await text_of([held, counted = Counted()] { return kLong; });
    const std::string more = co_await text_of([held, &kept] { return kept + "y"; });
    co_return more;
  };
  EXPECT_EQ(outer(token).run(), kLong + "y");
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(Coroutines, AskTheRightSideOfAnAndOnlyWhenTheLeftIsTrue) {
  for (const bool left : {false, true}) {
    for (const bool right : {false, true}) {
      int asked = 0;
      auto both = [](bool a, bool b, int& count) -> Task<bool> {
        co_return (co_await answer(a, count)) && (co_await answer(b, count));
      };
      EXPECT_EQ(both(left, right, asked).run(), left && right);
      EXPECT_EQ(asked, left ? 2 : 1);
    }
  }
}

TEST_F(Coroutines, AskTheRightSideOfAnOrOnlyWhenTheLeftIsFalse) {
  int asked = 0;
  auto either = [](bool a, bool b, int& count) -> Task<bool> {
    co_return (co_await answer(a, count)) || (co_await answer(b, count));
  };
  EXPECT_TRUE(either(true, false, asked).run());
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(either(false, true, asked).run());
  EXPECT_EQ(asked, 3);
}

TEST_F(Coroutines, KeepParametersUntilTheirOwnEnd) {
  auto outer = []() -> Task<int> {
    auto inner = [](Counted, std::string text) -> Task<int> {
      co_return static_cast<int>(text.size()) + Counted::alive;
    };
    co_return co_await inner(Counted(), kLong);
  };
  EXPECT_GE(outer().run(), 101);
}

TEST_F(Coroutines, CarryExpectedThroughABranch) {
  using Result = std::expected<std::string, std::string>;
  auto inner = [](bool good) -> Task<Result> {
    if (!good) co_return std::unexpected(kLong);
    co_return kLong + kLong;
  };
  auto outer = [&inner](bool good) -> Task<Result> {
    auto result = co_await inner(good);
    co_return result ? Result(*result + "!") : Result(std::unexpected(result.error() + "?"));
  };
  EXPECT_EQ(*outer(true).run(), kLong + kLong + "!");
  EXPECT_EQ(outer(false).run().error(), kLong + "?");
}

}  // namespace
