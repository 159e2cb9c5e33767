// Dates as header fields write them.
#pragma once

#include <string>

#include "relay/base/time.hpp"

namespace relay::mail {

/// RFC 5322 §3.3, in UTC: "Tue, 24 Nov 2026 03:14:15 +0000".
std::string header_date(base::WallTime time);

}  // namespace relay::mail
