// Checks of our own names and addresses: some cannot be used by others, or would vouch for authors.
#include <algorithm>
#include <array>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include "relay/auth/organisational_domain.hpp"
#include "relay/base/text.hpp"
#include "relay/review/review.hpp"
#include "relay/settings/settings.hpp"

namespace relay::review {

namespace {

/// Top-level names without public names below them (RFC 6761, RFC 6762, and those of home routers).
constexpr std::array<std::string_view, 7> kPrivate{"localhost", "localdomain", "local",  "lan",
                                                   "home",      "internal",    "invalid"};

}  // namespace

void host_name(const Subject& subject, Doubts& doubts) {
  const std::string& name = subject.settings.hostname;
  const std::size_t dot = name.rfind('.');
  const std::string_view last = std::string_view(name).substr(dot == name.npos ? 0 : dot + 1);
  const bool is_private = std::ranges::find(kPrivate, last) != kPrivate.end();
  if (dot != std::string::npos && !is_private) return;
  doubts.add(subject.settings.hostname_at,
             fmt::format("hostname: nobody can look up {}: hosts that check HELO refuse our mail, "
                         "and bounces cannot come back by it",
                         name),
             "give the public name of this host, as \"mx1.example.org\"");
}

void tag_character(const Subject& subject, Doubts& doubts) {
  const char tag = subject.settings.defaults.tag;
  if (tag == '\0') return;
  const base::SourcePlace& at = subject.settings.defaults.tag_at;
  if (base::is_alpha(tag) || base::is_digit(tag)) {
    doubts.add(
        at,
        fmt::format("defaults.tag: every name with \"{0}\" in it is looked up as what stands "
                    "before the \"{0}\"",
                    tag),
        "take \"+\", or \"\" for no sub-addresses");
  } else if (tag <= ' ' || tag > '~' || std::string_view("@,;:<>()[]\\\"").contains(tag)) {
    doubts.add(at,
               fmt::format("defaults.tag: no name has \"{}\" in it: nothing is a sub-address", tag),
               "take \"+\", or \"\" for no sub-addresses");
  }
}

void source_addresses(const Subject& subject, Doubts& doubts) {
  const settings::Outbound& outbound = subject.settings.outbound;
  const auto is_v6 = [](const std::string& text) { return text.contains(':'); };
  for (std::size_t i = 0; i < outbound.source.size(); ++i) {
    const std::string& source = outbound.source[i];
    // Only the last one of each address family is used.
    const auto other = std::find_if(outbound.source.rbegin(), outbound.source.rend(),
                                    [&](const auto& one) { return is_v6(one) == is_v6(source); });
    if (*other == source) continue;
    const auto at = i < outbound.source_at.size() ? outbound.source_at[i] : base::SourcePlace{};
    doubts.add(
        at, source,
        fmt::format("outbound.source: nothing leaves from {}: of {} only the last is used, {}",
                    source, is_v6(source) ? "IPv6" : "IPv4", *other),
        "give at most one address of each family");
  }
}

void srs_domain(const Subject& subject, Doubts& doubts) {
  const settings::Settings& settings = subject.settings;
  const auth::OrganisationalDomain organisations;
  for (const mail::Domain& srs : settings.srs_domains()) {
    const std::string organisation = organisations.by_registries(srs.folded());
    const bool is_first = srs == *settings.srs.domain;
    for (const forward::HostedDomain& domain : settings.domains) {
      if (organisations.by_registries(domain.name.folded()) != organisation) continue;
      doubts.add(
          settings.srs.domain_at, srs.folded(),
          fmt::format("{}: {} belongs to the organisation of {}, which is forwarded for: "
                      "SRS would prove mail that only claims to come from there, {}",
                      is_first ? "srs.domain" : "risk.srs_domain", srs.folded(), domain.text(),
                      settings.auth.verify
                          ? "so such mail keeps its sender"
                          : "so such mail keeps its sender, or is refused under one of ours: "
                            "auth.verify = false lets nobody prove himself"),
          "take a domain outside of every organisation that is forwarded for");
      break;
    }
  }
}

}  // namespace relay::review
