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
  Malformed,   ///< an answer that cannot be used; treat as temporary
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
};

enum class IpFamily { V4, V6 };

template <class T>
struct DnsAnswer {
  std::vector<T> records;
  bool secure = false;  ///< validated by DNSSEC (DANE needs it)
  /// How long it may be used: the shortest of all records it was made of.
  std::chrono::seconds ttl{300};
};

/// Lookups. Answers are capped before use: 50 MX, 50 addresses, 64 TXT of 4 KiB, 20 names.
/// A name may hold any octet but NUL (SPF makes names of local parts); one that cannot be in the
/// DNS at all, by its length or an empty label, is NoSuchName without asking anybody.
/// Never blocks the shard; every call ends by its deadline.
class Resolver {
 public:
  virtual ~Resolver() = default;

  static constexpr std::size_t kMaxMxHosts = 50;
  static constexpr std::size_t kMaxAddresses = 50;
  static constexpr std::size_t kMaxTxtRecords = 64;
  static constexpr std::size_t kMaxNames = 20;
  static constexpr std::size_t kMaxTxtOctets = 4096;  ///< a longer record is dropped, never cut

  /// MX hosts by rising preference, ties unshuffled. Records that all name the root are NullMx;
  /// beside others such a record means nothing (RFC 7505 §3). No MX record at all is NoData or
  /// NoSuchName: the fallback to addresses (RFC 5321 §5.1) is the caller's.
  virtual base::Task<std::expected<DnsAnswer<MxHost>, DnsError>> mx(std::string domain,
                                                                    base::Deadline deadline) = 0;

  /// A and AAAA records together, in the order of the answers: IPv6 first. NoData when neither.
  virtual base::Task<std::expected<DnsAnswer<boost::asio::ip::address>, DnsError>> addresses(
      std::string host, base::Deadline deadline) = 0;

  /// A or AAAA records alone.
  virtual base::Task<std::expected<DnsAnswer<boost::asio::ip::address>, DnsError>> addresses_of(
      std::string host, IpFamily family, base::Deadline deadline) = 0;

  /// The names of an address (PTR), folded, without trailing dot; as its owner claims, unconfirmed.
  virtual base::Task<std::expected<DnsAnswer<std::string>, DnsError>> names(
      boost::asio::ip::address address, base::Deadline deadline) = 0;

  /// TXT records, the character-strings of each joined.
  virtual base::Task<std::expected<DnsAnswer<std::string>, DnsError>> txt(
      std::string name, base::Deadline deadline) = 0;
};

}  // namespace relay::ports
