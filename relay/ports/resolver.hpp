#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/mail/address.hpp"

namespace relay::ports {

enum class DnsError {
  NoSuchName,  ///< NXDOMAIN
  NoData,      ///< the name exists, but has no record of the type
  NullMx,      ///< RFC 7505: the domain accepts no mail
  Temporary,   ///< SERVFAIL, refused, unreachable
  Bogus,       ///< DNSSEC validation failed; treat as temporary
  Timeout,     ///< the deadline passed
  Malformed,   ///< no record is readable, all are damaged; treat as temporary
};

/// True for failures that may be gone later: retry, never report "no such domain".
constexpr bool is_temporary(DnsError error) {
  return error == DnsError::Temporary || error == DnsError::Bogus || error == DnsError::Timeout ||
         error == DnsError::Malformed;
}

std::string_view describe(DnsError error);

/// One MX record: a host to try, and how much it is preferred.
struct MxHost {
  std::uint16_t preference = 0;
  /// Folded, without trailing dot, in the presentation format of RFC 1035 §5.1. It may be anything
  /// that the record holds, even an address or a label with a blank, which cannot be a host.
  std::string name;

  friend bool operator==(const MxHost&, const MxHost&) = default;
};

enum class IpFamily { V4, V6 };

template <class T>
struct DnsAnswer {
  std::vector<T> records;
  bool secure = false;  ///< validated by DNSSEC (DANE needs it)
  /// How long it may be used: the shortest TTL of all records it was made from.
  std::chrono::seconds ttl{300};
};

/// DNS lookups. An error does not tell whether DNSSEC has proven it. For a name without MX this is
/// not needed: its addresses have the same name, so they are secure only if the missing MX is.
///
/// The records of one DNS message are returned in full, except MX hosts beyond kMaxMxHosts;
/// kMaxAnswerOctets bounds answers that came in any other way. What is kept, and its order, do not
/// depend on the order in which records came (dns_records.hpp); only addresses keep that order. A
/// well-formed record without use (an MX that names an address, an IPv4-mapped IPv6 address, a text
/// of any content) is no failure: an answer may be without records. A name may hold any octet but
/// NUL (SPF makes names from local parts). A name that cannot exist in the DNS, because of its
/// length or an empty label, is NoSuchName without a query. Never blocks the shard; every call ends
/// by its deadline.
class Resolver {
 public:
  virtual ~Resolver() = default;

  static constexpr std::size_t kMaxMxHosts = 50;

  /// For all records of one type: as much as a DNS message can hold.
  static constexpr std::size_t kMaxAnswerOctets = 65'536;

  /// MX hosts by rising preference, ties not shuffled. NullMx when all records name the root;
  /// beside others such a record is ignored (RFC 7505 §3). Without MX records NoData or NoSuchName:
  /// the fallback to addresses (RFC 5321 §5.1) is up to the caller.
  virtual base::Task<std::expected<DnsAnswer<MxHost>, DnsError>> mx(std::string domain,
                                                                    base::Deadline deadline) = 0;

  /// A and AAAA records together, IPv6 first, otherwise in the order they came, without IPv4-mapped
  /// IPv6 addresses. NoData when there is neither.
  virtual base::Task<std::expected<DnsAnswer<boost::asio::ip::address>, DnsError>> addresses(
      std::string host, base::Deadline deadline) = 0;

  /// A or AAAA records alone.
  virtual base::Task<std::expected<DnsAnswer<boost::asio::ip::address>, DnsError>> addresses_of(
      std::string host, IpFamily family, base::Deadline deadline) = 0;

  /// The names of an address (PTR) that may be hosts: folded, without trailing dot, sorted. They
  /// are claims of the address's owner, not confirmed.
  virtual base::Task<std::expected<DnsAnswer<std::string>, DnsError>> names(
      boost::asio::ip::address address, base::Deadline deadline) = 0;

  /// TXT records of any octets and length, the character-strings of each joined: first those that
  /// begin with "v=", then the others, sorted by octets.
  virtual base::Task<std::expected<DnsAnswer<std::string>, DnsError>> txt(
      std::string name, base::Deadline deadline) = 0;

  /// When the DNS last seemed to be out of reach altogether, and not only the servers of some
  /// names; nullopt: never, or the resolver cannot tell. From any thread.
  virtual std::optional<base::SteadyTime> last_outage() const { return std::nullopt; }
};

}  // namespace relay::ports
