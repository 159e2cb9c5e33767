// What STARTTLS does to one connection, and what is left of it for the next.
#include "relay/inbound/start_tls.hpp"

#include <gmock/gmock.h>

#include "tests/inbound/connected.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using base::origin_of;
using testing::HasSubstr;

const smtp::Reply kGoOn{220, {2, 0, 0}, "Ready to start TLS"};

Limits one_place() {
  Limits limits;
  limits.handshakes = 1;
  limits.handshakes_from_client = {.count = 2, .span = 10s};
  return limits;
}

class StartTlsTest : public Connected {
 protected:
  StartTlsTest() : Connected("192.0.2.7", one_place()) {}

  /// What the log says of it; nullopt: nothing.
  std::optional<smtp::Reply> secure() {
    return support::run_task(io, start_.secure(connection, kGoOn, origin_of("192.0.2.7"), limits));
  }

  bool is_place_free() { return handshakes_.enter(origin_of("198.51.100.1"), limits).has_value(); }

  fakes::ScriptedTlsAcceptor tls_;
  Handshakes handshakes_{clock};
  StartTls start_{{.clock = clock, .tls = &tls_, .handshakes = handshakes_}};
};

TEST_F(StartTlsTest, GoesOnWithinTlsAndGivesThePlaceBack) {
  tls_.in_handshake = [&] { EXPECT_FALSE(is_place_free()); };
  tls_.wire->incoming = {"EHLO again.example\r\n"};
  EXPECT_FALSE(secure());
  EXPECT_EQ(wire->sent, kGoOn.wire());
  EXPECT_TRUE(connection.is_tls());
  EXPECT_TRUE(is_place_free());
  read();
  EXPECT_EQ(connection.buffer().pending(), "EHLO again.example\r\n");
  connection.say(kGoOn);
  EXPECT_TRUE(support::run_task(io, connection.flush(connection.after(1s))));
  EXPECT_EQ(tls_.wire->sent, kGoOn.wire());
  EXPECT_EQ(wire->sent, kGoOn.wire()) << "nothing more in the clear";
}

/// Octets that came in the clear must not be taken as sent in TLS.
TEST_F(StartTlsTest, EndsAConnectionThatHasSentMoreInTheClear) {
  wire->incoming = {"MAIL FROM:<ann@sender.example>\r\n"};
  read();
  EXPECT_FALSE(secure());
  EXPECT_TRUE(connection.over());
  EXPECT_EQ(tls_.hellos, 0);
  EXPECT_TRUE(is_place_free());
}

/// The client expects TLS: what is wrong is told to the log alone.
TEST_F(StartTlsTest, SaysNothingInTheClearWhenTheHandshakeFails) {
  tls_.fails = true;
  const auto told = secure();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->code(), 454);
  EXPECT_TRUE(connection.over());
  support::run_task(io, connection.finish());
  EXPECT_EQ(wire->sent, kGoOn.wire());
  EXPECT_TRUE(is_place_free()) << "the next client gets its place";
}

TEST_F(StartTlsTest, WaitsForAPlaceAndGivesUpInTheEnd) {
  auto taken = handshakes_.enter(origin_of("198.51.100.1"), limits);
  ASSERT_TRUE(taken);
  const base::Origin client = origin_of("192.0.2.7");  // is looked at until the task has ended
  std::optional<std::optional<smtp::Reply>> told;
  run_for(9s, support::keep_result(start_.secure(connection, kGoOn, client, limits), told));
  EXPECT_FALSE(told);
  clock.run_for(io, 2s);
  ASSERT_TRUE(told && *told);
  EXPECT_THAT((*told)->text(), HasSubstr("no place"));
  EXPECT_EQ(tls_.handshakes, 0);
  EXPECT_TRUE(connection.over());
}

TEST_F(StartTlsTest, CountsEachTimeThatItIsAskedFor) {
  const auto may_begin = [&](const char* client) {
    return start_.may_begin(origin_of(client), limits);
  };
  EXPECT_TRUE(may_begin("192.0.2.7"));
  EXPECT_TRUE(may_begin("192.0.2.7"));
  EXPECT_FALSE(may_begin("192.0.2.7"));
  EXPECT_TRUE(may_begin("192.0.2.8"));
  clock.advance(10s);
  EXPECT_TRUE(may_begin("192.0.2.7"));
}

TEST_F(StartTlsTest, NeedsACertificate) {
  EXPECT_TRUE(start_.is_possible());
  EXPECT_FALSE(StartTls({.clock = clock, .tls = nullptr, .handshakes = handshakes_}).is_possible());
}

}  // namespace
}  // namespace relay::inbound
