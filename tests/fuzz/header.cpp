// Target 7: fields make up the block; nothing is read that is not there.
#include "relay/mail/header.hpp"

#include "relay/mail/author.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

RELAY_FUZZ_TARGET(input) {
  const std::string_view block = input.substr(0, mail::header_length(input).value_or(input.size()));
  if (const auto fields = mail::split_header(block)) {
    std::string all;
    for (const auto& field : *fields) {
      all += field.raw;
      require(!field.name.empty(), "a field has a name");
      require(field.name.find_first_of(" \t\r\n:") == std::string_view::npos, "of plain octets");
    }
    require(all == block, "the fields are the block");
    require(mail::readable_fields(block).size() == fields->size(), "nothing is left out");
  }
  const std::string id = mail::message_id_of(block);
  require(id.find_first_of("\r\n \t") == std::string::npos, "a Message-ID is safe to repeat");
  if (const auto author = mail::author_domain(block)) {
    require(mail::Domain::parse(author->text()).has_value(), "the author's domain is one");
    require(mail::split_header(block).has_value(), "and stands in a sound header");
  }
}
