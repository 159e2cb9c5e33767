// What this process will never have to do, told to the kernel: even code that an attacker gets in
// cannot start a program, trace another process or load a module.
#pragma once

#include <expected>
#include <string>

namespace relay::app {

/// Denies these calls (EPERM) to this thread and every thread it starts, for good, and tries one to
/// see that it is denied. To be called before the first thread. In a build with a sanitizer, which
/// needs such calls itself, nothing is done. Error: a sentence for the operator.
std::expected<void, std::string> enter_sandbox();

}  // namespace relay::app
