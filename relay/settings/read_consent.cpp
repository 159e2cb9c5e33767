// [consent]: which targets agreed to forwarding, and where those who did not may complain.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "relay/forward/hosted_domains.hpp"
#include "relay/forward/policy.hpp"
#include "relay/settings/confirmed_text.hpp"
#include "relay/settings/files.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/read_sections.hpp"

namespace relay::settings {

using forward::Alias;
using forward::ConfirmedTargets;
using forward::Consent;
using forward::Defaults;
using forward::HostedDomain;
using forward::HostedDomains;

namespace {

constexpr std::size_t kMaxContact = 320;
constexpr std::size_t kMaxNamed = 10;  // nobody reads a longer list

/// True for a text that can be put unchanged into a header field of any message: printable ASCII
/// without spaces; an https URL or an address.
bool is_contact(const std::string& text) {
  const bool plain = text.size() <= kMaxContact &&
                     std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  if (!plain) return false;
  if (text.starts_with("https://")) return text.size() > std::string_view("https://").size();
  return mail::Mailbox::parse(text).has_value();
}

/// Reads the confirmed targets and reports what is wrong; null when the file cannot be read.
std::shared_ptr<const ConfirmedTargets> read_confirmed(Section& section, const std::string& name,
                                                       const Defaults& defaults) {
  const std::string path = relative_to(name, section.at("confirmed").file);
  section.findings().name_file(path, section.at("confirmed"));
  auto content = read_file(path);
  if (!content) {
    section.problem("confirmed", content.error().code, content.error().text);
    return nullptr;
  }
  auto confirmed = std::make_shared<ConfirmedTargets>(defaults.tag);
  read_confirmed_text(path, *content, *confirmed, section.findings());
  // The operator has configured this address, and people with trouble must be able to reach it.
  if (defaults.postmaster) confirmed->add(*defaults.postmaster);
  confirmed->seal();
  return confirmed;
}

}  // namespace

void read_consent(Section& root, const Defaults& defaults, Consent& consent) {
  auto section = root.table("consent");
  if (!section) return;
  bool required = false;
  section->boolean("required", required);
  std::string name = "confirmed.txt";
  section->text("confirmed", name);
  section->number("max_held", consent.max_held, 1, 1'000'000);
  section->text("contact", consent.contact);
  if (!consent.contact.empty() && !is_contact(consent.contact)) {
    section->bad_value("contact",
                       "expected an address such as \"abuse@example.org\", or an https:// URL");
  }
  section->finish();
  if (!required && !section->has("confirmed")) return;
  auto confirmed = read_confirmed(*section, name, defaults);
  if (required) consent.confirmed = std::move(confirmed);
}

void warn_of_unconfirmed(const forward::Policy& policy, Findings& findings) {
  if (!policy.consent.confirmed) return;
  const HostedDomains hosted(policy);
  std::set<std::string> unconfirmed;
  for (const HostedDomain& domain : policy.domains) {
    for (const Alias& alias : domain.aliases) {
      for (const mail::Mailbox& target : alias.targets) {
        if (hosted.find(target.domain().folded()) != nullptr) continue;
        std::string awaited = policy.consent.confirmed->awaited(target);
        if (!awaited.empty()) unconfirmed.insert(std::move(awaited));
      }
      if (!alias.fallback || hosted.find(alias.fallback->domain().folded()) != nullptr) continue;
      std::string awaited = policy.consent.confirmed->awaited(*alias.fallback);
      if (!awaited.empty()) unconfirmed.insert(std::move(awaited));
    }
  }
  if (unconfirmed.empty()) return;
  std::string named;
  for (std::size_t shown = 0; const std::string& address : unconfirmed) {
    if (shown++ == kMaxNamed) {
      named += ", …";
      break;
    }
    named += (named.empty() ? "" : ", ") + address;
  }
  findings.warn(
      findings.position({}),
      fmt::format("{} target{} not confirmed, mail for them is held: {}", unconfirmed.size(),
                  unconfirmed.size() == 1 ? " has" : "s have", named));
}

}  // namespace relay::settings
