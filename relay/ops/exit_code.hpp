// The exit codes of the program; `--help` prints this list.
#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace relay::ops {

enum class ExitCode : int {
  Ok = 0,
  Negative = 1,
  Usage = 2,
  Unreachable = 3,
  InvalidConfig = 4,
  NotFound = 5,
  Partly = 6,
  Refused = 7,
  Malformed = 10,
  Forged = 11,
  Expired = 12,
  Temporary = 75,
  Permission = 77,
};

inline constexpr std::array<std::pair<ExitCode, std::string_view>, 13> kExitCodes{{
    {ExitCode::Ok, "done"},
    {ExitCode::Negative,
     "a negative answer: check found errors, resolve a refusal, status trouble"},
    {ExitCode::Usage, "the command is not understood"},
    {ExitCode::Unreachable, "the daemon does not answer"},
    {ExitCode::InvalidConfig, "the configuration is invalid (except for check: 1)"},
    {ExitCode::NotFound, "nothing in the queue matches"},
    {ExitCode::Partly, "partly done: a change of the queue ended early"},
    {ExitCode::Refused, "not done without --yes"},
    {ExitCode::Malformed, "srs: not an SRS address"},
    {ExitCode::Forged, "srs: no key of ours made this address"},
    {ExitCode::Expired, "srs: the address has expired"},
    {ExitCode::Temporary, "a temporary failure, as of the queue's storage"},
    {ExitCode::Permission, "no permission"},
}};

}  // namespace relay::ops
