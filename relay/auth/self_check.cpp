#include "relay/auth/self_check.hpp"

#include <algorithm>
#include <expected>

#include "relay/auth/arc/chain.hpp"
#include "relay/auth/arc/signed_hash.hpp"
#include "relay/auth/dkim/canonical.hpp"
#include "relay/auth/dkim/signature_check.hpp"
#include "relay/auth/dkim/signature_field.hpp"
#include "relay/base/text.hpp"

namespace relay::auth {

namespace {

constexpr std::string_view kForeignBody = "body hash does not match";
constexpr std::string_view kForeignKey = "another key is named";

/// The complete header as a verifier sees it, and where in it our own fields are.
struct WholeHeader {
  explicit WholeHeader(const SignedMessage& message)
      : below(std::string(message.dkim_fields) + std::string(message.header_block)),
        fields(mail::readable_fields(message.arc_fields)),
        of_set(fields.size()),
        signatures(mail::readable_fields(message.dkim_fields).size()) {
    // Our trace fields between seal and signatures are left out, because no signature covers them.
    // Signatures and header are parsed as one text, so that a fault where they meet is found.
    const auto rest = mail::readable_fields(below);
    fields.insert(fields.end(), rest.begin(), rest.end());
  }

  const std::string below;
  std::vector<mail::HeaderField> fields;  ///< topmost first
  const std::size_t of_set;               ///< number of fields of our ARC set, which are first
  const std::size_t signatures;           ///< number of our DKIM-Signatures, which follow it
};

bool is_named(const PublishedKey& key, const std::string& domain, const std::string& selector) {
  return base::equal_ignoring_case(key.domain, domain) &&
         base::equal_ignoring_case(key.selector, selector);
}

/// "" if the signature was made by `key`, else what is wrong.
std::string verified(const PublishedKey& key, const dkim::SignedHash& hash) {
  const auto check = dkim::check_signature({key.record}, hash);
  return check.result == mail::DkimResult::Pass ? std::string() : std::string(check.problem);
}

std::string signature_problem(const mail::HeaderField& own, const dkim::SignableHeader& header,
                              std::string_view body_hash, const PublishedKey& key) {
  if (!base::equal_ignoring_case(own.name, "DKIM-Signature")) return "not a DKIM-Signature";
  const auto field = dkim::parse_signature_field(own.value);
  if (!field) return std::string(dkim::describe(field.error()));
  if (!is_named(key, field->domain, field->selector)) return std::string(kForeignKey);
  if (field->body_canon != dkim::Canon::Relaxed || field->length || field->body_hash != body_hash) {
    return std::string(kForeignBody);
  }
  const std::string hash = dkim::signed_header_hash(header, own, *field);
  return verified(key, {.key_type = field->key_type,
                        .header_hash = hash,
                        .signature = field->signature,
                        .below_domain = field->identity_domain != field->domain});
}

using Set = std::expected<arc::ArcSet, std::string>;

Set read_set(const std::vector<mail::HeaderField>& fields) {
  const auto seals = mail::find_fields(fields, "ARC-Seal");
  const auto signatures = mail::find_fields(fields, "ARC-Message-Signature");
  const auto results = mail::find_fields(fields, "ARC-Authentication-Results");
  if (fields.size() != 3 || seals.size() != 1 || signatures.size() != 1 || results.size() != 1) {
    return std::unexpected("not an ARC set");
  }
  auto message = arc::parse_message_signature(signatures.front().value);
  if (!message) return std::unexpected(message.error());
  auto seal = arc::parse_seal(seals.front().value);
  if (!seal) return std::unexpected(seal.error());
  return arc::ArcSet{.results = results.front(),
                     .signature = signatures.front(),
                     .seal = seals.front(),
                     .signature_tags = std::move(*message),
                     .seal_tags = std::move(*seal)};
}

std::string message_signature_problem(const arc::ArcSet& own, const dkim::SignableHeader& header,
                                      std::string_view body_hash, const PublishedKey& key) {
  const arc::MessageSignature& tags = own.signature_tags;
  if (!is_named(key, tags.by.domain, tags.by.selector)) return std::string(kForeignKey);
  if (tags.body != dkim::Canon::Relaxed || tags.length || tags.body_hash != body_hash) {
    return std::string(kForeignBody);
  }
  const std::string hash = arc::signed_message_hash(header, own.signature, tags);
  return verified(
      key, {.key_type = tags.by.algorithm, .header_hash = hash, .signature = tags.by.signature});
}

std::string seal_problem(const arc::ArcSet& own, const std::vector<mail::HeaderField>& fields,
                         const PublishedKey& key) {
  const arc::SignedBy& by = own.seal_tags.by;
  if (!is_named(key, by.domain, by.selector)) return std::string(kForeignKey);
  std::vector<arc::ArcSet> sets{own};
  if (own.seal_tags.status != arc::ChainStatus::Fail) {
    const arc::Chain chain = arc::Chain::collect(fields);
    if (!chain.problem().empty()) return chain.problem();
    if (chain.sets().back().seal.raw.data() != own.seal.raw.data()) return "not the newest set";
    sets = chain.sets();
  }  // else it covers our own set alone (RFC 8617 §5.1.2)
  const std::string hash = arc::signed_seal_hashes(sets).back();
  return verified(key, {.key_type = by.algorithm, .header_hash = hash, .signature = by.signature});
}

SelfCheckFault fault_of(const PublishedKey& key, std::string_view what, std::string problem) {
  return {key.domain, key.selector, std::string(what) + ": " + std::move(problem)};
}

}  // namespace

std::optional<SelfCheckFault> fault_in(const SignedMessage& message,
                                       const std::vector<PublishedKey>& signers,
                                       const std::optional<PublishedKey>& sealer) {
  const WholeHeader whole(message);
  const dkim::SignableHeader header(whole.fields);
  const std::size_t signatures = std::min(whole.signatures, signers.size());
  for (std::size_t i = 0; i < signatures; ++i) {
    auto problem =
        signature_problem(whole.fields[whole.of_set + i], header, message.body_hash, signers[i]);
    if (!problem.empty()) return fault_of(signers[i], "DKIM-Signature", std::move(problem));
  }
  if (whole.signatures < signers.size()) {
    return fault_of(signers[signatures], "DKIM-Signature", "missing");
  }
  if (whole.signatures > signers.size()) return SelfCheckFault{"", "", "unknown DKIM-Signature"};
  if (message.arc_fields.empty()) return std::nullopt;
  if (!sealer) return SelfCheckFault{"", "", "unknown seal"};
  const auto own = read_set(
      {whole.fields.begin(), whole.fields.begin() + static_cast<std::ptrdiff_t>(whole.of_set)});
  if (!own) return fault_of(*sealer, "ARC set", own.error());
  auto problem = message_signature_problem(*own, header, message.body_hash, *sealer);
  if (!problem.empty()) return fault_of(*sealer, "ARC-Message-Signature", std::move(problem));
  problem = seal_problem(*own, whole.fields, *sealer);
  if (!problem.empty()) return fault_of(*sealer, "ARC-Seal", std::move(problem));
  return std::nullopt;
}

}  // namespace relay::auth
