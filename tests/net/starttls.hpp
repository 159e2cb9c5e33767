// Handshakes between our own client and our own server, over real sockets.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "relay/net/tls_acceptor.hpp"
#include "tests/net/certificates.hpp"
#include "tests/net/loopback.hpp"

namespace relay::net {

inline std::shared_ptr<const TlsContext> must(std::expected<TlsContext, std::string> context) {
  if (!context) throw std::runtime_error(context.error());
  return std::make_shared<const TlsContext>(std::move(*context));
}

class StartTls : public testing::Test {
 protected:
  /// Both ends after the handshake, or why there is none.
  struct Ends {
    std::expected<StreamPtr, ports::TlsError> client = std::unexpected(ports::TlsError{});
    std::expected<StreamPtr, ports::IoError> server = std::unexpected(ports::IoError::Reset);
  };

  Ends shake_hands(Loopback::Pair pair, const std::string& host, const mail::TlsDemand& demand) {
    Ends ends;
    bool served = false;
    boost::asio::co_spawn(loopback_.shard.executor(),
                          acceptor_.accept(std::move(pair.server), soon()),
                          [&](std::exception_ptr, auto result) {
                            ends.server = std::move(result);
                            served = true;
                          });
    ends.client = run_task(loopback_.shard.io(), loopback_.dialer.start_tls(std::move(pair.client),
                                                                            host, demand, soon()));
    if (!ends.client) ends.client = std::unexpected(ends.client.error());
    EXPECT_TRUE(run_until(loopback_.shard.io(), [&served] { return served; }));
    return ends;
  }

  Ends shake_hands(Loopback::Pair pair, const std::string& host, mail::TlsLevel level) {
    return shake_hands(std::move(pair), host, mail::TlsDemand{.level = level, .identities = {}});
  }

  TemporaryFolder folder_;
  TlsFiles files_ = make_certificate(folder_, "mx", "mx.example.org");
  base::Published<TlsContext> contexts_{must(TlsContext::server(files_))};
  OpensslAcceptor acceptor_{contexts_};
  Loopback loopback_{ClientTls{must(TlsContext::client(mail::TlsLevel::May)),
                               must(TlsContext::client(mail::TlsLevel::Encrypt)),
                               must(TlsContext::client(mail::TlsLevel::Verify, files_.chain))}};
};

}  // namespace relay::net
