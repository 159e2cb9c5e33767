// A peer that keeps OpenSSL busy with messages of TLS itself.
#include <array>
#include <chrono>
#include <cstdlib>
#include <future>
#include <optional>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "relay/net/plain_stream.hpp"
#include "relay/net/tls_stream.hpp"
#include "tests/net/raw_tls.hpp"
#include "tests/net/starttls.hpp"

namespace relay::net {
namespace {

using Clock = std::chrono::steady_clock;
using ports::IoError;

constexpr std::size_t kFlood = 50'000;

class TlsFlood : public StartTls {
 protected:
  struct Ends {
    RawTls evil;
    StreamPtr ours;
  };

  Ends serve_evil_client(int version = TLS1_3_VERSION) {
    auto [descriptor, plain] = loopback_.connect_raw();
    auto evil = RawTls::client(descriptor, version);
    auto greeted = std::async(std::launch::async, [&evil] { return evil.shake_hands(); });
    auto ours = run_task(loopback_.shard.io(), acceptor_.accept(std::move(plain), soon()));
    if (!greeted.get() || !ours) throw std::runtime_error("no handshake");
    return {std::move(evil), std::move(*ours)};
  }

  Ends dial_evil_server() {
    auto [descriptor, plain] = loopback_.connect_raw();
    auto evil = RawTls::server(descriptor, TLS1_3_VERSION, files_);
    auto greeted = std::async(std::launch::async, [&evil] { return evil.shake_hands(); });
    auto* const socket = dynamic_cast<PlainStream*>(plain.get());
    auto ours = run_task(
        loopback_.shard.io(),
        TlsStream::connect(socket->release(), must(TlsContext::client(mail::TlsLevel::May)),
                           "mx.example.org", {}, soon()));
    if (!greeted.get() || !ours) throw std::runtime_error("no handshake");
    return {std::move(evil), std::move(*ours)};
  }

  /// How long a bare OpenSSL needs for such a flood on this machine. Measured once.
  Clock::duration bare_cost() {
    static const Clock::duration cost = measure_bare_cost();
    return cost;
  }

  Clock::duration measure_bare_cost() {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) std::abort();
    auto evil = RawTls::client(pair[0], TLS1_3_VERSION);
    auto bare = RawTls::server(pair[1], TLS1_3_VERSION, files_);
    auto greeted = std::async(std::launch::async, [&evil] { return evil.shake_hands(); });
    if (!bare.shake_hands() || !greeted.get()) throw std::runtime_error("no handshake");
    const std::string records = evil.key_updates(kFlood) + evil.record_of("x");
    SSL_set0_rbio(bare.native(), BIO_new_mem_buf(records.data(), static_cast<int>(records.size())));
    const auto begin = Clock::now();
    char octet = 0;
    EXPECT_EQ(SSL_read(bare.native(), &octet, 1), 1);
    return Clock::now() - begin;
  }

  /// Turns the loop until `done`; the longest time between two turns of another task of the shard.
  Clock::duration longest_silence(const bool& done) {
    Clock::duration longest{0};
    auto last = Clock::now();
    while (!done) {
      boost::asio::post(loopback_.shard.io(), [&] {
        longest = std::max(longest, Clock::now() - last);
        last = Clock::now();
      });
      loopback_.shard.io().restart();
      loopback_.shard.io().run_one_for(std::chrono::milliseconds(50));
      if (Clock::now() - last > std::chrono::seconds(20)) break;
    }
    return std::max(longest, Clock::now() - last);
  }

