// Zones and questions as the suites under vectors/spf write them (their README has the format).
#pragma once

#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "relay/auth/spf/check.hpp"
#include "tests/fakes/instant_resolver.hpp"

namespace relay::auth::spf {

/// "" when it is absent or null.
std::string text(const boost::json::object& object, std::string_view key);

/// Puts `names` into the zone: for each its records by type, its timeouts.
void fill(fakes::InstantResolver& zone, const boost::json::object& names);

/// From `ip`, `helo`, `mailfrom` and `receiver`, asking for the explanation.
Query query_of(const boost::json::object& test);

}  // namespace relay::auth::spf
