// STARTTLS on both sides, over real sockets.
#include "tests/net/starttls.hpp"

#include <future>

#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/net/tls_stream.hpp"
#include "tests/net/raw_tls.hpp"

namespace relay::net {
namespace {

using namespace std::chrono_literals;
using mail::TlsLevel;
using ports::IoError;

TEST_F(StartTls, CarriesOctetsBothWays) {
  const auto ends = shake_hands(loopback_.connect(), "mx.example.org", TlsLevel::Verify);
  ASSERT_TRUE(ends.client && ends.server);
  const std::string flood(4U << 20U, 'x');
  bool sent = false;
  boost::asio::co_spawn(loopback_.shard.executor(), (*ends.client)->write(flood, soon()),
                        [&sent](std::exception_ptr, const auto& result) { sent = !!result; });
  EXPECT_EQ(run_task(loopback_.shard.io(), read_all(**ends.server, flood.size())), flood);
  EXPECT_TRUE(run_until(loopback_.shard.io(), [&sent] { return sent; }));
  ASSERT_TRUE(run_task(loopback_.shard.io(), (*ends.server)->write("250 ok\r\n", soon())));
  EXPECT_EQ(run_task(loopback_.shard.io(), read_all(**ends.client, 8)), "250 ok\r\n");
}

/// Until then a handshake costs nothing, and nothing is taken of it.
TEST_F(StartTls, WaitsForTheFirstOctetOfAHandshakeAndLeavesItThere) {
  auto pair = loopback_.connect();
  const auto wait = [&](base::Deadline deadline) {
    return run_task(loopback_.shard.io(), acceptor_.await_hello(*pair.server, deadline));
  };
  const auto silent = wait(base::Deadline::after(50ms));
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error(), IoError::Timeout);
  ASSERT_TRUE(run_task(loopback_.shard.io(), pair.client->write("\x16", soon())));
  EXPECT_TRUE(wait(soon()));
  EXPECT_EQ(run_task(loopback_.shard.io(), read_all(*pair.server, 1)), "\x16");
  pair.client->close();
  EXPECT_TRUE(wait(soon())) << "the end is found by the handshake";
}

/// Inside TLS, too, a client that speaks too early is seen.
TEST_F(StartTls, ShowsUnreadOctets) {
  const auto ends = shake_hands(loopback_.connect(), "mx.example.org", TlsLevel::Verify);
  ASSERT_TRUE(ends.client && ends.server);
  ports::Stream& server = **ends.server;
  EXPECT_FALSE(server.has_unread());
  EXPECT_FALSE((*ends.client)->has_unread()) << "session tickets are no octets";
  ASSERT_TRUE(run_task(loopback_.shard.io(), (*ends.client)->write("EHLO x\r\n", soon())));
  EXPECT_TRUE(run_until(loopback_.shard.io(), [&] { return server.has_unread(); }));
  EXPECT_EQ(run_task(loopback_.shard.io(), read_all(server, 8)), "EHLO x\r\n");
  EXPECT_FALSE(server.has_unread());
  (*ends.client)->close();
  EXPECT_EQ(run_task(loopback_.shard.io(), read_all(server, 1)), "");
  EXPECT_FALSE(server.has_unread());
}

TEST_F(StartTls, TellsVersionCipherAndVerification) {
  const auto ends = shake_hands(loopback_.connect(), "mx.example.org", TlsLevel::Verify);
  ASSERT_TRUE(ends.client && ends.server);
  const auto client = (*ends.client)->tls();
  ASSERT_TRUE(client);
  EXPECT_EQ(client->version, "TLSv1.3");
  EXPECT_TRUE(client->cipher.starts_with("TLS_")) << client->cipher;
  EXPECT_TRUE(client->verified);
  EXPECT_EQ((*ends.server)->tls()->cipher, client->cipher);
  EXPECT_FALSE((*ends.server)->tls()->verified);
  EXPECT_EQ((*ends.client)->peer().port, loopback_.endpoint().port);
}

TEST_F(StartTls, TakesAnyCertificateUnlessItIsToBeVerified) {
  const auto ends = shake_hands(loopback_.connect(), "other.example", TlsLevel::May);
  ASSERT_TRUE(ends.client && ends.server);
  EXPECT_FALSE((*ends.client)->tls()->verified);
}

TEST_F(StartTls, NewCertificateIsUsedByNextHandshakeAndOldSessionGoesOn) {
  const auto before = shake_hands(loopback_.connect(), "mx.example.org", TlsLevel::Verify);
  ASSERT_TRUE(before.client && before.server);
  contexts_.publish(must(TlsContext::server(make_certificate(folder_, "new", "mx.example.org"))));
  EXPECT_FALSE(shake_hands(loopback_.connect(), "mx.example.org", TlsLevel::Verify).client);
  ASSERT_TRUE(run_task(loopback_.shard.io(), (*before.server)->write("250 ok\r\n", soon())));
  EXPECT_EQ(run_task(loopback_.shard.io(), read_all(**before.client, 8)), "250 ok\r\n");
}

TEST_F(StartTls, ClientRefusesReplyInjectedBeforeHandshake) {
  auto pair = loopback_.connect();
  ASSERT_TRUE(run_task(loopback_.shard.io(), pair.server->write("250 injected\r\n", soon())));
  const auto client = run_task(loopback_.shard.io(),
                               loopback_.dialer.start_tls(std::move(pair.client), "mx.example.org",
                                                          {.level = TlsLevel::May}, soon()));
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().error, IoError::TlsFailed);
  EXPECT_EQ(client.error().result, mail::TlsResult::ValidationFailure);
}

