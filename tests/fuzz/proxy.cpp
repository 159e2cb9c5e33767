// A header stands at the beginning, within its bound; a part of it gives no result but the need for
// more octets.
#include "relay/inbound/proxy/header.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay::inbound;
using relay::fuzz::require;

RELAY_FUZZ_TARGET(input) {
  const auto header = proxy::parse_header(input);
  if (!header) return;
  require(proxy::begins_header(input), "a header begins as one");
  require(header->octets <= input.size(), "no octet more than there are");
  require(header->octets <= proxy::kMaxOctets, "the bound holds");
  const auto alone = proxy::parse_header(input.substr(0, header->octets));
  require(alone && alone->octets == header->octets, "what follows is no matter");
  for (std::size_t octets = 0; octets < header->octets; ++octets) {
    const auto part = proxy::parse_header(input.substr(0, octets));
    require(!part && part.error() == proxy::Fault::Incomplete, "a part is incomplete");
  }
  if (header->source) {
    const std::string text = header->source->address.to_string();
    require(text.find('%') == std::string::npos, "an address has no scope");
  }
}
