// What is trusted in incoming mail, and the names that we use ourselves: [auth], [arc], [rewrite],
// and the three keys about DMARC that [defaults], domains and aliases share.
#include <algorithm>

#include <fmt/format.h>

#include "relay/forward/policy.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/read_sections.hpp"
#include "relay/settings/verification.hpp"

namespace relay::settings {

using forward::Alias;
using forward::Arc;
using forward::ArcSealer;
using forward::DmarcOverrides;
using forward::HostedDomain;
using forward::OnDmarcFail;
using forward::Policy;
using forward::Quarantine;
using forward::RewriteFrom;
using forward::SealWhen;

namespace {

void read_trusted_sealers(Section& section, Arc& arc) {
  std::vector<std::string> names;
  section.texts("trusted_sealers", names);
  for (const std::string& name : names) {
    const auto domain = mail::Domain::parse(name);
    if (domain && domain->is_dotted()) {
      arc.trusted_sealers.push_back(domain->folded());
    } else {
      section.problem("trusted_sealers", ProblemCode::Value, "not a domain name: \"" + name + '"');
    }
  }
}

/// Reads all that sealing needs, or nothing when no such key is set: [arc] may only list trusted
/// sealers.
void read_sealer(Section& section, Arc& arc) {
  const bool wanted = std::ranges::any_of(
      std::initializer_list<const char*>{"domain", "selector", "file", "env", "credential", "seal"},
      [&](const char* key) { return section.has(key); });
  section.choice("seal", arc.seal,
                 {{"always", SealWhen::Always},
                  {"when-useful", SealWhen::WhenUseful},
                  {"never", SealWhen::Never}});
  if (!wanted) return;
  std::optional<mail::Domain> domain;
  std::string selector;
  section.domain("domain", domain);
  section.text("selector", selector);
  base::Secret key = read_secret(section);
  if (!domain && !section.has("domain")) {
    section.problem("domain", ProblemCode::Missing, "names the sealing domain (d=)");
  }
  if (!mail::Domain::parse(selector)) {
    section.problem("selector", ProblemCode::Value, "not a selector: \"" + selector + '"');
  }
  if (domain) {
    const char* from = section.has("file") ? "file" : section.has("env") ? "env" : "credential";
    arc.sealer =
        ArcSealer{std::move(*domain), std::move(selector), std::move(key), section.place(from)};
  }
}

void read_arc(Section& root, Arc& arc) {
  auto section = root.table("arc");
  if (!section) return;
  read_trusted_sealers(*section, arc);
  read_sealer(*section, arc);
  section->finish();
}

void read_rewrite(Section& root, std::optional<mail::Domain>& name) {
  auto section = root.table("rewrite");
  if (!section) return;
  section->domain("domain", name);
  if (!section->has("domain")) {
    section->problem("domain", ProblemCode::Missing, "names the domain that stands in From");
  }
  section->finish();
}

/// True when the names are equal, or one is below the other: aligned under every rule. Siblings are
/// found in forward/identities, where the public suffix list is known.
bool related(const std::string& a, const std::string& b) {
  return a == b || a.ends_with('.' + b) || b.ends_with('.' + a);
}

bool rewrites_anywhere(const Policy& policy) {
  const auto wants = [](const DmarcOverrides& dmarc) {
    return dmarc.rewrite_from == RewriteFrom::WhenNeeded;
  };
  return policy.defaults.dmarc.rewrite_from == RewriteFrom::WhenNeeded ||
         std::ranges::any_of(policy.domains, [&](const HostedDomain& domain) {
           return wants(domain.dmarc) ||
                  std::ranges::any_of(domain.aliases,
                                      [&](const Alias& alias) { return wants(alias.dmarc); });
         });
}

}  // namespace

void read_auth(Section& root, const std::string& hostname, Auth& auth) {
  auth.authserv_id = hostname;
  auto section = root.table("auth");
  if (!section) return;
  section->boolean("verify", auth.verify);
  std::optional<mail::Domain> id;
  section->domain("authserv_id", id);
  if (id) auth.authserv_id = id->folded();
  section->duration("timeout", auth.timeout);
  section->choice(
      "organisation", auth.organisation,
      {{"tree-walk", OrganisationRule::TreeWalk}, {"psl", OrganisationRule::SuffixList}});
  section->finish();
}

void read_proofs(Section& root, Policy& policy) {
  read_arc(root, policy.arc);
  read_rewrite(root, policy.rewrite_domain);
}

DmarcOverrides read_dmarc(Section& section) {
  DmarcOverrides dmarc;
  OnDmarcFail on_fail{};
  section.choice("on_dmarc_fail", on_fail,
                 {{"policy", OnDmarcFail::Policy},
                  {"forward", OnDmarcFail::Forward},
                  {"hold", OnDmarcFail::Hold}});
  if (section.has("on_dmarc_fail")) dmarc.on_dmarc_fail = on_fail;
  Quarantine quarantine{};
  section.choice("quarantine", quarantine,
                 {{"risk-pool", Quarantine::RiskPool}, {"tag", Quarantine::Tag}});
  if (section.has("quarantine")) dmarc.quarantine = quarantine;
  RewriteFrom rewrite{};
  section.choice("rewrite_from", rewrite,
                 {{"never", RewriteFrom::Never}, {"when-needed", RewriteFrom::WhenNeeded}});
  if (section.has("rewrite_from")) dmarc.rewrite_from = rewrite;
  return dmarc;
}

void check_identities(Section& root, const Policy& policy) {
  if (!policy.rewrite_domain) {
    if (rewrites_anywhere(policy)) {
      root.problem("rewrite", ProblemCode::Missing,
                   "rewrite_from = \"when-needed\" needs [rewrite] domain, one that is used for "
                   "nothing else");
    }
    return;
  }
  auto section = root.table("rewrite");
  const std::string& name = policy.rewrite_domain->folded();
  for (const HostedDomain& domain : policy.domains) {
    if (!related(name, domain.name.folded())) continue;
    section->problem("domain", ProblemCode::Value,
                     fmt::format("{} is aligned with {}, which is forwarded: rewritten mail would "
                                 "speak in its name; take a domain of its own",
                                 name, domain.text()));
    return;
  }
}

}  // namespace relay::settings
