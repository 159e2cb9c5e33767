#include "relay/auth/arc/verifier.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "relay/auth/arc/chain.hpp"
#include "relay/auth/arc/signed_hash.hpp"
#include "relay/auth/dkim/signature_check.hpp"
#include "relay/auth/dkim/verifier.hpp"

namespace relay::auth::arc {

namespace {

using mail::ArcResult;

std::string name_of_key(const SignedBy& by) { return by.selector + "._domainkey." + by.domain; }

std::string about(std::string_view what, std::size_t index, std::string_view why) {
  return fmt::format("{} {}: {}", what, index + 1, why);
}

}  // namespace

Verification::Verification(const mail::Header& header, dkim::BodyHashes& hashes) {
  const Chain chain = Chain::collect(header.fields());
  verdict_ = {.result = chain.empty() ? ArcResult::None : ArcResult::Fail,
              .instances = static_cast<std::uint8_t>(chain.instances()),
              .last_sealer = chain.last_sealer(),
              .problem = chain.problem()};
  const auto& sets = chain.sets();
  if (sets.empty()) return;
  const auto seals = signed_seal_hashes(sets);
  const dkim::SignableHeader signable(header.fields());
  const std::size_t oldest_verified =
      sets.size() > kMaxOlderSignatures ? sets.size() - 1 - kMaxOlderSignatures : 0;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const MessageSignature& tags = sets[i].signature_tags;
    Link link{.signature = tags.by,
              .body_hash = tags.body_hash,
              .expiry = tags.expiry,
              .seal = sets[i].seal_tags.by,
              .sealed_hash = seals[i]};
    if (i >= oldest_verified) {
      link.signed_hash = signed_message_hash(signable, sets[i].signature, tags);
      link.body_wish = hashes.want(tags.body, tags.length);
    }
    links_.push_back(std::move(link));
  }
}

base::Task<bool> Verification::fetch(ports::Resolver& resolver, SignedBy by,
                                     base::Deadline deadline) {
  const std::string name = name_of_key(by);
  if (const auto known = keys_.find(name); known != keys_.end())
    co_return known->second.has_value();
  if (keys_.size() == kMaxKeyLookups) co_return false;
  auto key = co_await dkim::fetch_key(resolver, by.selector, by.domain, deadline);
  co_return keys_.emplace(name, std::move(key)).first->second.has_value();
}

base::Task<> Verification::fetch_keys(ports::Resolver& resolver, base::Deadline deadline) {
  if (links_.empty()) co_return;
  // The chain is valid only if the newest message signature and every seal are.
  if (!co_await fetch(resolver, links_.back().signature, deadline)) co_return;
  for (std::size_t i = links_.size(); i-- > 0;) {
    if (co_await fetch(resolver, links_[i].seal, deadline)) continue;
    too_many_keys_ = !keys_.contains(name_of_key(links_[i].seal));
    co_return;
  }
  has_keys_ = true;
}

base::Task<> Verification::fetch_older_keys(ports::Resolver& resolver, base::Deadline deadline) {
  if (!has_keys_) co_return;
  for (std::size_t i = links_.size() - 1; i-- > 0;) {
    if (links_[i].signed_hash.empty()) co_return;
    if (!co_await fetch(resolver, links_[i].signature, deadline)) co_return;
  }
}

Verification::Checked Verification::check_signed(const SignedBy& by,
                                                 const std::string& hash) const {
  const auto found = keys_.find(name_of_key(by));
  if (found == keys_.end()) return {Check::Unknown, "key was not looked up"};
  const Key& key = found->second;
  if (!key) return {key.error().temporary ? Check::Unknown : Check::Bad, key.error().text};
  const auto tried = dkim::check_signature(
      key->records, {.key_type = by.algorithm, .header_hash = hash, .signature = by.signature});
  const bool good = tried.result == mail::DkimResult::Pass;
  return {good ? Check::Good : Check::Bad, std::string(tried.problem)};
}

/// §5.2 step 4, for the set at `index`.
Verification::Checked Verification::check_message(std::size_t index, const dkim::BodyHashes& hashes,
                                                  std::int64_t now) const {
  const Link& link = links_[index];
  if (link.signed_hash.empty()) return {Check::Unknown, "too old"};
  if (link.expiry && now > *link.expiry + dkim::kClockSkewSeconds) return {Check::Bad, "expired"};
  if (!hashes.covers_all(link.body_wish) || hashes.falls_short(link.body_wish)) {
    return {Check::Bad, "l= is not the whole body"};
  }
  if (hashes.digest(link.body_wish) != link.body_hash) {
    return {Check::Bad, "body hash does not match"};
  }
  return check_signed(link.signature, link.signed_hash);
}

/// §5.2 step 6: every seal, from the newest to the oldest.
Verification::Checked Verification::check_seals() const {
  Checked worst;
  for (std::size_t i = links_.size(); i-- > 0;) {
    Checked checked = check_signed(links_[i].seal, links_[i].sealed_hash);
    if (checked.check == Check::Good) continue;
    checked.problem = about("seal", i, checked.problem);
    if (checked.check == Check::Bad) return checked;
    if (worst.check == Check::Good) worst = std::move(checked);
  }
  return worst;
}

/// The newest message signature and all seals: Bad if any is Bad, else Unknown if any is Unknown.
Verification::Checked Verification::check_chain(const dkim::BodyHashes& hashes,
                                                std::int64_t now) const {
  const std::size_t newest = links_.size() - 1;
  Checked message = check_message(newest, hashes, now);
  message.problem = about("message signature", newest, message.problem);
  if (message.check == Check::Bad) return message;
  if (too_many_keys_) return {Check::Bad, fmt::format("more than {} keys", kMaxKeyLookups)};
  Checked seals = check_seals();
  return message.check == Check::Unknown && seals.check != Check::Bad ? message : seals;
}

/// §5.2 step 5. A signature that was not verified does not count as passed.
std::uint8_t Verification::oldest_pass(const dkim::BodyHashes& hashes, std::int64_t now) const {
  for (std::size_t i = links_.size() - 1; i-- > 0;) {
    if (check_message(i, hashes, now).check == Check::Good) continue;
    return static_cast<std::uint8_t>(i + 2);  // the set above, counted from 1
  }
  return 0;
}

mail::ArcVerdict Verification::finish(const dkim::BodyHashes& hashes, base::WallTime now) const {
  if (links_.empty()) return verdict_;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  mail::ArcVerdict verdict = verdict_;
  const Checked chain = check_chain(hashes, seconds);
  if (chain.check == Check::Good) {
    verdict.result = ArcResult::Pass;
    verdict.oldest_pass = oldest_pass(hashes, seconds);
  } else {
    verdict.result = chain.check == Check::Bad ? ArcResult::Fail : ArcResult::TempError;
    verdict.problem = chain.problem;
  }
  return verdict;
}

}  // namespace relay::auth::arc
