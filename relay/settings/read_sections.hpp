// One reader for each section of the configuration. All report into the section's findings.
#pragma once

#include <string>

#include "relay/settings/section.hpp"
#include "relay/settings/settings.hpp"

namespace relay::settings {

void read_listeners(Section& root, Settings& settings);
/// The keys of [[listener]] other than its addresses. read_arrival.cpp
void read_listener_policy(Section& section, ListenerPolicy& policy);
void read_gateways(Section& root, Settings& settings);  ///< read_arrival.cpp; after [auth]
/// Checks what listeners need from other sections. Call after all are read. read_arrival.cpp
void check_listeners(Section& root, const Settings& settings);
/// Reads networks and addresses of clients. read_arrival.cpp
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

/// Finds loops and fan-out of aliases within our own domains. Call after all domains are read.
void check_alias_chains(const Settings& settings, Findings& findings);

/// Warns of targets in our own files that have not confirmed. Call after all sections are read.
void warn_of_unconfirmed(const Settings& settings, Findings& findings);  ///< read_consent.cpp

/// Reads on_dmarc_fail, quarantine and rewrite_from, in any section that has them. read_auth.cpp
forward::DmarcOverrides read_dmarc(Section& section);

/// Finds names that would lend our identity to mail of others. Call after all are read.
/// read_auth.cpp
void check_identities(Section& root, const Settings& settings);

/// Secret: others must not be able to read the file. Public: they must not be able to change it.
enum class Rights { Secret, Public };

/// Reads key material from exactly one of file =, env = and credential = (systemd LoadCredential=);
/// reports what is wrong. All key material is read here. read_keys.cpp
std::optional<base::KeyText> read_key_text(Section& section, Rights rights = Rights::Secret);

/// As read_key_text(), without line ends at the end; empty when there is none.
base::Secret read_secret(Section& section);

/// Why a valid address is doubtful as a target; "": it is not. read_domains.cpp
std::string doubt_about_target(const mail::Mailbox& target);
void warn_of_target(Section& section, const char* key, const mail::Mailbox& target);

bool is_ip(const std::string& text);

/// Reads "*", "*.domain" or a domain, folded; reports anything else.
std::string read_match(Section& section);

/// Parses "192.0.2.1:25" or "[::1]:25".
std::expected<SocketAddress, std::string> parse_socket_address(std::string_view text,
                                                               std::uint16_t default_port);

}  // namespace relay::settings
