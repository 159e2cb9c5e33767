// DNS through libunbound.
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "relay/ports/resolver.hpp"

namespace relay::dns {

class LookupQueue;
enum class RecordType : int;

struct UnboundOptions {
  /// Addresses of resolvers to forward to, "192.0.2.1" or "192.0.2.1@5353"; none: full recursion
  /// from the root.
  std::vector<std::string> forward_to = {};

  /// File with the root trust anchor (DS or DNSKEY records in zone format). Without it nothing is
  /// validated, and no answer is secure or Bogus.
  std::optional<std::filesystem::path> trust_anchor = {};

  /// Records that replace the whole DNS: no server is asked, and a name that is not listed does not
  /// exist. Text, one record per line with its full name, such as "example.org. TXT \"v=spf1
  /// -all\""; lines that begin with ';' or '#' are comments.
  std::optional<std::string> world = {};
};

/// One libunbound context serves all shards: one cache, one validator, one client to the servers
/// upstream. It works on a thread of its own, so that no shard has to wait for it. Its answers are
/// read from a descriptor that the home shard watches, and are passed on to the shard that asked.
class UnboundResolver final : public ports::Resolver {
 public:
  /// `home` must outlive the resolver.
  /// Error: one line with libunbound's reason, for a bad address or an unreadable file.
  static std::expected<std::unique_ptr<UnboundResolver>, std::string> open(
      boost::asio::io_context& home, const UnboundOptions& options);

  /// Stops. Precondition: nobody is about to ask. Lookups under way end with Temporary if `home`
  /// still runs; otherwise they are destroyed with the loops, and then `home` must be destroyed
  /// first, as the first shard of a pool is.
  ~UnboundResolver() override;

  /// Ends lookups under way, and all later ones, with Temporary. From any thread. For a shutdown in
  /// which sessions end by themselves.
  void stop();

  /// See LookupQueue::last_bad_minute().
  std::optional<base::SteadyTime> last_outage() const override;

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
  explicit UnboundResolver(std::shared_ptr<LookupQueue> queue);

  std::shared_ptr<LookupQueue> queue_;
};

/// Version of the libunbound that is loaded: "1.17.1".
std::string unbound_version();

}  // namespace relay::dns
