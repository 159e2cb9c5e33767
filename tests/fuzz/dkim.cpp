// DKIM tag lists, signatures, key records, and whole messages through the verifier. The
// input is a message; its X-Key field, if any, is the key record of every selector.
#include <algorithm>

#include "relay/auth/dkim/key_record.hpp"
#include "relay/auth/dkim/public_key.hpp"
#include "relay/auth/dkim/signature_field.hpp"
#include "relay/auth/dkim/tag_list.hpp"
#include "relay/auth/dkim/verifier.hpp"
#include "tests/auth/dkim/judged.hpp"
#include "tests/auth/dkim/recorded_resolver.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using namespace relay::auth::dkim;
using fuzz::require;
using Verdicts = std::vector<mail::DkimVerdict>;

namespace {

// The public half of tests/auth/dkim/data/ed25519.pem: seeds signed with it pass.
constexpr const char* kKey = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

bool is_clean(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c < 0 || (c >= ' ' && c != '\x7F'); });
}

void check_parsers(std::string_view input) {
  if (const auto tags = parse_tag_list(input)) {
    require(!tags->empty() && tags->size() <= kMaxTags, "a list has tags, not too many");
    for (const Tag& tag : *tags) {
      require(find_tag(*tags, tag.name)->data() == tag.value.data(), "names are unique");
    }
  }
  if (const auto record = parse_key_record(input)) {
    const auto key = PublicKey::parse(record->type, record->key);
    if (key) require(key->bits() <= 4096, "large keys are not taken");
  }
  PublicKey::parse(KeyType::Rsa, input);
  const auto field = parse_signature_field(input);
  if (field) {
    require(!field->domain.empty() && !field->selector.empty(), "there is a key to look up");
    require(field->identity_domain.ends_with(field->domain), "i= is d= or below");
    require(field->body_hash.size() == 32 && !field->signature.empty(), "there is a signature");
  }
}

void check_verdicts(const Verdicts& verdicts) {
  for (const auto& verdict : verdicts) {
    for (const std::string* text :
         {&verdict.domain, &verdict.selector, &verdict.identity, &verdict.algorithm,
          &verdict.signature_head, &verdict.problem}) {
      require(is_clean(*text), "no control octet leaves");
    }
    const bool pass = verdict.result == mail::DkimResult::Pass;
    require(verdict.problem.empty() == pass, "a pass has no problem, all else has one");
    require(!pass || (verdict.key_bits > 0 && !verdict.domain.empty()), "a pass has a key");
  }
}

RecordedResolver keys_for(std::string_view message) {
  RecordedResolver dns;
  std::vector<std::string> records = {kKey};
  for (const auto& field : mail::find_fields(mail::readable_fields(message), "X-Key")) {
    records.push_back(mail::unfolded(field.value));
  }
  dns.otherwise(std::move(records));
  return dns;
}

bool same(const Verdicts& a, const Verdicts& b) {
  return std::ranges::equal(a, b, [](const auto& one, const auto& other) {
    return one.result == other.result && one.problem == other.problem;
  });
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  check_parsers(input);
  RecordedResolver dns = keys_for(input);
  const Verdicts verdicts = judged(input, dns);
  require(dns.asked().size() <= kMaxVerified, "lookups are bounded");
  check_verdicts(verdicts);
  require(same(verdicts, judged(input, dns, kTestNow, 1)), "whatever the division of the body");
  if (body_of(input).empty()) return;
  const Verdicts changed = judged(std::string(input) + "\r\nx", dns);
  for (std::size_t i = 0; i < verdicts.size() && i < changed.size(); ++i) {
    require(changed[i].result != mail::DkimResult::Pass, "no pass for what was appended");
  }
}
