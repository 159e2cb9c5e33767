// Calls relay/review for a configuration that would start, or has started.
#pragma once

#include <vector>

#include "relay/app/policies.hpp"
#include "relay/base/time.hpp"

namespace relay::net {
class TlsContext;
}

namespace relay::app {

/// All doubts, except those about the certificate, which change with time, and those that need the
/// DNS. Reads what the last start has remembered (secret_memory.hpp).
std::vector<settings::Problem> doubts_about(const Policies& policies, base::WallTime now);

/// Doubts about the certificate in use, which may have expired in the meantime. Null: none is in
/// use.
std::vector<settings::Problem> doubts_about_certificate(const Policies& policies,
                                                        const net::TlsContext* certificate,
                                                        base::WallTime now);

}  // namespace relay::app
