// A command line parses to a value or to a refusal; its paths print and parse the same.
#include "relay/smtp/command.hpp"

#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

RELAY_FUZZ_TARGET(input) {
  const auto command = smtp::parse_command(input);
  if (!command) {
    const std::string wire = command.error().reply.wire();
    require(command.error().reply.code() >= 421, "a refusal is negative");
    require(wire.ends_with("\r\n") && wire.size() < 1024, "a refusal is one short reply");
    return;
  }
  require(input.size() <= smtp::kMaxCommandOctets, "too long a line is no command");
  if (const auto* from = std::get_if<smtp::MailFrom>(&*command)) {
    const std::string path = '<' + from->reverse_path.to_string() + '>';
    const auto again = mail::parse_reverse_path(path);
    require(again && *again == from->reverse_path, "a reverse-path survives printing");
    require(path.find_first_of(std::string("\r\n\0", 3)) == std::string::npos, "no control octets");
  }
  if (const auto* to = std::get_if<smtp::RcptTo>(&*command)) {
    if (to->forward_path.is_bare_postmaster()) return;
    const auto again = mail::parse_forward_path('<' + to->forward_path.to_string() + '>');
    require(again && again->mailbox() == to->forward_path.mailbox(), "so does a forward-path");
  }
}
