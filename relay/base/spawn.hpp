// For those who have to know how a task ends.
#pragma once

#include <exception>
#include <functional>
#include <string>

#include "relay/base/task.hpp"

namespace relay::base {

/// Told when a task has ended, with the exception that left it, or null.
using OnEnd = std::function<void(const std::exception_ptr& error)>;

/// Starts `task` on `executor`. `on_end` runs once, on the shard and never within this call, after
/// the task and all it owned are gone. That holds also where Asio destroys a task because there is
/// no memory to begin a wait; the error is std::bad_alloc then. Only a shard that ends takes its
/// tasks with it in silence.
/// Throws std::bad_alloc when there is no memory to start the task; `on_end` does not run then.
void spawn(const Executor& executor, Task<> task, OnEnd on_end);

/// Starts a task that serves until it returns. When it ends for lack of memory, that is reported as
/// a crash and `task` is called for another one; when there is no memory for that either, and on
/// any other exception, the process ends. Throws std::bad_alloc as spawn() does.
void spawn_lasting(const Executor& executor, std::string name, std::function<Task<>()> task);

/// Reports and counts the exception that ended the task `name`, whether there is memory or not.
/// False: it was cancelled, which is no crash.
bool report_crash(const std::string& name, const std::exception_ptr& error);

/// Whether it is std::bad_alloc.
bool is_lack_of_memory(const std::exception_ptr& error);

}  // namespace relay::base
