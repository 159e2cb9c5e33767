// What relay/review says of a configuration that would start, or has.
#pragma once

#include <vector>

#include "relay/app/policies.hpp"
#include "relay/base/time.hpp"
#include "relay/settings/problem.hpp"

namespace relay::net {
class TlsContext;
}

namespace relay::app {

/// All but what time alone changes, and what only the DNS knows. Reads what the last start
/// remembered.
std::vector<settings::Problem> doubts_about(const Policies& policies, base::WallTime now);

/// Of the certificate that is in use, which may expire meanwhile. Null: there is none.
std::vector<settings::Problem> doubts_about_certificate(const Policies& policies,
                                                        const net::TlsContext* certificate,
                                                        base::WallTime now);

}  // namespace relay::app
