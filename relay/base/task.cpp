#include "relay/base/task.hpp"

#include <atomic>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>

#include "relay/base/lost_handler.hpp"
#include "relay/base/spawn.hpp"
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

/// One task from its start to its end.
struct Run {
  Run(Executor shard, OnEnd then) : executor(std::move(shard)), on_end(std::move(then)) {}

  const Executor executor;
  const OnEnd on_end;
  bool has_begun = false;
  bool has_returned = false;  ///< by itself or by `error`, not destroyed while it waited
  std::exception_ptr error;
};

Task<> follow(Run& run, Task<> task) {
  run.has_begun = true;
  try {
    co_await std::move(task);
  } catch (...) {
    run.error = std::current_exception();
  }
  run.has_returned = true;
}

/// The handler that Asio calls after the task. If a wait cannot begin for lack of memory, Asio
/// throws that out of the event loop, destroys the task in the next turn, and this handler uncalled
/// with it: so its end is the end of the task. A shard that ends destroys outside of its thread.
class Ending {
 public:
  explicit Ending(std::shared_ptr<Run> run) : run_(std::move(run)) {}

  Ending(Ending&&) noexcept = default;
  Ending(const Ending&) = delete;
  Ending& operator=(Ending&&) = delete;
  Ending& operator=(const Ending&) = delete;

  void operator()(const std::exception_ptr&) { end(); }

  ~Ending() {
    if (!run_ || !run_->has_begun || !run_->executor.running_in_this_thread()) return;
    try {
      if (!run_->has_returned) run_->error = std::make_exception_ptr(std::bad_alloc());
      end();
    } catch (const std::bad_alloc&) {
      note_lost_handler();
    }
  }

 private:
  void end() {
    const auto run = std::move(run_);
    run->on_end(run->error);
  }

  std::shared_ptr<Run> run_;
};

}  // namespace

void spawn(const Executor& executor, Task<> task, OnEnd on_end) {
  auto run = std::make_shared<Run>(executor, std::move(on_end));
  auto followed = follow(*run, std::move(task));
  boost::asio::co_spawn(executor, std::move(followed), Ending(std::move(run)));
}

void spawn_supervised(const Executor& executor, std::string name, Task<> task, OnCrash on_crash,
                      std::function<void()> done) {
  spawn(
      executor, std::move(task),
      [name = std::move(name), on_crash, done = std::move(done)](const std::exception_ptr& error) {
        const bool crashed = error && report_crash(name, error);
        if (crashed && on_crash == OnCrash::EndProcess) std::abort();
        if (done) done();
      });
}

void spawn_lasting(const Executor& executor, std::string name, std::function<Task<>()> task) {
  Task<> first = task();
  spawn(
      executor, std::move(first),
      [executor, name = std::move(name), task = std::move(task)](const std::exception_ptr& error) {
        if (!error || !report_crash(name, error)) return;
        if (!is_lack_of_memory(error)) std::abort();
        try {
          spawn_lasting(executor, name, task);
        } catch (const std::bad_alloc&) {
          std::abort();
        }
      });
}

bool is_lack_of_memory(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    return true;
  } catch (...) {
    return false;
  }
}

bool report_crash(const std::string& name, const std::exception_ptr& error) {
  const auto report = [&name](const char* what) {
    crash_count.fetch_add(1, std::memory_order_relaxed);
    try {
      reporter()(name, what);
    } catch (const std::exception&) {  // no memory to report it; the count is kept
      say_on_stderr(Severity::Error, "srs-relay: a task crashed");
    }
    return true;
  };
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    return e.code() != boost::asio::error::operation_aborted && report(e.what());
  } catch (const std::exception& e) {
    return report(e.what());
  } catch (...) {
    return report("unknown exception");
  }
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
