#include "relay/auth/arc/signed_hash.hpp"

#include "relay/auth/dkim/canonical.hpp"
#include "relay/base/sha256.hpp"

namespace relay::auth::arc {

namespace {

using dkim::Canon;

void append(std::string& text, const mail::HeaderField& field) {
  text += dkim::canonical_field(field, Canon::Relaxed);
  text += "\r\n";
}

void append_signed_part(std::string& text, const mail::HeaderField& results,
                        const mail::HeaderField& signature) {
  append(text, results);
  append(text, signature);
}

}  // namespace

std::string signed_message_hash(const dkim::SignableHeader& header, const mail::HeaderField& own,
                                const MessageSignature& tags) {
  return base::sha256(header.canonical(tags.names, tags.header, &own) +
                      dkim::canonical_signature_field(own, tags.header));
}

std::vector<std::string> signed_seal_hashes(const std::vector<ArcSet>& sets) {
  std::vector<std::string> hashes;
  std::string earlier;
  for (const ArcSet& set : sets) {
    append_signed_part(earlier, set.results, set.signature);
    hashes.push_back(
        base::sha256(earlier + dkim::canonical_signature_field(set.seal, Canon::Relaxed)));
    append(earlier, set.seal);
  }
  return hashes;
}

std::string signed_seal_hash(const std::vector<ArcSet>& earlier, const mail::HeaderField& results,
                             const mail::HeaderField& signature, const mail::HeaderField& seal) {
  std::string text;
  for (const ArcSet& set : earlier) {
    append_signed_part(text, set.results, set.signature);
    append(text, set.seal);
  }
  append_signed_part(text, results, signature);
  return base::sha256(text + dkim::canonical_signature_field(seal, Canon::Relaxed));
}

}  // namespace relay::auth::arc
