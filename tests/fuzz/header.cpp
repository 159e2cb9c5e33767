// Fields make up the block; nothing is read that is not there.
#include "relay/mail/header.hpp"

#include "relay/mail/author.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

RELAY_FUZZ_TARGET(input) {
  const std::string_view block = input.substr(0, mail::header_length(input).value_or(input.size()));
  const mail::Header header{std::string(input)};
  require(header.block() == block, "a header ends where it ends");
  std::size_t octets = header.preamble().size();
  for (const auto& field : header.fields()) {
    octets += field.raw.size();
    require(!field.name.empty(), "a field has a name");
    require(field.name.find_first_of(" \t\r\n:") == std::string_view::npos, "of plain octets");
  }
  for (const auto& line : header.unreadable()) octets += line.size();
  require(octets == block.size(), "every octet belongs somewhere");
  require(mail::readable_fields(header.judged()).size() == header.fields().size(), "once");
  const std::string id = header.message_id();
  require(id.find_first_of("\r\n \t") == std::string::npos, "a Message-ID is safe to repeat");
  if (const auto author = mail::author_domain(header)) {
    require(mail::Domain::parse(author->text()).has_value(), "the author's domain is one");
    require(header.unreadable().empty(), "and stands in a sound header");
  }
}
