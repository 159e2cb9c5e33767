#include "relay/base/task.hpp"

#include <atomic>
#include <cstdlib>
#include <exception>
#include <memory>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "relay/base/lost_handler.hpp"
#include "relay/base/stderr_line.hpp"

namespace relay::base {

namespace {

std::atomic<unsigned long> crash_count{0};

std::function<void(const std::string&, const std::string&)>& reporter() {
  static std::function<void(const std::string&, const std::string&)> report =
      [](const std::string& task, const std::string& what) {
        say_on_stderr(Severity::Error, "srs-relay: task " + task + " crashed: " + what);
      };
  return report;
}

void report_crash(const std::string& name, const std::exception_ptr& error, OnCrash on_crash) {
  std::string what = "unknown exception";
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    if (e.code() == boost::asio::error::operation_aborted) return;
    what = e.what();
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {  // NOLINT(bugprone-empty-catch): `what` keeps "unknown exception"
  }
  crash_count.fetch_add(1, std::memory_order_relaxed);
  try {
    reporter()(name, what);
  } catch (const std::exception&) {  // no memory to report it; the count is kept
    say_on_stderr(Severity::Error, "srs-relay: a task crashed");
  }
  if (on_crash == OnCrash::EndProcess) std::abort();
}

}  // namespace

void spawn_supervised(const Executor& executor, std::string name, Task<> task, OnCrash on_crash,
                      std::function<void()> done) {
  boost::asio::co_spawn(
      executor, std::move(task),
      [name = std::move(name), on_crash, done = std::move(done)](const std::exception_ptr& error) {
        if (error) report_crash(name, error, on_crash);
        if (done) done();
      });
}

Task<> run_all(std::vector<Task<>> tasks) {
  if (tasks.empty()) co_return;
  const Executor executor = co_await boost::asio::this_coro::executor;
  std::size_t running = tasks.size();
  std::exception_ptr first;
  co_await await_answer<bool>([&](auto resume) {
    const auto all_ended = std::make_shared<decltype(resume)>(std::move(resume));
    for (auto& task : tasks) {
      boost::asio::co_spawn(executor, std::move(task),
                            [&, all_ended](const std::exception_ptr& error) {
                              if (error && !first) first = error;
                              if (--running == 0) (*all_ended)(true);
                            });
    }
  });
  if (first) std::rethrow_exception(first);
}

void note_lost_handler() noexcept {
  crash_count.fetch_add(1, std::memory_order_relaxed);
  try {
    reporter()("event loop", "no memory for a handler");
  } catch (const std::exception&) {
    say_on_stderr(Severity::Error, "srs-relay: no memory for a handler");
  }
}

unsigned long crashed_tasks() { return crash_count.load(std::memory_order_relaxed); }

void set_crash_reporter(std::function<void(const std::string&, const std::string&)> report) {
  reporter() = std::move(report);
}

}  // namespace relay::base
