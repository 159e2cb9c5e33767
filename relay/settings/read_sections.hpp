// One reader for each section of the configuration, or for a few. All report into the section's
// findings.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/key_text.hpp"
#include "relay/base/network.hpp"
#include "relay/base/secret.hpp"
#include "relay/settings/section.hpp"

namespace relay::mail {
struct NoticePolicy;
struct RetryPolicy;
}  // namespace relay::mail

namespace relay::forward {
struct BounceLimits;
struct Consent;
struct Defaults;
struct DkimDomain;
struct DmarcOverrides;
struct HostedDomain;
struct Policy;
struct Provider;
struct RouteRule;
struct Srs;
}  // namespace relay::forward

namespace relay::settings {

struct Abuse;
struct Auth;
struct Control;
struct Dns;
struct DnsList;
struct Gateway;
struct Greylist;
struct Limits;
struct Listener;
struct LogTarget;
struct Outbound;
struct Queue;
struct Rates;
struct Tls;

// read_arrival.cpp
void read_listeners(Section& root, std::vector<Listener>& listeners);
void read_gateways(Section& root, const Auth& auth, std::vector<Gateway>& gateways);
/// Checks what listeners need from other sections. Call after all are read.
void check_listeners(Section& root, const std::vector<Listener>& listeners, bool has_tls);
/// Reads networks and addresses of clients.
void read_networks(Section& section, const char* key, base::Networks& into);

// read_abuse.cpp
void read_dns_lists(Section& root, std::vector<DnsList>& lists);
void read_abuse(Section& root, Abuse& abuse);
void read_greylist(Section& root, Greylist& greylist);
void read_rates(Section& root, Rates& rates);

// read_auth.cpp
void read_auth(Section& root, const std::string& hostname, Auth& auth);
void read_proofs(Section& root, forward::Policy& policy);  ///< [arc], [rewrite]
/// Reads on_dmarc_fail, quarantine and rewrite_from, in any section that has them.
forward::DmarcOverrides read_dmarc(Section& section);
/// Finds names that would lend our identity to mail of others. Call after all are read.
void check_identities(Section& root, const forward::Policy& policy);

// read_keys.cpp
void read_tls(Section& root, std::optional<Tls>& tls);
void read_srs(Section& root, forward::Srs& srs, forward::BounceLimits& bounces);
void read_dkim(Section& root, std::vector<forward::DkimDomain>& domains);

/// Secret: others must not be able to read the file. Public: they must not be able to change it.
enum class Rights { Secret, Public };

/// Reads key material from exactly one of file =, env = and credential = (systemd LoadCredential=);
/// reports what is wrong. All key material is read here.
std::optional<base::KeyText> read_key_text(Section& section, Rights rights = Rights::Secret);

/// As read_key_text(), without line ends at the end; empty when there is none.
base::Secret read_secret(Section& section);

// read_domains.cpp
void read_domains(Section& root, std::vector<forward::HostedDomain>& domains);
/// Why a valid address is doubtful as a target; "": it is not.
std::string doubt_about_target(const mail::Mailbox& target);
void warn_of_target(Section& section, const char* key, const mail::Mailbox& target);

// read_consent.cpp
void read_consent(Section& root, const forward::Defaults& defaults, forward::Consent& consent);
/// Warns of targets in our own files that have not confirmed. Call after all sections are read.
void warn_of_unconfirmed(const forward::Policy& policy, Findings& findings);

// each in a file of its own
void read_limits(Section& root, Limits& limits);
void read_leaving(Section& root, bool verifies, forward::Policy& policy,
                  mail::NoticePolicy& notices);
void read_providers(Section& root, std::vector<forward::Provider>& providers);
/// Finds loops and fan-out of aliases within our own domains. Call after all domains are read.
void check_alias_chains(const forward::Policy& policy, Findings& findings);

// read_sections.cpp
void read_dns(Section& root, Dns& dns);
void read_defaults(Section& root, forward::Defaults& defaults);
void read_routes(Section& root, std::vector<forward::RouteRule>& routes);
void read_outbound(Section& root, Outbound& outbound);
void read_queue(Section& root, Queue& queue, mail::RetryPolicy& retry);
void read_log(Section& root, bool has_srs, LogTarget& log);
void read_control(Section& root, Control& control);

bool is_ip(const std::string& text);
bool parse_port(std::string_view text, std::uint16_t& port);

/// Reads "*", "*.domain" or a domain, folded; reports anything else.
std::string read_match(Section& section);

}  // namespace relay::settings
