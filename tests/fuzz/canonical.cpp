// Body hashes do not depend on the division, in either form and with any l=; relaxed
// fields are stable.
#include "relay/auth/dkim/canonical.hpp"

#include <algorithm>

#include "relay/auth/dkim/body_hashes.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using auth::dkim::BodyHashes;
using auth::dkim::Canon;
using fuzz::require;

namespace {

/// Both forms, whole and with some lengths, as a message with many signatures asks for. Returns how
/// many digests that makes: the same wish is one digest.
std::size_t want_much(BodyHashes& hashes, std::size_t length) {
  std::size_t last = 0;
  for (const Canon canon : {Canon::Simple, Canon::Relaxed}) {
    last = std::max(last, hashes.want(canon));
    for (const std::size_t part : {length / 2, length, std::size_t{0}}) {
      last = std::max(last, hashes.want(canon, part));
    }
  }
  return last + 1;
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  BodyHashes pieces;
  BodyHashes whole;
  const std::size_t digests = want_much(pieces, input.size() / 2);
  require(want_much(whole, input.size() / 2) == digests, "wishes are counted alike");
  fuzz::in_pieces(input, [&](std::string_view piece) { pieces.update(piece); });
  whole.update(input.substr(input.size() / 4));
  pieces.finish();
  whole.finish();
  for (std::size_t i = 0; i < digests; ++i) {
    require(pieces.digest(i) == whole.digest(i), "the hash does not depend on the division");
    require(pieces.covers_all(i) == whole.covers_all(i), "nor does what is covered");
    require(!pieces.falls_short(i) || pieces.covers_all(i), "what falls short covers all there is");
  }
  const std::string once = auth::dkim::relaxed_field("X-Name", input);
  require(once.starts_with("x-name:"), "the name is folded");
  const std::string twice = auth::dkim::relaxed_field("X-Name", std::string_view(once).substr(7));
  require(once == twice, "relaxed is relaxed");
}