TEST_F(StartTls, ServerRefusesCommandInjectedBeforeHandshake) {
  auto pair = loopback_.connect();
  ASSERT_TRUE(
      run_task(loopback_.shard.io(), pair.client->write("MAIL FROM:<a@b.example>\r\n", soon())));
  const auto ends = shake_hands(std::move(pair), "mx.example.org", TlsLevel::May);
  ASSERT_FALSE(ends.server);
  EXPECT_EQ(ends.server.error(), IoError::TlsFailed);
  EXPECT_FALSE(ends.client);
}

TEST_F(StartTls, HandshakeEndsAtItsDeadline) {
  auto [client, server] = loopback_.connect_raw();
  const auto ended = run_task(loopback_.shard.io(),
                              acceptor_.accept(std::move(server), base::Deadline::after(50ms)));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error(), IoError::Timeout);
  ::close(client);
}

TEST_F(StartTls, EndOfTlsIsEndOfConnection) {
  const auto ends = shake_hands(loopback_.connect(), "mx.example.org", TlsLevel::Verify);
  ASSERT_TRUE(ends.client && ends.server);
  (*ends.client)->close();
  std::array<char, 16> buffer;
  for (int i = 0; i < 2; ++i) {
    const auto got = run_task(loopback_.shard.io(), (*ends.server)->read_some(buffer, soon()));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error(), IoError::Closed);
  }
  EXPECT_FALSE(run_task(loopback_.shard.io(), (*ends.server)->write("250 ok\r\n", soon())));
}

TEST_F(StartTls, FarewellIsPossibleAfterReadTimeout) {
  const auto ends = shake_hands(loopback_.connect(), "mx.example.org", TlsLevel::Verify);
  ASSERT_TRUE(ends.client && ends.server);
  std::array<char, 16> buffer;
  const auto got = run_task(loopback_.shard.io(),
                            (*ends.server)->read_some(buffer, base::Deadline::after(10ms)));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), IoError::Timeout);
  ASSERT_TRUE(run_task(loopback_.shard.io(), (*ends.server)->write("421 bye\r\n", soon())));
  EXPECT_EQ(run_task(loopback_.shard.io(), read_all(**ends.client, 9)), "421 bye\r\n");
}

TEST_F(StartTls, ServerRefusesGarbageThatLooksLikeAHandshake) {
  auto [client, server] = loopback_.connect_raw();
  ASSERT_EQ(::send(client, "\x16\x03\x01\x00\x05hello", 10, MSG_NOSIGNAL), 10);
  const auto ended = run_task(loopback_.shard.io(), acceptor_.accept(std::move(server), soon()));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error(), IoError::TlsFailed);
  ::close(client);
}

