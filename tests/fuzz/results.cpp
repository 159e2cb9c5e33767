// The parser reads back the field that was written, with no more results than were found; removal
// takes every forged field and no other octet.
#include <algorithm>
#include <vector>

#include "relay/auth/results/field.hpp"
#include "relay/auth/results/forged.hpp"
#include "relay/auth/results/parser.hpp"
#include "relay/mail/header.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using fuzz::require;

namespace {

constexpr std::string_view kOurs = "mx.fwd.example";

/// Texts of an attacker's choice, divided by octet 0xFF.
class Texts {
 public:
  explicit Texts(std::string_view input) : rest_(input) {}

  std::string next() {
    const std::size_t end = std::min(rest_.find('\xFF'), rest_.size());
    const std::string text(rest_.substr(0, end));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return text;
  }

 private:
  std::string_view rest_;
};

mail::Authentication verdicts(Texts& texts) {
  mail::Authentication found;
  found.helo.result = mail::SpfResult::Fail;
  found.helo.domain = texts.next();
  found.helo.problem = texts.next();
  found.mail_from.result = mail::SpfResult::SoftFail;
  found.mail_from.problem = texts.next();
  for (int i = 0; i < 2; ++i) {
    found.dkim.push_back({.result = mail::DkimResult::Fail,
                          .domain = texts.next(),
                          .selector = texts.next(),
                          .identity = texts.next(),
                          .algorithm = texts.next(),
                          .signature_head = texts.next(),
                          .problem = texts.next()});
  }
  found.dmarc = {.result = mail::DmarcResult::Fail,
                 .from_domain = texts.next(),
                 .policy_domain = texts.next(),
                 .problem = texts.next()};
  found.arc = {.result = mail::ArcResult::Fail, .instances = 1, .problem = texts.next()};
  return found;
}

mail::ReversePath sender(const std::string& local_part) {
  auto mailbox = mail::Mailbox::make(local_part, *mail::Domain::parse("sender.example"));
  return mailbox ? mail::ReversePath(std::move(*mailbox)) : mail::ReversePath();
}

void check_written(std::string_view input) {
  Texts texts(input);
  const mail::ReversePath path = sender(texts.next());
  const mail::Client client{.address = texts.next(), .helo = texts.next()};
  const bool smtputf8 = input.size() % 2 == 1;
  const auto found = verdicts(texts);
  const std::string field = auth::results::results_field(auth::results::results_value(
      kOurs, {.verdicts = found, .sender = path, .client = client, .smtputf8 = smtputf8}));
  const mail::Header header(field);
  require(header.fields().size() == 1 && header.unreadable().empty(), "one field is one field");
  require(field.find('\0') == std::string::npos, "without NUL");
  const auto read = auth::results::parse_results(header.fields().front().value);
  require(read.has_value(), "what we write can be read");
  require(read->authserv_id == kOurs, "under our name");
  std::string methods;
  for (const auto& result : read->results) {
    methods += result.method + " ";
    require(result.result != "pass", "nothing passed");
  }
  const bool both = !path.is_null() && !found.helo.domain.empty();
  require(
      methods == (both ? "iprev spf spf dkim dkim dmarc arc " : "iprev spf dkim dkim dmarc arc "),
      "no result but ours");
  for (const char* words : {"spf=pass", "dkim=pass", "dmarc=pass", "arc=pass"}) {
    require(field.find(words) == std::string::npos, "not even for who searches for words");
  }
}

void check_removed(std::string_view block) {
  block = block.substr(0, mail::header_length(block).value_or(block.size()));
  std::size_t removed = 0;
  const std::string kept = auth::results::without_forged(block, kOurs, &removed);
  std::vector<std::string_view> expected;
  for (const auto& field : mail::readable_fields(block)) {
    const bool forged = mail::find_fields({field}, "Authentication-Results").size() == 1 &&
                        auth::results::claims_to_be(kOurs, field.value);
    if (!forged) expected.push_back(field.raw);
  }
  std::vector<std::string_view> left;
  for (const auto& field : mail::readable_fields(kept)) left.push_back(field.raw);
  require(left == expected, "the fields of others are left, in order, octet by octet");
  require(removed > 0 || kept == block, "and with nothing removed everything");
  std::size_t again = 0;
  require(auth::results::without_forged(kept, kOurs, &again) == kept && again == 0, "none is left");
}

/// Where the grammar is kept, reading leniently makes no difference. The exception is an "=" in a
/// value, in which the lenient reader may see the next property.
void check_lenient(std::string_view input) {
  const auto lenient = auth::results::parse_results_leniently(input);
  for (const auto& one : lenient ? lenient->results : std::vector<auth::results::Result>()) {
    require(!one.method.empty() && !one.result.empty(), "a method and its result, or nothing");
  }
  const auto strict = auth::results::parse_results(input);
  if (!strict) return;
  require(lenient.has_value(), "what is in order can be read");
  require(lenient->authserv_id == strict->authserv_id, "with its name");
  const bool odd = std::ranges::any_of(strict->results, [](const auto& one) {
    return one.reason.find('=') != std::string::npos ||
           std::ranges::any_of(one.properties, [](const auto& property) {
             return property.value.find('=') != std::string::npos;
           });
  });
  require(odd || lenient->results == strict->results, "and the same results");
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  check_written(input);
  check_removed(input);
  check_lenient(input);
  if (const auto read = auth::results::parse_results(input)) {
    const auto id = auth::results::authserv_id_of(input);
    require(id && *id == read->authserv_id, "the id is the same, read alone or with the rest");
  }
}
