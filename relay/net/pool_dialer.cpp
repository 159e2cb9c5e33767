#include "relay/net/pool_dialer.hpp"

#include <utility>

#include <boost/asio/this_coro.hpp>

namespace relay::net {

PoolDialer::PoolDialer(ShardPool& pool, const ClientTls& tls) : pool_(pool) {
  for (std::size_t i = 0; i < pool.size(); ++i) {
    dialers_.push_back(std::make_unique<TcpDialer>(pool.at(i), tls));
  }
}

void PoolDialer::use(const ClientTls& tls) {
  const auto shared = std::make_shared<const ClientTls>(tls);
  for (const auto& dialer : dialers_) dialer->use(shared);
}

TcpDialer& PoolDialer::of(const base::Executor& executor) {
  for (std::size_t i = 0; i < dialers_.size(); ++i) {
    if (pool_.at(i).executor() == executor) return *dialers_[i];
  }
  return *dialers_.front();  // no shard of this pool: impossible, but it would still work
}

base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::IoError>> PoolDialer::connect(
    ports::Endpoint remote, std::optional<boost::asio::ip::address> source,
    base::Deadline deadline) {
  TcpDialer& dialer = of(co_await boost::asio::this_coro::executor);
  co_return co_await dialer.connect(std::move(remote), source, deadline);
}

base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::TlsError>> PoolDialer::start_tls(
    std::unique_ptr<ports::Stream> plain, std::string host, mail::TlsDemand demand,
    base::Deadline deadline) {
  TcpDialer& dialer = of(co_await boost::asio::this_coro::executor);
  co_return co_await dialer.start_tls(std::move(plain), std::move(host), std::move(demand),
                                      deadline);
}

}  // namespace relay::net