TEST_F(StartTls, PlaintextAfterTheEndOfTlsIsNeverRead) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto [descriptor, plain] = loopback_.connect_raw();
    auto client = RawTls::client(descriptor, version);
    auto spoken = std::async(std::launch::async, [&client] {
      const bool connected = client.shake_hands();
      client.end_tls_and_say("MAIL FROM:<a@b.example>\r\n");
      return connected;
    });
    const auto server = run_task(loopback_.shard.io(), acceptor_.accept(std::move(plain), soon()));
    ASSERT_TRUE(server && spoken.get());
    std::array<char, 64> buffer;
    for (int i = 0; i < 2; ++i) {
      const auto got = run_task(loopback_.shard.io(), (*server)->read_some(buffer, soon()));
      ASSERT_FALSE(got);
      EXPECT_EQ(got.error(), IoError::Closed);
    }
    EXPECT_FALSE(run_task(loopback_.shard.io(), (*server)->write("250 ok\r\n", soon())));
  }
}

TEST_F(StartTls, RefusesVersionsBefore12) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    auto [descriptor, plain] = loopback_.connect_raw();
    auto client = RawTls::client(descriptor, version);
    auto connected = std::async(std::launch::async, [&client] { return client.shake_hands(); });
    const auto server = run_task(loopback_.shard.io(), acceptor_.accept(std::move(plain), soon()));
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error(), IoError::TlsFailed);
    EXPECT_FALSE(connected.get());
  }
}

TEST_F(StartTls, StreamCanBeHandedOverOnce) {
  auto ends = shake_hands(loopback_.connect(), "mx.example.org", TlsLevel::Verify);
  ASSERT_TRUE(ends.client && ends.server);
  const auto again =
      run_task(loopback_.shard.io(), acceptor_.accept(std::move(*ends.server), soon()));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), IoError::TlsFailed);
}

base::Task<> wait_in_vain(ports::Stream& stream, std::size_t& ended) {
  std::array<char, 16> buffer;
  co_await stream.read_some(buffer, base::Deadline::after(1ms));
  ++ended;
}

// Reliability goal: 15 KiB for an idle TLS session. Both ends live in this process. A read that
// finds nothing lets OpenSSL give its buffer back, as in a session that waits for its client.
TEST_F(StartTls, IdleSessionIsSmall) {
  constexpr std::size_t kSessions = 50;
  std::vector<Ends> sessions;
  std::size_t ended = 0;
  sessions.push_back(shake_hands(loopback_.connect(), "mx.example.org", TlsLevel::Verify));
  const auto before = ::mallinfo2().uordblks;
  for (std::size_t i = 0; i < kSessions; ++i) {
    sessions.push_back(shake_hands(loopback_.connect(), "mx.example.org", TlsLevel::Verify));
    auto& [client, server] = sessions.back();
    ASSERT_TRUE(client && server);
    const auto executor = loopback_.shard.executor();
    base::spawn_supervised(executor, "client", wait_in_vain(**client, ended));
    base::spawn_supervised(executor, "server", wait_in_vain(**server, ended));
  }
  ASSERT_TRUE(run_until(loopback_.shard.io(), [&ended] { return ended == 2 * kSessions; }));
  const auto each = (::mallinfo2().uordblks - before) / kSessions;
  RecordProperty("octets_per_pair", static_cast<int>(each));
  EXPECT_LT(each, 64U * 1024U);
}

TEST_F(StartTls, TellsWhatThePeerHasNotAcknowledged) {
  auto ends = shake_hands(loopback_.connect(), "mx.example.org", mail::TlsLevel::May);
  ASSERT_TRUE(ends.server);
  ports::Stream& server = **ends.server;
  ASSERT_TRUE(run_task(loopback_.shard.io(), server.write("250 2.0.0 Ok\r\n", soon())));
  EXPECT_TRUE(run_until(loopback_.shard.io(), [&server] { return server.unacknowledged() == 0; }));
  const std::string much(64UL << 20, 'x');
  const auto deadline = base::Deadline::after(std::chrono::milliseconds(200));
  EXPECT_FALSE(run_task(loopback_.shard.io(), server.write(much, deadline)));
  EXPECT_GT(server.unacknowledged(), 0U);
}

}  // namespace
}  // namespace relay::net
