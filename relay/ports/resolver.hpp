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
  NoData,      ///< the name exists, without records of the type
  NullMx,      ///< RFC 7505: the domain takes no mail
  Temporary,   ///< SERVFAIL, refused, unreachable
  Bogus,       ///< DNSSEC validation failed; to be treated as temporary
  Timeout,     ///< the deadline passed
  Malformed,   ///< all records are damaged: none can be read. Treat as temporary
};

/// True for what may be otherwise tomorrow: retry, never "no such domain".
constexpr bool is_temporary(DnsError error) {
  return error == DnsError::Temporary || error == DnsError::Bogus || error == DnsError::Timeout ||
         error == DnsError::Malformed;
}

std::string_view describe(DnsError error);

/// A host to try, in the order the resolver's caller wants them kept.
struct MxHost {
  std::uint16_t preference = 0;
  /// Folded, without trailing dot, in the presentation format of RFC 1035 §5.1. Whatever the record
  /// holds: an address, or a label with a blank, is an answer, and no host.
  std::string name;

  friend bool operator==(const MxHost&, const MxHost&) = default;
};

enum class IpFamily { V4, V6 };

template <class T>
struct DnsAnswer {
  std::vector<T> records;
  bool secure = false;  ///< validated by DNSSEC (DANE needs it)
  /// How long it may be used: the shortest of all records it was made of.
  std::chrono::seconds ttl{300};
};

/// Lookups. Nothing that came in one DNS message is cut, but MX hosts beyond kMaxMxHosts; the bound
/// is for what does not come that way. What is kept and in which order is the same in whatever
/// order the records came, see dns_records.hpp; only addresses keep the order of their coming. A
/// well-formed record that is of no use (an MX that names an address, an IPv6 address that is a
/// mapped IPv4 address, a text of anything) is an answer, not trouble: there may be an answer
/// without records.
/// A name may hold any octet but NUL (SPF makes names of local parts); one that cannot be in the
/// DNS at all, by its length or an empty label, is NoSuchName without asking anybody.
/// Never blocks the shard; every call ends by its deadline.
class Resolver {
 public:
  virtual ~Resolver() = default;

  static constexpr std::size_t kMaxMxHosts = 50;

  /// Of all records of one type: what a DNS message can hold.
  static constexpr std::size_t kMaxAnswerOctets = 65'536;

  /// MX hosts by rising preference, ties unshuffled. Records that all name the root are NullMx;
  /// beside others such a record means nothing (RFC 7505 §3). No MX record at all is NoData or
  /// NoSuchName: the fallback to addresses (RFC 5321 §5.1) is the caller's.
  virtual base::Task<std::expected<DnsAnswer<MxHost>, DnsError>> mx(std::string domain,
                                                                    base::Deadline deadline) = 0;

  /// A and AAAA records together, in the order of the answers: IPv6 first, without mapped IPv4
  /// addresses. NoData when neither.
  virtual base::Task<std::expected<DnsAnswer<boost::asio::ip::address>, DnsError>> addresses(
      std::string host, base::Deadline deadline) = 0;

  /// A or AAAA records alone.
  virtual base::Task<std::expected<DnsAnswer<boost::asio::ip::address>, DnsError>> addresses_of(
      std::string host, IpFamily family, base::Deadline deadline) = 0;

  /// The names of an address (PTR) that may be hosts, folded, without trailing dot, in order; as
  /// its owner claims, unconfirmed.
  virtual base::Task<std::expected<DnsAnswer<std::string>, DnsError>> names(
      boost::asio::ip::address address, base::Deadline deadline) = 0;

  /// TXT records of any octets and any length, the character-strings of each joined: first those
  /// that begin with "v=", then by their octets.
  virtual base::Task<std::expected<DnsAnswer<std::string>, DnsError>> txt(
      std::string name, base::Deadline deadline) = 0;
};

}  // namespace relay::ports
