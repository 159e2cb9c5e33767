// An address that parses prints and parses the same, and holds nothing that could end a line.
#include "relay/mail/address.hpp"

#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

RELAY_FUZZ_TARGET(input) {
  if (const auto mailbox = mail::Mailbox::parse(input)) {
    const std::string printed = mailbox->to_string();
    const auto again = mail::Mailbox::parse(printed);
    require(again && *again == *mailbox, "print and parse are inverse");
    require(again->to_string() == printed, "and settle at once");
    for (const char c : printed) {
      const auto octet = static_cast<unsigned char>(c);
      require(octet >= 0x20 && octet != 0x7F, "no control octets");
    }
    require(mail::is_valid_utf8(printed), "nothing but UTF-8");
    require(printed.size() + 2 <= mail::kMaxPathOctets, "the limit holds");
    require(mailbox->folded() == again->folded(), "and both fold to the same");
  }
  if (const auto domain = mail::Domain::parse(input)) {
    for (const char c : domain->text()) {
      require(static_cast<unsigned char>(c) < 0x80, "domains are ASCII");
    }
    require(mail::Domain::parse(domain->text()).has_value(), "and parse again");
  }
}
