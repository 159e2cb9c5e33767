// `srs-relay srs encode|decode|explain`, a line at a time. Pure, so that the vectors of other
// implementations can be compared by pipe.
#pragma once

#include <cstdint>
#include <string>

#include "relay/ops/exit_code.hpp"
#include "srs/srs.hpp"

namespace relay::app {

/// Exit codes of a refused address, beside 0.
enum SrsExit : int {
  kSrsMalformed = static_cast<int>(ops::ExitCode::Malformed),
  kSrsForged = static_cast<int>(ops::ExitCode::Forged),
  kSrsExpired = static_cast<int>(ops::ExitCode::Expired),
};

/// One address to one line in `out` (a JSON object with `json`). Returns the exit code.
int srs_line(const std::string& action, const std::string& address, const srs::Rewriter& rewriter,
             std::int64_t now_unix, bool json, std::string& out);

}  // namespace relay::app
