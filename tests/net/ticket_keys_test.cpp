// Sessions that are resumed by ticket, over real handshakes.
#include "relay/net/ticket_keys.hpp"

#include <future>
#include <memory>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/net/raw_tls.hpp"
#include "tests/net/starttls.hpp"

namespace relay::net {
namespace {

using Session = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

class Tickets : public StartTls, public testing::WithParamInterface<int> {
 protected:
  Tickets() { publish("first"); }

  /// A new context and a new certificate, as after a renewal.
  void publish(const std::string& name) {
    contexts_.publish(
        must(TlsContext::server(make_certificate(folder_, name, "mx.example.org"), keys_)));
  }

  /// A visit with that session, if any; takes the one the server gives out. Whether it resumed.
  bool visit(Session& session) {
    auto [descriptor, plain] = loopback_.connect_raw();
    auto client = RawTls::client(descriptor, GetParam());
    if (session) SSL_set_session(client.native(), session.get());
    auto greeted = std::async(std::launch::async, [&client] {
      char octet = 0;  // tickets of TLS 1.3 come with the first data
      return client.shake_hands() && SSL_read(client.native(), &octet, 1) == 1;
    });
    const auto server = run_task(loopback_.shard.io(), acceptor_.accept(std::move(plain), soon()));
    if (!server || !run_task(loopback_.shard.io(), (*server)->write("x", soon())) ||
        !greeted.get()) {
      throw std::runtime_error("no visit");
    }
    session.reset(SSL_get1_session(client.native()));
    SSL_shutdown(client.native());  // else OpenSSL marks the session as a bad one
    return SSL_session_reused(client.native()) == 1;
  }

  base::SteadyTime now_ = std::chrono::steady_clock::now();
  std::shared_ptr<TicketKeys> keys_ = std::make_shared<TicketKeys>([this] { return now_; });
  Session session_{nullptr, &SSL_SESSION_free};
};

TEST_P(Tickets, ResumeASessionUnderTheNextCertificate) {
  EXPECT_FALSE(visit(session_));
  EXPECT_TRUE(visit(session_));
  publish("second");
  EXPECT_TRUE(visit(session_));
}

TEST_P(Tickets, OpenWithThePreviousKeyAndAreSealedAnew) {
  EXPECT_FALSE(visit(session_));
  for (int i = 0; i < 3; ++i) {
    now_ += TicketKeys::kSpan + std::chrono::minutes(1);
    EXPECT_TRUE(visit(session_)) << i;
  }
}

TEST_P(Tickets, DoNotOpenWhenTheirKeyIsGone) {
  EXPECT_FALSE(visit(session_));
  now_ += 2 * TicketKeys::kSpan;
  EXPECT_FALSE(visit(session_)) << "nobody came in between";

  Session other{nullptr, &SSL_SESSION_free};
  const auto made = now_;
  now_ += TicketKeys::kSpan - std::chrono::seconds(1);
  EXPECT_FALSE(visit(other));
  now_ += std::chrono::seconds(2);
  Session third{nullptr, &SSL_SESSION_free};
  EXPECT_FALSE(visit(third));
  now_ = made + 2 * TicketKeys::kSpan;
  EXPECT_FALSE(visit(session_)) << "others came in between";
  EXPECT_FALSE(visit(other)) << "sealed late, and not kept for longer";
  EXPECT_TRUE(visit(third));
}

TEST_P(Tickets, OfOtherKeysAreNone) {
  EXPECT_FALSE(visit(session_));
  keys_ = std::make_shared<TicketKeys>([this] { return now_; });
  publish("other");
  EXPECT_FALSE(visit(session_));
}

INSTANTIATE_TEST_SUITE_P(Versions, Tickets, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& info) {
                           return info.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

}  // namespace
}  // namespace relay::net
