// Which certificates are accepted, and the reason given for others.
#include "relay/net/peer_certificate.hpp"

#include <chrono>

#include <sys/socket.h>
#include <unistd.h>

#include "tests/net/starttls.hpp"

namespace relay::net {
namespace {

using namespace std::chrono_literals;
using mail::TlsDemand;
using mail::TlsLevel;
using mail::TlsResult;
using ports::IoError;

class PeerCertificate : public StartTls {
 protected:
  /// The server has this certificate, which the client's authorities vouch for.
  void serve(const CertificateText& text) {
    const auto files = make_certificate(folder_, "served", text);
    contexts_.publish(must(TlsContext::server(files)));
    dialer_.emplace(loopback_.shard, authorities(files));
  }

  /// The client goes on with the authorities of this certificate.
  void trust(const TlsFiles& files) {
    dialer_->use(std::make_shared<const ClientTls>(authorities(files)));
  }

  /// Why there was no handshake as client; None: there was.
  TlsResult result(const std::string& host, const TlsDemand& demand) {
    Loopback::Pair pair = loopback_.connect();
    auto served = std::make_shared<bool>(false);
    boost::asio::co_spawn(loopback_.shard.executor(),
                          acceptor_.accept(std::move(pair.server), soon()),
                          [served](std::exception_ptr, const auto&) { *served = true; });
    const auto client = run_task(loopback_.shard.io(),
                                 dialer_->start_tls(std::move(pair.client), host, demand, soon()));
    EXPECT_TRUE(run_until(loopback_.shard.io(), [served] { return *served; }));
    if (client) return TlsResult::None;
    EXPECT_EQ(client.error().error, IoError::TlsFailed);
    return client.error().result;
  }

  TlsResult result(const std::string& host, std::vector<std::string> identities = {}) {
    return result(host, TlsDemand{TlsLevel::Verify, std::move(identities)});
  }

 private:
  static ClientTls authorities(const TlsFiles& files) {
    return {must(TlsContext::client(TlsLevel::May)), must(TlsContext::client(TlsLevel::Encrypt)),
            must(TlsContext::client(TlsLevel::Verify, files.chain))};
  }

  std::optional<TcpDialer> dialer_;
};

TEST_F(PeerCertificate, IsLookedAtOnlyWhereItIsToBeVerified) {
  serve({.hosts = {"other.example"}, .begins = -2h, .ends = -1h});
  for (const auto level : {TlsLevel::May, TlsLevel::Encrypt}) {
    EXPECT_EQ(result("mx.example.org", TlsDemand{level, {"mx.example.org"}}), TlsResult::None);
  }
}

TEST_F(PeerCertificate, OutOfItsTimeIsExpired) {
  serve({.hosts = {"mx.example.org"}, .begins = -2h, .ends = -1h});
  EXPECT_EQ(result("mx.example.org"), TlsResult::CertificateExpired);
  serve({.hosts = {"mx.example.org"}, .begins = 1h});
  EXPECT_EQ(result("mx.example.org"), TlsResult::CertificateExpired);
}

TEST_F(PeerCertificate, OfAnotherHostIsAMismatch) {
  serve({.hosts = {"mx.example.org"}});
  EXPECT_EQ(result("mx.example.org"), TlsResult::None);
  EXPECT_EQ(result("other.example"), TlsResult::CertificateHostMismatch);
  EXPECT_EQ(result("127.0.0.1"), TlsResult::CertificateHostMismatch);
}

TEST_F(PeerCertificate, OfAnUnknownIssuerIsNotTrusted) {
  serve({.hosts = {"mx.example.org"}});
  contexts_.publish(
      must(TlsContext::server(make_certificate(folder_, "stranger", "mx.example.org"))));
  EXPECT_EQ(result("mx.example.org"), TlsResult::CertificateNotTrusted);
}

TEST_F(PeerCertificate, OfAnIssuerThatIsTrustedNow) {
  serve({.hosts = {"mx.example.org"}});
  const auto files =
      make_certificate(folder_, "renewed", CertificateText{.hosts = {"mx.example.org"}});
  contexts_.publish(must(TlsContext::server(files)));
  EXPECT_EQ(result("mx.example.org"), TlsResult::CertificateNotTrusted);
  trust(files);
  EXPECT_EQ(result("mx.example.org"), TlsResult::None);
}

TEST_F(PeerCertificate, MustCarryOneOfTheIdentities) {
  serve({.hosts = {"mx1.example.org", "mx.example.org"}});
  EXPECT_EQ(result("host.example", {"other.example", "mx.example.org"}), TlsResult::None);
  EXPECT_EQ(result("host.example", {"mx1.example.org", "other.example"}), TlsResult::None);
  EXPECT_EQ(result("mx.example.org", {"other.example", "another.example"}),
            TlsResult::CertificateHostMismatch)
      << "the name of the host counts only where there is no other";
}

TEST_F(PeerCertificate, AStarInAnIdentityStandsForOneLabel) {
  serve({.hosts = {"mx.example.org"}});
  EXPECT_EQ(result("host.example", {"*.example.org"}), TlsResult::None);
  EXPECT_EQ(result("host.example", {"*.org"}), TlsResult::CertificateHostMismatch);
  EXPECT_EQ(result("host.example", {"*.mx.example.org"}), TlsResult::CertificateHostMismatch);
  EXPECT_EQ(result("host.example", {"*"}), TlsResult::CertificateHostMismatch);
  EXPECT_EQ(result("host.example", {"*."}), TlsResult::CertificateHostMismatch);
  serve({.hosts = {"*.example.org"}});
  EXPECT_EQ(result("host.example", {"*.example.org"}), TlsResult::None);
  EXPECT_EQ(result("host.example", {"mx.example.org"}), TlsResult::None);
  EXPECT_EQ(result("host.example", {"a.mx.example.org"}), TlsResult::CertificateHostMismatch);
}

TEST_F(PeerCertificate, AnEmptyIdentityIsNobody) {
  serve({.hosts = {"mx.example.org"}});
  EXPECT_EQ(result("mx.example.org", {""}), TlsResult::ValidationFailure);
  EXPECT_EQ(result("mx.example.org", {"other.example", ""}), TlsResult::ValidationFailure);
  EXPECT_EQ(result("mx.example.org", {std::string("mx.example.org\0.example", 23)}),
            TlsResult::ValidationFailure);
}

TEST_F(StartTls, TellsABrokenStreamFromABadCertificate) {
  const TlsDemand verify{TlsLevel::Verify, {}};
  Loopback::Pair pair = loopback_.connect();
  pair.server->close();
  auto client = run_task(
      loopback_.shard.io(),
      loopback_.dialer.start_tls(std::move(pair.client), "mx.example.org", verify, soon()));
  ASSERT_FALSE(client);
  EXPECT_TRUE(client.error().error == IoError::Closed || client.error().error == IoError::Reset);
  EXPECT_EQ(client.error().result, TlsResult::ValidationFailure);

  pair = loopback_.connect();
  client = run_task(loopback_.shard.io(),
                    loopback_.dialer.start_tls(std::move(pair.client), "mx.example.org", verify,
                                               base::Deadline::after(50ms)));
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().error, IoError::Timeout);
  EXPECT_EQ(client.error().result, TlsResult::ValidationFailure);
}

}  // namespace
}  // namespace relay::net