  void read_to_the_end(Ends& ends) {
    const std::string flood = ends.evil.key_updates(kFlood);
    auto sent = std::async(std::launch::async, [&] { return ends.evil.send_raw(flood); });
    std::optional<std::expected<std::size_t, IoError>> got;
    bool done = false;
    std::array<char, 64> buffer{};
    boost::asio::co_spawn(loopback_.shard.executor(), ends.ours->read_some(buffer, soon()),
                          [&](std::exception_ptr, auto result) {
                            got = result;
                            done = true;
                          });
    const auto silence = longest_silence(done);
    ASSERT_TRUE(got && !*got);
    EXPECT_EQ(got->error(), IoError::TlsFlood);
    ends.ours->close();
    sent.get();
    EXPECT_LT(silence, bare_cost() / 5);
  }
};

TEST_F(TlsFlood, OfKeyUpdatesEndsItsConnectionAndHoldsUpNobody) {
  auto ends = serve_evil_client();
  read_to_the_end(ends);
}

TEST_F(TlsFlood, OfAnEvilServerEndsItsConnectionAndHoldsUpNobody) {
  auto ends = dial_evil_server();
  read_to_the_end(ends);
}

TEST_F(TlsFlood, DoesNotHoldWhoAsksForUnreadOctets) {
  auto ends = serve_evil_client();
  const std::string flood = ends.evil.key_updates(kFlood);
  auto sent = std::async(std::launch::async, [&] { return ends.evil.send_raw(flood); });
  Clock::duration longest{0};
  std::array<char, 64> buffer{};
  for (int i = 0; i < 1000; ++i) {
    const auto begin = Clock::now();
    EXPECT_FALSE(ends.ours->has_unread());
    longest = std::max(longest, Clock::now() - begin);
  }
  const auto got = run_task(loopback_.shard.io(), ends.ours->read_some(buffer, soon()));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), IoError::TlsFlood);
  ends.ours->close();
  sent.get();
  EXPECT_LT(longest, bare_cost() / 5);
}

TEST_F(TlsFlood, OfWishesToRenegotiateEndsItsConnection) {
  auto ends = serve_evil_client(TLS1_2_VERSION);
  const std::string flood = ends.evil.wish_to_renegotiate(60'000);
  auto sent = std::async(std::launch::async, [&] { return ends.evil.send_raw(flood); });
  std::array<char, 64> buffer{};
  const auto got =
      run_task(loopback_.shard.io(),
               ends.ours->read_some(buffer, base::Deadline::after(std::chrono::seconds(3))));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), IoError::TlsFlood);
  ends.ours->close();
  sent.get();
}

/// As many as are allowed, and data before, between and behind them.
TEST_F(TlsFlood, IsNotWhatAnHonestPeerDoes) {
  auto ends = serve_evil_client();
  std::string records = ends.evil.record_of("a");
  records += ends.evil.key_updates(mail::kLateTlsMessages - 1) + ends.evil.record_of("b");
  records += ends.evil.key_updates(1) + ends.evil.record_of("c");
  ASSERT_TRUE(ends.evil.send_raw(records));
  EXPECT_EQ(run_task(loopback_.shard.io(), read_all(*ends.ours, 3)), "abc");
  ASSERT_TRUE(ends.evil.send_raw(ends.evil.key_updates(1) + ends.evil.record_of("d")));
  EXPECT_EQ(run_task(loopback_.shard.io(), read_all(*ends.ours, 1)), "");
}

TEST_F(TlsFlood, BeginsWhereTheContextSays) {
  contexts_.publish(std::make_shared<const TlsContext>(
      TlsContext::server(files_).value().allowing_late_messages(2)));
  auto ends = serve_evil_client();
  ASSERT_TRUE(ends.evil.send_raw(ends.evil.key_updates(2) + ends.evil.record_of("a")));
  EXPECT_EQ(run_task(loopback_.shard.io(), read_all(*ends.ours, 1)), "a");
  ASSERT_TRUE(ends.evil.send_raw(ends.evil.key_updates(1) + ends.evil.record_of("b")));
  EXPECT_EQ(run_task(loopback_.shard.io(), read_all(*ends.ours, 1)), "");
}

/// Thousands of records of one octet come with one receive, and each read is answered at once.
TEST_F(TlsFlood, OfSmallRecordsTakesTurns) {
  auto ends = serve_evil_client();
  std::string records;
  constexpr std::size_t kRecords = 500;
  for (std::size_t i = 0; i < kRecords; ++i) records += ends.evil.record_of("x");
  ASSERT_TRUE(ends.evil.send_raw(records));
  std::size_t turns = 0;
  bool done = false;
  boost::asio::co_spawn(loopback_.shard.executor(), read_all(*ends.ours, kRecords),
                        [&](std::exception_ptr, const std::string& all) {
                          EXPECT_EQ(all.size(), kRecords);
                          done = true;
                        });
  while (!done) {
    loopback_.shard.io().restart();
    loopback_.shard.io().run_one();
    ++turns;
  }
  EXPECT_GT(turns, kRecords / 20);
}

}  // namespace
}  // namespace relay::net
