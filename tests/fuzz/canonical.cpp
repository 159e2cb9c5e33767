// Target 9: body hashes do not depend on the division, in either form and with any l=; relaxed
// fields are stable.
#include "relay/auth/dkim/canonical.hpp"

#include "relay/auth/dkim/body_hashes.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using auth::dkim::BodyHashes;
using auth::dkim::Canon;
using fuzz::require;

namespace {

/// Both forms, whole and with some lengths, as a message with many signatures asks for.
BodyHashes wanting_much(std::size_t length) {
  BodyHashes hashes;
  for (const Canon canon : {Canon::Simple, Canon::Relaxed}) {
    hashes.want(canon);
    for (const std::size_t part : {length / 2, length, std::size_t{0}}) hashes.want(canon, part);
  }
  return hashes;
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  BodyHashes pieces = wanting_much(input.size() / 2);
  BodyHashes whole = wanting_much(input.size() / 2);
  fuzz::in_pieces(input, [&](std::string_view piece) { pieces.update(piece); });
  whole.update(input.substr(input.size() / 4));
  pieces.finish();
  whole.finish();
  for (std::size_t i = 0; i < 8; ++i) {
    require(pieces.digest(i) == whole.digest(i), "the hash does not depend on the division");
    require(pieces.covers_all(i) == whole.covers_all(i), "nor does what is covered");
    require(!pieces.falls_short(i) || pieces.covers_all(i), "what falls short covers all there is");
  }
  const std::string once = auth::dkim::relaxed_field("X-Name", input);
  require(once.starts_with("x-name:"), "the name is folded");
  const std::string twice = auth::dkim::relaxed_field("X-Name", std::string_view(once).substr(7));
  require(once == twice, "relaxed is relaxed");
}
