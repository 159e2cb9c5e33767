// Target 9: the body hash does not depend on the division, and relaxed fields are stable.
#include "relay/auth/canonical.hpp"

#include "relay/auth/body_hash.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

RELAY_FUZZ_TARGET(input) {
  auth::RelaxedBodyHash pieces;
  fuzz::in_pieces(input, [&](std::string_view piece) { pieces.update(piece); });
  auth::RelaxedBodyHash whole;
  whole.update(input.substr(input.size() / 4));
  require(pieces.finish() == whole.finish(), "the hash does not depend on the division");
  const std::string once = auth::relaxed_field("X-Name", input);
  require(once.starts_with("x-name:"), "the name is folded");
  const std::string twice = auth::relaxed_field("X-Name", std::string_view(once).substr(7));
  require(once == twice, "relaxed is relaxed");
}
