// Checks of certificates and keys that others may not accept, and of SRS secrets that are missing.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "relay/base/log.hpp"
#include "relay/review/review.hpp"
#include "relay/settings/settings.hpp"

namespace relay::review {

namespace {

using auth::dkim::KeyType;

/// "2026-11-24"
std::string day(base::WallTime time) { return base::rfc3339(time).substr(0, 10); }

std::string of_hosts(const std::vector<std::string>& names) {
  return names.empty() ? "no host" : fmt::format("{}", fmt::join(names, ", "));
}

bool is_ed25519_alone(const auth::SigningDomain& domain) {
  return std::ranges::all_of(domain.keys,
                             [](const auto& key) { return key.key.type() == KeyType::Ed25519; });
}

/// A selector has one DNS name, which can hold one key.
void look_at_selectors(const forward::DkimDomain& entry, Doubts& doubts) {
  std::set<std::string> seen;
  for (const forward::DkimKey& key : entry.keys) {
    if (seen.insert(key.selector).second) continue;
    doubts.add(entry.at,
               fmt::format("dkim: two keys of {} have the selector {}: only one of them can be in "
                           "the DNS",
                           entry.domain.folded(), key.selector),
               "give each key a selector of its own");
  }
}

void look_at_sealer(const Subject& subject, Doubts& doubts) {
  const auto& sealer = subject.signing.sealer;
  if (!sealer) return;
  const base::SourcePlace& at = subject.settings.arc.sealer->at;
  if (sealer->key.type() == KeyType::Ed25519) {
    doubts.add(at, "arc: sealed with Ed25519, which most receivers do not verify",
               "seal with an RSA key");
  }
  for (const auth::SigningDomain& domain : subject.signing.domains) {
    if (domain.domain != sealer->domain) continue;
    for (const auto& key : domain.keys) {
      if (key.selector != sealer->selector || key.key.dns_record() == sealer->key.dns_record()) {
        continue;
      }
      doubts.add(at,
                 fmt::format("arc: the key does not match the one that [[dkim]] has for {} of {}: "
                             "only one of them can be in the DNS",
                             sealer->selector, sealer->domain),
                 "name the same file, or take another selector");
    }
  }
}

}  // namespace

void certificate_of_tls(const Subject& subject, Doubts& doubts) {
  if (!subject.certificate || !subject.settings.tls) return;
  const Certificate& certificate = *subject.certificate;
  const settings::Tls& tls = *subject.settings.tls;
  const auto say = [&](const std::string& text, std::string hint) {
    doubts.add(tls.certificate.at, "tls.cert: " + tls.certificate.name + ' ' + text,
               std::move(hint));
  };
  constexpr const char* kConsequence = "who verifies it sends us nothing, others go on";
  // A short-lived certificate is always close to its end: warn in the last third of its life.
  const auto soon = std::min<std::chrono::milliseconds>(
      std::chrono::days(14), (certificate.ends - certificate.begins) / 3);
  if (certificate.ends <= subject.now) {
    say(fmt::format("expired on {}: {}", day(certificate.ends), kConsequence),
        "renew it; new files are taken by themselves");
  } else if (certificate.begins > subject.now) {
    say(fmt::format("is not valid before {}: {}", day(certificate.begins), kConsequence),
        "is the clock right?");
  } else if (certificate.ends - subject.now < soon) {
    say(fmt::format("expires on {}", day(certificate.ends)),
        "renew it; new files are taken by themselves");
  }
  if (!certificate.is_for_host_name) {
    say(fmt::format("is for {}, not for {}: {}", of_hosts(certificate.names),
                    subject.settings.hostname, kConsequence),
        "the name in it must be hostname, and that of the MX record");
  }
}

void signing_keys(const Subject& subject, Doubts& doubts) {
  for (const forward::DkimDomain& entry : subject.settings.dkim) {
    const auto& made = subject.signing.domains;
    const auto domain =
        std::ranges::find(made, entry.domain.folded(), &auth::SigningDomain::domain);
    if (domain != made.end() && is_ed25519_alone(*domain)) {
      doubts.add(entry.at,
                 fmt::format("dkim: {} signs with Ed25519 alone, which many receivers do not "
                             "verify: to them nothing is signed",
                             entry.domain.folded()),
                 "add a key made with `srs-relay dkim new --type rsa`");
    }
    look_at_selectors(entry, doubts);
  }
  look_at_sealer(subject, doubts);
}

void forgotten_secrets(const Subject& subject, Doubts& doubts) {
  const forward::Srs& srs = subject.settings.srs;
  for (const auto& [secret, until] : missed(subject.remembered, srs, subject.now)) {
    const bool changed = std::ranges::any_of(
        srs.secrets, [&](const forward::SrsSecret& one) { return one.id == secret.id; });
    doubts.add(srs.domain_at,
               fmt::format("srs: secret \"{}\" was valid at the last start and {}: bounces to the "
                           "addresses that were made with it are refused, until {}",
                           secret.id, changed ? "has other content now" : "is gone", day(until)),
               fmt::format("put it back{}, behind the first, with verify_until = {}",
                           changed ? " under another id" : "", day(until)));
  }
}

}  // namespace relay::review
