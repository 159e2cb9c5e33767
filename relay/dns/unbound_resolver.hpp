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
  /// Resolvers to ask, "192.0.2.1" or "192.0.2.1@5353"; none: full recursion from the root.
  std::vector<std::string> forward_to = {};

  /// Root trust anchor (DS or DNSKEY records in zone format). Without it nothing is validated and
  /// no answer is ever secure or Bogus.
  std::optional<std::filesystem::path> trust_anchor = {};

  /// Records that stand for the whole DNS: nobody is asked, and a name that is not there does not
  /// exist. Text, one record a line with its full name, as "example.org. TXT \"v=spf1 -all\"";
  /// ';' and '#' begin a comment line.
  std::optional<std::string> world = {};
};

/// One libunbound context serves all shards: one cache, one validator, one load on the servers
/// upstream. The context works on a thread of its own and so never holds up a shard; its answers
/// come out of a descriptor that the home shard watches, and go from there to the shard that asked.
class UnboundResolver final : public ports::Resolver {
 public:
  /// `home` must outlive the resolver.
  /// Error: one line with libunbound's reason, for a bad address or an unreadable file.
  static std::expected<std::unique_ptr<UnboundResolver>, std::string> open(
      boost::asio::io_context& home, const UnboundOptions& options);

  /// Stops. Nobody may be about to ask; lookups under way end with Temporary if `home` still runs,
  /// else they die with the loops: then `home` must be the first of the loops to be destroyed, as
  /// the first shard of a pool is.
  ~UnboundResolver() override;

  /// Ends lookups under way, and all later ones, with Temporary. From any thread; for a shutdown
  /// that lets sessions end by themselves.
  void stop();

  /// When it last looked as if nobody answered us, whoever was asked about; nullopt: never.
  std::optional<base::SteadyTime> last_outage() const;

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

/// "1.17.1", of the library that is loaded.
std::string unbound_version();

}  // namespace relay::dns
