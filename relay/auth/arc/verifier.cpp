#include "relay/auth/arc/verifier.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "relay/auth/arc/signed_hash.hpp"
#include "relay/auth/dkim/public_key.hpp"

namespace relay::auth::arc {

namespace {

using mail::ArcResult;

std::string name_of_key(const SignedBy& by) { return by.selector + "._domainkey." + by.domain; }

/// Why no record of the key made the signature good; "" when one did.
std::string refusal(const dkim::FetchedKey& key, const SignedBy& by, const std::string& hash) {
  std::string why = "no key for this algorithm";
  for (const dkim::KeyRecord& record : key.records) {
    if (record.type != by.algorithm || !record.for_sha256 || !record.for_email) continue;
    const auto parsed = dkim::PublicKey::parse(record.type, record.key);
    if (!parsed) {
      why = dkim::describe(parsed.error());
    } else if (parsed->verify_hash(hash, by.signature)) {
      return {};
    } else {
      why = "does not verify";
    }
  }
  return why;
}

std::string about(std::string_view what, std::size_t index, std::string_view why) {
  return fmt::format("{} {}: {}", what, index + 1, why);
}

}  // namespace

Verifier::Verifier(const std::vector<mail::HeaderField>& fields, dkim::BodyHashes& hashes)
    : fields_(fields), chain_(Chain::collect(fields)) {
  for (const ArcSet& set : chain_.sets()) {
    wishes_.push_back(hashes.want(set.signature_tags.body, set.signature_tags.length));
  }
}

base::Task<bool> Verifier::fetch(ports::Resolver& resolver, SignedBy by, base::Deadline deadline) {
  const std::string name = name_of_key(by);
  if (const auto known = keys_.find(name); known != keys_.end())
    co_return known->second.has_value();
  if (keys_.size() == kMaxKeyLookups) co_return false;
  auto key = co_await dkim::fetch_key(resolver, by.selector, by.domain, deadline);
  co_return keys_.emplace(name, std::move(key)).first->second.has_value();
}

base::Task<> Verifier::fetch_keys(ports::Resolver& resolver, base::Deadline deadline) {
  const auto& sets = chain_.sets();
  if (sets.empty()) co_return;
  // What the chain stands or falls with: the newest message signature, and every seal.
  if (!co_await fetch(resolver, sets.back().signature_tags.by, deadline)) co_return;
  for (std::size_t i = sets.size(); i-- > 0;) {
    if (co_await fetch(resolver, sets[i].seal_tags.by, deadline)) continue;
    too_many_keys_ = !keys_.contains(name_of_key(sets[i].seal_tags.by));
    co_return;
  }
  for (std::size_t i = sets.size() - 1; i-- > 0;) {
    if (!co_await fetch(resolver, sets[i].signature_tags.by, deadline)) co_return;
  }
}

Verifier::Checked Verifier::check_signed(const SignedBy& by, const std::string& hash) const {
  const auto found = keys_.find(name_of_key(by));
  if (found == keys_.end()) return {Check::Unknown, "key was not looked up"};
  const Key& key = found->second;
  if (!key) return {key.error().temporary ? Check::Unknown : Check::Bad, key.error().text};
  std::string why = refusal(*key, by, hash);
  return {why.empty() ? Check::Good : Check::Bad, std::move(why)};
}

/// §5.2 step 4, for the set at `index`.
Verifier::Checked Verifier::check_signature(std::size_t index, const dkim::BodyHashes& hashes,
                                            std::int64_t now_unix) const {
  const ArcSet& set = chain_.sets()[index];
  const MessageSignature& tags = set.signature_tags;
  const std::size_t wish = wishes_[index];
  if (tags.expiry && *tags.expiry < now_unix) return {Check::Bad, "expired"};
  if (!hashes.covers_all(wish) || hashes.falls_short(wish)) {
    return {Check::Bad, "l= is not the whole body"};  // D-1
  }
  if (hashes.digest(wish) != tags.body_hash) return {Check::Bad, "body hash does not match"};
  return check_signed(tags.by, signed_message_hash(fields_, set.signature, tags));
}

/// §5.2 step 6: every seal, from the newest to the oldest.
Verifier::Checked Verifier::check_seals() const {
  const auto hashes = signed_seal_hashes(chain_.sets());
  Checked worst{Check::Good, {}};
  for (std::size_t i = hashes.size(); i-- > 0;) {
    Checked checked = check_signed(chain_.sets()[i].seal_tags.by, hashes[i]);
    if (checked.check == Check::Good) continue;
    checked.problem = about("seal", i, checked.problem);
    if (checked.check == Check::Bad) return checked;
    if (worst.check == Check::Good) worst = std::move(checked);
  }
  return worst;
}

/// §5.2 step 5. Beyond what may be looked up or verified nothing is claimed.
std::uint8_t Verifier::oldest_pass(const dkim::BodyHashes& hashes, std::int64_t now_unix) const {
  const std::size_t newest = chain_.sets().size() - 1;
  for (std::size_t i = newest; i-- > 0;) {
    const bool affordable = newest - i <= kMaxOlderSignatures;
    if (affordable && check_signature(i, hashes, now_unix).check == Check::Good) continue;
    return static_cast<std::uint8_t>(i + 2);  // the set above, counted from 1
  }
  return 0;
}

mail::ArcVerdict Verifier::finish(const dkim::BodyHashes& hashes, std::int64_t now_unix) const {
  mail::ArcVerdict verdict{.instances = static_cast<std::uint8_t>(chain_.instances()),
                           .last_sealer = chain_.last_sealer()};
  const auto end_as = [&](ArcResult result, std::string problem) {
    verdict.result = result;
    verdict.problem = std::move(problem);
    return verdict;
  };
  if (chain_.empty()) return verdict;
  if (!chain_.problem().empty()) return end_as(ArcResult::Fail, chain_.problem());
  const std::size_t newest = chain_.sets().size() - 1;
  Checked signature = check_signature(newest, hashes, now_unix);
  signature.problem = about("message signature", newest, signature.problem);
  if (signature.check == Check::Bad) return end_as(ArcResult::Fail, signature.problem);
  if (too_many_keys_) return end_as(ArcResult::Fail, "more than 12 keys to look up");

  const Checked seals = check_seals();
  if (seals.check == Check::Bad) return end_as(ArcResult::Fail, seals.problem);
  if (signature.check == Check::Unknown) return end_as(ArcResult::TempError, signature.problem);
  if (seals.check == Check::Unknown) return end_as(ArcResult::TempError, seals.problem);
  verdict.oldest_pass = oldest_pass(hashes, now_unix);
  return end_as(ArcResult::Pass, {});
}

}  // namespace relay::auth::arc
