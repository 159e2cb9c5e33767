// DNS from records that a program puts in one by one: zones of other projects' suites, of a pipe,
// of a fuzzer. Every octet is allowed in names and texts, and each type of a name can fail alone.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "relay/ports/dns_records.hpp"

namespace relay::fakes {

/// Answers at once, without suspending its caller. CNAMEs are followed, at most 10 links. The
/// names of an address stand under its in-addr.arpa or ip6.arpa name. A name that was never put in
/// is NoSuchName. For one thread.
class InstantResolver : public ports::Resolver {
 public:
  enum class Type { A, Aaaa, Mx, Txt, Ptr, Cname };

  static constexpr Type kAllTypes[] = {Type::A,   Type::Aaaa, Type::Mx,
                                       Type::Txt, Type::Ptr,  Type::Cname};

  /// Makes sure that the name exists.
  void add_name(std::string_view name);

  void add_address(std::string_view name, const boost::asio::ip::address& address);

  /// Host and target as in a zone file, zone_text.hpp; "" for the root.
  void add_mx(std::string_view name, std::uint16_t preference, std::string_view host);
  void add_txt(std::string_view name, std::string text);
  void add_ptr(std::string_view name, std::string_view target);
  void add_cname(std::string_view name, std::string_view target);

  /// Of answers from this name; 300 s otherwise.
  void set_ttl(std::string_view name, std::chrono::seconds ttl);

  /// Questions for this type of this name end as Temporary.
  void fail(std::string_view name, Type type);

  /// Every question about this name ends as Timeout, without the wait for the deadline.
  void time_out(std::string_view name);

  /// As fail(), for all types of every name for which `matches` is true, existing or not.
  void fail_where(std::function<bool(const std::string& name)> matches);

  /// Questions so far, as "txt example.org", in order.
  const std::vector<std::string>& calls() const { return calls_; }

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

 private:
  struct Name {
    std::vector<boost::asio::ip::address> v4;
    std::vector<boost::asio::ip::address> v6;
    std::vector<ports::MxHost> mx;
    std::vector<std::string> txt;
    std::vector<std::string> ptr;
    std::string cname;
    std::chrono::seconds ttl{300};
    std::set<Type> failing;
    bool silent = false;
  };

  struct Found {
    const Name* records;
    std::chrono::seconds ttl;  ///< the shortest on the way
  };

  Name& at(std::string_view name);

  /// The name behind all CNAMEs.
  std::expected<Found, ports::DnsError> find(const std::string& name, Type type);

  /// Of one type; `ttl` becomes theirs where it was longer.
  ports::Addresses addresses_at(const std::string& host, Type type, std::chrono::seconds& ttl);

  std::map<std::string, Name, std::less<>> names_;
  std::function<bool(const std::string&)> failing_;
  std::vector<std::string> calls_;
};

}  // namespace relay::fakes
