// One dialer for all shards: opens a connection on the shard of the calling coroutine.
#pragma once

#include <memory>
#include <vector>

#include "relay/net/dialer.hpp"
#include "relay/net/shard.hpp"

namespace relay::net {

class PoolDialer final : public ports::Dialer {
 public:
  /// `pool` must outlive the dialer and all its streams.
  PoolDialer(ShardPool& pool, const ClientTls& tls);

  /// See TcpDialer::use().
  void use(const ClientTls& tls);

  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::IoError>> connect(
      ports::Endpoint remote, std::optional<boost::asio::ip::address> source,
      base::Deadline deadline) override;
  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::TlsError>> start_tls(
      std::unique_ptr<ports::Stream> plain, std::string host, mail::TlsDemand demand,
      base::Deadline deadline) override;

 private:
  TcpDialer& of(const base::Executor& executor);

  ShardPool& pool_;
  std::vector<std::unique_ptr<TcpDialer>> dialers_;  ///< by shard
};

}  // namespace relay::net
