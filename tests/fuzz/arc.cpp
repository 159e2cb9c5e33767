// A chain is valid only by RFC 8617 §5.2, and our set continues it by those rules.
#include <algorithm>

#include "relay/auth/arc/chain.hpp"
#include "relay/auth/arc/sealed_verdict.hpp"
#include "relay/auth/arc/sealer.hpp"
#include "relay/auth/arc/verifier.hpp"
#include "relay/base/text.hpp"
#include "relay/mail/header.hpp"
#include "tests/fuzz/oracle.hpp"

using namespace relay;
using auth::arc::Chain;
using auth::arc::ChainStatus;
using fuzz::require;

namespace {

/// Ed25519: some thousand signatures a second.
const auth::arc::SealingKey& sealer() {
  static const auth::arc::SealingKey key{
      "fwd.example", "s1", *auth::dkim::PrivateKey::generate(auth::dkim::KeyType::Ed25519)};
  return key;
}

void check_form(const Chain& chain) {
  const auto& sets = chain.sets();
  require(sets.size() <= auth::arc::kMaxInstances, "at most 50 sets");
  require(chain.instances() <= auth::arc::kMaxInstances + 1, "instances end at 51");
  require(chain.empty() || chain.problem().empty() != sets.empty(), "sets, or a problem");
  require(!chain.empty() || (sets.empty() && chain.instances() == 0), "nothing is nothing");
  if (sets.empty()) return;
  require(sets.size() == chain.instances(), "without a gap");
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const unsigned instance = static_cast<unsigned>(i + 1);
    require(auth::arc::instance_of_results(sets[i].results.value) == instance, "results in order");
    require(auth::arc::instance_of_tags(sets[i].signature.value) == instance, "signature, too");
    require(auth::arc::instance_of_tags(sets[i].seal.value) == instance, "and seal");
    const auto status = i == 0 ? ChainStatus::None : ChainStatus::Pass;
    require(sets[i].seal_tags.status == status, "cv=none first, then cv=pass");
    require(!sets[i].seal_tags.by.domain.empty(), "somebody sealed it");
  }
}

/// The sealer vouches only for an author whom the newest results name, and only if From is signed.
void check_voucher(const Chain& chain) {
  constexpr std::string_view kAuthor = "sender.example";
  require(!auth::arc::newest_set_vouches_for(chain, ""), "nobody is no author");
  if (!auth::arc::newest_set_vouches_for(chain, kAuthor)) return;
  const auto& newest = chain.sets().back();
  const std::string results = base::lower(newest.results.value);
  for (const std::string_view word : {std::string_view("dmarc"), std::string_view("pass")}) {
    require(results.find(word) != std::string::npos, "the words stand there");
  }
  require(std::ranges::any_of(newest.signature_tags.names,
                              [](const auto& name) { return base::lower(name) == "from"; }),
          "From is signed");
  require(!auth::arc::newest_set_vouches_for(chain, "victim.example"), "for one author only");
}

/// No key was fetched: nothing may pass.
void check_verdict(std::string_view block, const Chain& chain) {
  auth::dkim::BodyHashes hashes;
  const auth::arc::Verification verification(mail::Header(std::string(block)), hashes);
  hashes.update("x\r\n");
  hashes.finish();
  const auto verdict = verification.finish(hashes, base::WallTime{});
  require(verdict.result != mail::ArcResult::Pass, "no pass without a key");
  require((verdict.result == mail::ArcResult::None) == chain.empty(), "none is none");
  require(chain.problem().empty() || verdict.result == mail::ArcResult::Fail, "broken is failed");
}

void check_sealed(std::string_view block, const std::vector<mail::HeaderField>& fields,
                  const Chain& chain, mail::ArcResult result) {
  const std::string body_hash(32, 'h');
  const auto set = auth::arc::make_set(
      fields,
      {.results = "mx.fwd.example; none", .chain = result, .body_hash = body_hash, .now_unix = 1},
      sealer());
  require(set.has_value(), "our key can sign");
  const auto next = auth::arc::next_set(chain, result);
  require(next.has_value() != set->empty(), "a set exactly where there is one to be made");
  if (!next) return;
  const std::string whole = *set + std::string(block);
  const Chain longer = Chain::collect(mail::readable_fields(whole));
  require(longer.instances() == next->instance, "it is the newest");
  require(longer.instances() == chain.instances() + 1, "and one more");
  require(longer.last_sealer() == "fwd.example", "sealed by us");
  if (next->status == ChainStatus::Fail) {
    require(!longer.problem().empty() && longer.newest_says_fail(), "a broken chain says so");
    require(!auth::arc::next_set(longer, mail::ArcResult::Fail), "and not twice");
  } else {
    require(longer.problem().empty(), "a good chain stays one");
  }
}

}  // namespace

RELAY_FUZZ_TARGET(input) {
  const std::string_view block = input.substr(0, mail::header_length(input).value_or(input.size()));
  const auto fields = mail::readable_fields(block);
  const Chain chain = Chain::collect(fields);
  check_form(chain);
  check_voucher(chain);
  check_verdict(block, chain);
  // Fields are put on top of whole lines only, and not above the continuation of nothing.
  const bool sound =
      block.empty() || (block.ends_with("\r\n") && block.front() != ' ' && block.front() != '\t');
  if (!sound) return;
  for (const auto result : {mail::ArcResult::None, mail::ArcResult::Pass, mail::ArcResult::Fail,
                            mail::ArcResult::TempError}) {
    check_sealed(block, fields, chain, result);
  }
}
