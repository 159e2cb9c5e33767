// The sections of the configuration, one reader each. All report into the section's findings.
#pragma once

#include <string>

#include "relay/settings/section.hpp"
#include "relay/settings/settings.hpp"

namespace relay::settings {

void read_listeners(Section& root, Settings& settings);
/// What stands in [[listener]] beside its addresses. read_arrival.cpp
void read_listener_policy(Section& section, ListenerPolicy& policy);
void read_gateways(Section& root, Settings& settings);  ///< read_arrival.cpp; after [auth]
/// What listeners need of other sections. After all are read. read_arrival.cpp
void check_listeners(Section& root, const Settings& settings);
/// Networks and addresses of clients. read_arrival.cpp
void read_networks(Section& section, const char* key, base::Networks& into);
void read_limits(Section& root, Settings& settings);  ///< read_limits.cpp
void read_tls(Section& root, Settings& settings);     ///< read_keys.cpp
void read_dns(Section& root, Settings& settings);
void read_auth(Section& root, Settings& settings);     ///< read_auth.cpp: [auth], [arc], [rewrite]
void read_leaving(Section& root, Settings& settings);  ///< read_leaving.cpp: [risk], [[target]], …
void read_defaults(Section& root, Settings& settings);
void read_domains(Section& root, Settings& settings);  ///< read_domains.cpp
void read_srs(Section& root, Settings& settings);      ///< read_keys.cpp
void read_dkim(Section& root, Settings& settings);     ///< read_keys.cpp
void read_routes(Section& root, Settings& settings);
void read_providers(Section& root, Settings& settings);      ///< read_providers.cpp
void read_abuse_control(Section& root, Settings& settings);  ///< read_abuse.cpp
void read_consent(Section& root, Settings& settings);        ///< read_consent.cpp; after [defaults]
void read_outbound(Section& root, Settings& settings);
void read_queue(Section& root, Settings& settings);
void read_log_and_control(Section& root, Settings& settings);

/// Chains inside our own domains: loops and fan-out. After all domains are read.
void check_alias_chains(const Settings& settings, Findings& findings);

/// Targets in our own files that have not confirmed: warned of. After all sections are read.
void warn_of_unconfirmed(const Settings& settings, Findings& findings);  ///< read_consent.cpp

/// on_dmarc_fail, quarantine and rewrite_from, wherever they may stand. read_auth.cpp
DmarcOverrides read_dmarc(Section& section);

/// Names that would lend our identity to others' mail. After all sections are read. read_auth.cpp
void check_identities(Section& root, const Settings& settings);

/// Who else may read it.
enum class Rights { Secret, Public };

/// file = | env = | credential = (systemd LoadCredential), exactly one; what is wrong is reported.
/// The one reader of everything that is key material. read_keys.cpp
std::optional<KeyText> read_key_text(Section& section, Rights rights = Rights::Secret);

/// The same without line ends behind it; empty when there is none.
base::Secret read_secret(Section& section);

/// What speaks against a target that is an address; "": nothing. read_domains.cpp
std::string doubt_about_target(const mail::Mailbox& target);
void warn_of_target(Section& section, const char* key, const mail::Mailbox& target);

bool is_ip(const std::string& text);

/// "*", "*.domain" or a domain, folded; reported when it is neither.
std::string read_match(Section& section);

/// "192.0.2.1:25", "[::1]:25".
std::expected<SocketAddress, std::string> parse_socket_address(std::string_view text,
                                                               std::uint16_t default_port);

}  // namespace relay::settings
