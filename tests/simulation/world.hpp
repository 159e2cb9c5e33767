// A world as a seed describes it: who can be reached, what is sent, and what goes wrong when. Plain
// values; nothing here runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/delivery/policy.hpp"
#include "relay/mail/tls_demand.hpp"
#include "relay/ports/operator_queue.hpp"
#include "tests/simulation/host.hpp"
#include "tests/simulation/mood.hpp"
#include "tests/simulation/seeded_loops.hpp"

namespace relay::simulation {

using std::chrono::milliseconds;

inline constexpr std::string_view kOurName = "mx.fwd.example";
inline constexpr std::string_view kOurAddress = "198.51.100.1";
inline constexpr std::string_view kRiskAddress = "198.51.100.2";
inline constexpr std::string_view kProvider = ".mail.protection.outlook.com";

/// Whether a name in an MX list leads to the relay itself.
enum class Us : std::uint8_t { No, ByName, ByAddress };

struct HostPlan {
  std::string name;
  std::vector<boost::asio::ip::address> addresses;
  Us us = Us::No;
  Mood mood;
};

struct Exchange {
  std::uint16_t preference = 0;
  std::size_t host = 0;
};

struct DomainPlan {
  enum class Dns : std::uint8_t { Fine, NullMx, NoSuchName };

  std::string name;
  Dns dns = Dns::Fine;
  std::vector<Exchange> exchanges;      ///< by rising preference
  std::vector<Exchange> moves_to = {};  ///< likewise, when it has moved; none: it stays
  std::chrono::seconds ttl{300};        ///< of the list of its hosts
  bool silent = false;                  ///< its DNS does not answer until all heals
  bool by_route = false;                ///< a configured route leads there, not the DNS
  mail::TlsLevel demand = mail::TlsLevel::May;
};

/// How a message comes in.
enum class Arrival : std::uint8_t {
  Offered,   ///< expected, committed, offered
  Found,     ///< committed only: the delivery side finds it when it looks
  GivenUp,   ///< expected and given up, although it was committed after all
  Rejected,  ///< expected and given up: the commit failed
};

struct CopyPlan {
  std::size_t domain = 0;
  MailboxKind kind = MailboxKind::Good;
  unsigned alias = 0;   ///< copies of one alias have the same number
  unsigned sender = 0;  ///< of the SRS senders of this message
  bool risk_pool = false;
  bool sealed = false;
  bool held = false;
};

struct MessagePlan {
  milliseconds at{0};
  Arrival arrival = Arrival::Offered;
  milliseconds commit_takes{0};
  milliseconds offered_after{0};  ///< its commit: whoever accepted it gets no processor
  bool null_sender = false;
  bool authenticated = true;
  std::size_t sender_domain = 0;
  std::uint32_t octets = 200;  ///< of the body, about
  std::vector<CopyPlan> copies;
};

/// An event in the world at a given time.
struct Incident {
  enum class What : std::uint8_t {
    HostReach,  ///< host `target` from now on: `reach`
    HostCrash,  ///< all its connections break
    HostHeals,  ///< loses its bad habits
    DnsFails,   ///< of domain `target`
    DnsHeals,
    DomainMoves,  ///< domain `target` has other hosts from now on
    SpoolFails,   ///< writing calls answer `error`
    SpoolHeals,
    Verb,  ///< the operator's
    Pause,
    Resume,
    Reload,      ///< the policy is published anew: variant `target`
    Crash,       ///< memory is gone; the process starts again `span` later
    Restart,     ///< stops in order, and starts again `span` later
    WallJumps,   ///< by `span`
    LoopStalls,  ///< loop `target` gets no processor for `span`
    AllHeals,    ///< everything is well from now on
  };

  /// The subject of a verb or a rule.
  enum class Scope : std::uint8_t { Everything, Message, Domain, Sender, Host };

  milliseconds at{0};
  What what = What::AllHeals;
  std::size_t target = 0;
  milliseconds span{0};
  Reach reach = Reach::Up;
  ports::SpoolError error = ports::SpoolError::Full;
  ports::QueueAction action = ports::QueueAction::Retry;
  Scope scope = Scope::Everything;  ///< of a verb or a rule; `target` says which one
};

std::string_view name(Incident::What what);

/// The part of the configuration that differs between worlds.
struct Settings {
  std::vector<std::chrono::seconds> schedule;
  std::chrono::seconds expire{0};
  std::chrono::seconds warn_after{0};
  std::chrono::seconds dns_limit{30};
  std::chrono::seconds connect_limit{30};
  std::chrono::seconds command_limit{300};
  std::chrono::seconds dot_limit{600};
  std::chrono::seconds attempt_limit{1800};
  std::size_t connections_per_destination = 20;
  std::size_t connections_total = 200;
  std::size_t lookups = 200;
  std::size_t messages_per_connection = 100;
  std::size_t recipients_per_transaction = 100;
  std::chrono::seconds keep_open{5};
  std::uint32_t risk_connections = 2;
  std::uint32_t risk_rate = 60;  ///< copies a minute
  bool bounce_to_anyone = false;
  delivery::MemoryLimits memory;
};

struct World {
  std::uint64_t seed = 0;
  bool large = false;
  std::size_t shards = 2;
  SeededLoops::Order order = SeededLoops::Order::Any;
  unsigned yields = 0;          ///< of a thousand reads and writes
  unsigned spool_delays = 0;    ///< of a thousand calls
  milliseconds spool_delay{0};  ///< how long those take
  unsigned read_errors = 0;     ///< of a thousand reads of content, until all heals
  Settings settings;
  std::vector<HostPlan> hosts;
  std::vector<DomainPlan> domains;
  std::vector<MessagePlan> messages;  ///< by rising time
  std::vector<Incident> incidents;    ///< likewise
  milliseconds heals_at{0};
};

/// The hosts of a domain that may be asked: all before the first that is this relay.
std::vector<std::size_t> usable_hosts(const World& world, const DomainPlan& domain);

/// The key of a group that is paced together: the hosts in their order, or their provider.
std::string group_of(const World& world, const DomainPlan& domain);

}  // namespace relay::simulation
