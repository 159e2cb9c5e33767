// Denies system calls that this process never needs (seccomp), so that code of an attacker inside
// it cannot start a program, trace another process or load a module (guarantee "No other program is
// ever started").
#pragma once

#include <expected>
#include <string>

namespace relay::app {

/// Denies these calls (EPERM) to this thread and every thread it starts, permanently, and checks
/// that one of them fails. Call before the first thread is started. Does nothing in builds with a
/// sanitizer, which needs such calls. The error is a sentence for the operator.
std::expected<void, std::string> enter_sandbox();

}  // namespace relay::app
