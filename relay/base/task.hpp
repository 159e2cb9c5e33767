// Coroutines of this program. A Task runs on one shard (a thread with its io_context) from start to
// end.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace relay::base {

/// The concrete executor instead of any_io_executor: no type erasure on the hot path.
using Executor = boost::asio::io_context::executor_type;

/// A coroutine that starts when it is awaited. Its parameters are values, or references to what the
/// awaiting caller owns; never a string_view.
template <class T = void>
using Task = boost::asio::awaitable<T, Executor>;

inline constexpr boost::asio::use_awaitable_t<Executor> use_task{};

/// Awaits a result that another thread delivers.
/// `start` is called at once with a move-only callable `resume(T)`, which must be called exactly
/// once, from any thread; the coroutine continues on its own shard. Not cancellable: whoever holds
/// `resume` must call it. Destroying `resume` uncalled is safe only after the shard has stopped.
template <class T, class Start>
Task<T> await_answer(Start start) {
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void(T)>(
      [](auto handler, Start&& begin) {
        auto executor = boost::asio::get_associated_executor(handler);
        begin([handler = std::move(handler), executor](T value) mutable {
          boost::asio::post(executor,
                            [handler = std::move(handler), value = std::move(value)]() mutable {
                              std::move(handler)(std::move(value));
                            });
        });
      },
      use_task, std::move(start));
}

/// What to do when a supervised task ends by an exception.
enum class OnCrash {
  EndTask,     ///< a session: log, count, go on
  EndProcess,  ///< scheduler, writer: log, then abort; running on would lose or repeat mail
};

/// Starts `task` on `executor`. An exception that leaves it is reported under `name` and counted
/// (crashed_tasks()), never swallowed as asio::detached would. A cancelled task (operation_aborted)
/// is not a crash. `done`, when set, runs on the shard after the task has ended. A task that ends
/// for lack of memory is treated alike. See spawn(), which this is for tasks that nobody waits for.
void spawn_supervised(const Executor& executor, std::string name, Task<> task,
                      OnCrash on_crash = OnCrash::EndTask, std::function<void()> done = {});

/// Number of crashes since start: supervised tasks that ended by an exception or for lack of
/// memory, and note_lost_handler().
unsigned long crashed_tasks();

/// Sets the receiver of crash reports; default: one line on stderr. Call once, before threads
/// start.
void set_crash_reporter(std::function<void(const std::string& task, const std::string& what)>);

}  // namespace relay::base
