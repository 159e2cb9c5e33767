// `srs-relay srs encode|decode|explain`, line by line. Pure, so that test vectors of other
// implementations can be piped through it.
#pragma once

#include <cstdint>
#include <string>

#include "relay/ops/exit_code.hpp"
#include "srs/srs.hpp"

namespace relay::app {

/// Exit codes for refused addresses; 0 otherwise.
enum SrsExit : int {
  kSrsMalformed = static_cast<int>(ops::ExitCode::Malformed),
  kSrsForged = static_cast<int>(ops::ExitCode::Forged),
  kSrsExpired = static_cast<int>(ops::ExitCode::Expired),
};

/// Converts one address to one line in `out`, with `json` a JSON object. Returns the exit code.
int srs_line(const std::string& action, const std::string& address, const srs::Rewriter& rewriter,
             std::int64_t now_unix, bool json, std::string& out);

}  // namespace relay::app
