// DNS from a zone written in the test.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::fakes {

/// Answers from a zone text, one record a line, names folded, no trailing dots needed:
///   example.org      MX    10 mx1.example.org
///   example.org      TXT   "v=spf1 " "-all"
///   mx1.example.org  A     192.0.2.1
///   mx1.example.org  AAAA  2001:db8::1
///   www.example.org  CNAME mx1.example.org
///   192.0.2.1        PTR   mx1.example.org
///   nomail.example   MX    0 .
///   empty.example    EXISTS              # the name is there, without records: NoData
///   short.example    TTL   60            # of answers from this name, where 300 is not right
///   signed.example   SECURE              # answers from this name carry secure = true
///   broken.example   SERVFAIL            # also BOGUS, MALFORMED, and
///   slow.example     NEVER               # Timeout, when the deadline passes on the clock
/// A name not in the zone is NoSuchName. An MX or PTR may name what is no host, and a TXT hold any
/// octets, as in a zone file (zone_text.hpp). Text after '#' outside quotes is a comment.
/// Malformed zone lines throw std::invalid_argument: a mistake of the test. Thread-safe.
class FakeResolver : public ports::Resolver {
 public:
  FakeResolver(ports::Clock& clock, std::string_view zone);

  base::Task<std::expected<ports::DnsAnswer<ports::MxHost>, ports::DnsError>> mx(
      std::string domain, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>> addresses(
      std::string host, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>>
  addresses_of(std::string host, ports::IpFamily family, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<std::string>, ports::DnsError>> names(
      boost::asio::ip::address address, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<std::string>, ports::DnsError>> txt(
      std::string name, base::Deadline deadline) override;

  std::optional<base::SteadyTime> last_outage() const override;

  /// Sets the answer of last_outage().
  void set_outage(base::SteadyTime at);

  /// Forgets the old zone; answers under way keep what they saw.
  void replace_zone(std::string_view zone);

  /// Calls so far, as "mx example.org", in order.
  std::vector<std::string> calls() const;

 private:
  struct Name {
    std::vector<ports::MxHost> mx;
    std::vector<boost::asio::ip::address> v4;
    std::vector<boost::asio::ip::address> v6;
    std::set<std::vector<std::string>> txt;  ///< their character-strings: the same ones are once
    std::vector<std::string> ptr;
    std::string cname;
    std::chrono::seconds ttl{300};
    bool secure = false;
    bool never = false;
    std::optional<ports::DnsError> fails;
  };

  using Zone = std::map<std::string, Name>;

  static Zone parse(std::string_view zone);
  static void parse_line(Zone& zone, std::string_view line);

  /// The records of the name, CNAMEs followed (at most 10 links), or the error to answer.
  base::Task<std::expected<Name, ports::DnsError>> find(std::string kind, std::string name,
                                                        base::Deadline deadline);
  std::expected<Name, ports::DnsError> look_up(std::string kind, std::string name);

  ports::Clock& clock_;
  mutable std::mutex mutex_;
  Zone zone_;
  std::optional<base::SteadyTime> outage_;
  std::vector<std::string> calls_;
};

}  // namespace relay::fakes
