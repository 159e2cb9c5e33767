// One message through the verifier, as a session does it: header, keys, body in pieces, verdict.
#pragma once

#include <string>
#include <string_view>

#include "relay/mail/authentication.hpp"
#include "tests/fakes/fake_resolver.hpp"

namespace relay::auth::arc {

mail::ArcVerdict checked(std::string_view message, fakes::FakeResolver& resolver);

/// With a resolver of its own. `zone`: see FakeResolver.
mail::ArcVerdict checked(std::string_view message, std::string_view zone);

/// A line of a zone for FakeResolver.
std::string key_line(std::string_view name, std::string_view record);

}  // namespace relay::auth::arc
