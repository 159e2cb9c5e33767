// An event is one line without control octets, whatever its values contain.
#include "relay/base/log.hpp"
#include "relay/base/text.hpp"
#include "relay/mail/address.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

RELAY_FUZZ_TARGET(input) {
  base::Event event("fuzz", base::WallTime{});
  event.text("text", input).open("inner").text("again", input.substr(input.size() / 2)).close();
  const std::string line = std::move(event).line();
  for (const char c : line) {
    const auto octet = static_cast<unsigned char>(c);
    require(octet >= 0x20 && octet != 0x7F, "no control octets");
  }
  require(mail::is_valid_utf8(line), "nothing but UTF-8");
  require(line.size() < 16'384, "it is bounded");
  require(line.front() == '{' && line.back() == '}', "one object");
}
