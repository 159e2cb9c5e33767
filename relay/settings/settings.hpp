// The configuration as checked values. Immutable once loaded: sessions and attempts hold a
// snapshot, and a reload makes a new one. Every field has its default here; the file only says what
// differs.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "relay/base/rate_table.hpp"
#include "relay/base/secret.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/header.hpp"
#include "relay/mail/message.hpp"
#include "relay/mail/status.hpp"
#include "relay/settings/abuse.hpp"
#include "relay/settings/arrival.hpp"
#include "relay/settings/confirmed_targets.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/host.hpp"
#include "relay/settings/verification.hpp"
#include "srs/key_ring.hpp"

namespace relay::settings {

using std::chrono::seconds;

struct SocketAddress {
  std::string host;  ///< textual IP, no brackets
  std::uint16_t port = 0;
  bool takes_ipv4 = false;  ///< "::" of a socket that another process has opened for IPv4, too
};

struct Limits {
  std::uint64_t max_size = 50ULL << 20;
  std::uint32_t max_recipients = 1000;
  std::uint32_t max_hops = 100;  ///< Received fields (RFC 5321 §6.3)
  std::uint64_t max_header = mail::kMaxHeaderOctets;
  std::uint32_t max_header_fields = 10'000;
  std::uint32_t max_connections = 1000;
  std::uint32_t per_ip = 50;
  std::uint32_t per_network = 200;  ///< IPv4 /24, IPv6 /64; twice as many for an IPv6 /48
  /// New connections of one address; count 0: no limit.
  base::Rate new_per_ip{.count = 200, .span = seconds(10)};
  /// RCPT commands whose mail is not taken, of everybody; count 0: no limit.
  base::Rate rcpts{.count = 200'000, .span = seconds(600)};
  base::Rate rcpts_per_ip{.count = 20'000, .span = seconds(3600)};
  base::Rate rcpts_per_network{.count = 40'000, .span = seconds(3600)};
  std::uint32_t max_errors = 20;
  std::uint32_t max_junk = 100;
  seconds command_timeout{300};
  seconds data_timeout{300};
  seconds session_timeout{7200};
  std::uint32_t min_rate = 500;                    ///< octets a second during DATA
  std::uint64_t memory = 64ULL << 20;              ///< for content, over all sessions
  std::uint64_t memory_per_network = 16ULL << 20;  ///< of that; default: a quarter of it
  std::uint32_t handshakes = 250;                  ///< TLS handshakes at once
  base::Rate handshakes_per_ip{.count = 100, .span = seconds(10)};  ///< count 0: no limit
  std::uint32_t late_tls_messages = 32;  ///< handshake messages of a peer after its handshake
  std::uint64_t wasted = 1ULL << 30;     ///< octets an hour, per network, that became no message
  base::Networks exempt;                 ///< clients exempt from limits per client
  Place exempt_at = {};
};

struct Listener {
  std::vector<SocketAddress> addresses;  ///< empty: the sockets that systemd passes
  std::vector<std::string> reached_as;   ///< textual IPs that NAT maps to it
  Place at = {};
  ListenerPolicy policy = {};
};

/// A key or a certificate, and where it was found.
struct KeyText {
  std::string file;  ///< "": from the environment
  std::string name;  ///< for messages
  base::Secret text;
  Place at = {};
  std::string credential = {};  ///< its name, if systemd copies it for us; then `file` is the copy
};

struct Tls {
  KeyText certificate;
  KeyText key;
};

enum class UnknownRecipient { Reject, TempFail };

struct Defaults {
  UnknownRecipient unknown = UnknownRecipient::Reject;
  char tag = '+';        ///< begins a sub-address; 0: no sub-addresses
  bool keep_tag = true;  ///< keep the sub-address in the target's address
  /// Target of postmaster@ every domain of ours, abuse@ the SRS domain and the host name, and
  /// MAILER-DAEMON@ the host name, unless there is an alias of that name.
  std::optional<mail::Mailbox> postmaster;
  mail::AliasMark mark_alias = mail::AliasMark::None;  ///< field that names the alias in each copy
  DmarcSettings dmarc;
  Place tag_at = {};
  Place postmaster_at = {};
};

struct Rejected {
  int code = 550;
  mail::EnhancedStatus status{5, 1, 1};
  std::string text;
};

struct Alias {
  std::string local_part;  ///< folded (mail/folding.hpp); "*" is the catch-all
  std::vector<mail::Mailbox> targets;
  std::optional<Rejected> reject;
  std::optional<bool> keep_tag;
  bool discard = false;                        ///< mail is accepted and thrown away
  std::optional<std::int64_t> expires = {};    ///< the last Unix second in which it exists
  std::uint64_t max_size = 0;                  ///< octets of a message; 0: the limit of [limits]
  std::optional<mail::Mailbox> fallback = {};  ///< gets mail that no target accepted
  DmarcOverrides dmarc = {};
  Place at = {};  ///< of its key
};

struct Pattern {
  std::string match;                 ///< RE2, whole local part, without case
  std::vector<std::string> targets;  ///< templates: ${name}, ${1}
  Place at = {};                     ///< of its targets
};

struct HostedDomain {
  mail::Domain name;  ///< of a wildcard: the domain in front of which "*." stands
  std::vector<Alias> aliases;
  std::vector<Pattern> patterns;
  std::optional<mail::Domain> map_to;  ///< maps every local part to the same one there
  DmarcOverrides dmarc = {};
  bool is_wildcard = false;  ///< stands for every domain below `name` at any depth, not for `name`

  /// The key in DomainTable: "example.org" or "*.example.org".
  std::string text() const { return (is_wildcard ? "*." : "") + name.folded(); }

  /// One of the domains it stands for.
  mail::Domain example() const {
    return is_wildcard ? mail::Domain::parse("any." + name.folded()).value_or(name) : name;
  }

  Place map_to_at = {};
};

enum class SrsFormat { Strong, Classic };

struct SrsSecret {
  std::string id;
  base::Secret secret;
  std::optional<std::int64_t> verify_until;  ///< Unix seconds
  srs::Scheme scheme = srs::Scheme::Native;
  /// Whether it verifies classic tags, too. nullopt: until `classic_until` (Unix seconds), which
  /// the application sets for secrets in use before an upgrade, as their addresses must stay valid.
  std::optional<bool> classic;
  std::optional<std::int64_t> classic_until;
};

/// How much mail may come back to SRS addresses; counts are per hour.
struct Bounces {
  std::uint32_t per_address = 100;
  std::uint32_t per_sender = 300;
  std::uint32_t per_client = 1000;
  std::uint32_t bad_per_client = 20;
  std::uint32_t bad_in_all = 1000;
  std::uint32_t bad_per_taker = 100;
  std::uint32_t probes_per_client = 10'000;
  std::uint64_t max_body = 128ULL << 10;
};

struct Srs {
  std::optional<mail::Domain> domain;  ///< absent: no rewriting
  SrsFormat format = SrsFormat::Strong;
  char separator = '=';
  std::uint32_t tag_length = 8;
  std::uint32_t classic_hash_length = 4;
  int max_age_days = 21;
  std::uint32_t stored_per_domain = 100'000;  ///< stored senders of one domain that are proven
  std::uint32_t stored_per_client = 1'000;    ///< stored senders of one network that are not
  std::vector<SrsSecret> secrets;
  Bounces bounces;
  Place domain_at = {};
};

struct DkimKey {
  std::string selector;
  KeyText key;
};

struct DkimDomain {
  mail::Domain domain;
  std::vector<DkimKey> keys;
  Place at = {};  ///< of the domain
};

enum class TlsDemand { Auto, Require, Verify, None };

struct Via {
  std::string host;  ///< name or textual IP
  std::uint16_t port = 25;
};

struct Route {
  std::string match;  ///< "*", "*.corp.example" or a domain, folded
  std::vector<Via> via;
  TlsDemand tls = TlsDemand::Auto;
};

/// A mail system that receives for many domains: copies to it are paced together.
struct Provider {
  std::string name;                   ///< folded
  std::vector<std::string> suffixes;  ///< ends of MX host names, whole labels, folded
};

/// Which targets agreed to forwarding, and where others may complain.
struct Consent {
  /// Null: no consent is required; the targets in the operator's own files are trusted.
  std::shared_ptr<const ConfirmedTargets> confirmed;
  std::uint32_t max_held = 20;  ///< copies that may wait for one target
  std::string contact;          ///< address or https URL; "": not given
};

struct Settings {
  std::string file;                         ///< the path as given
  std::vector<std::string> sources = {};    ///< files that a Place can be in
  std::vector<NamedFile> named_files = {};  ///< all that it reads except credentials and variables
  std::vector<std::filesystem::path> named_folders = {};  ///< that `include` looks for files in
  std::string hash;      ///< first 16 hex digits of SHA-256 over all files read
  std::string hostname;  ///< folded
  Place hostname_at = {};
  std::uint32_t threads = 0;  ///< shards; 0: one per core
  std::vector<Listener> listeners;
  std::vector<Gateway> gateways;
  Limits limits;
  std::vector<DnsList> dns_lists;
  Abuse abuse;
  Greylist greylist;
  Rates rates;
  Consent consent;
  std::optional<Tls> tls;
  Dns dns;
  Auth auth;
  Arc arc;
  std::optional<mail::Domain> rewrite_domain;  ///< the domain in From of rewritten mail
  RiskPool risk;
  std::vector<Target> targets;
  NoticesTo notices_to = NoticesTo::Authenticated;
  PartialFailures partial_failures = PartialFailures::Sender;
  Defaults defaults;
  std::vector<HostedDomain> domains;
  Srs srs;
  std::vector<DkimDomain> dkim;
  std::vector<Route> routes;
  std::vector<Provider> providers;  ///< built-in ones first; each suffix belongs to only one
  Outbound outbound;
  Queue queue;
  LogTarget log;
  Control control;

  /// The domains of our SRS addresses: of [srs], and of [risk] if that names one.
  std::vector<mail::Domain> srs_domains() const {
    std::vector<mail::Domain> found;
    if (srs.domain) found.push_back(*srs.domain);
    if (srs.domain && risk.srs_domain) found.push_back(*risk.srs_domain);
    return found;
  }

  bool is_srs_domain(const mail::Domain& name) const {
    return srs.domain == name || (srs.domain && risk.srs_domain == name);
  }
};

/// The position of a place; the configuration as a whole when it is unknown.
inline Position position_of(const Settings& settings, const Place& place) {
  if (place.line == 0 || place.file >= settings.sources.size()) return {settings.file, 0, 0};
  return {settings.sources[place.file], static_cast<std::uint32_t>(place.line),
          static_cast<std::uint32_t>(place.column)};
}

}  // namespace relay::settings
