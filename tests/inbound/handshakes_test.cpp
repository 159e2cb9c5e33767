// Places for TLS handshakes: which client gets one, when, and the reply to the others (guarantee
// "Handshakes are bounded").
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/inbound/house.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using base::origin_of;
using testing::HasSubstr;

const std::vector<std::string> kStartTls{"EHLO c.example\r\n", "STARTTLS\r\n"};

Limits with_places(std::uint32_t places) {
  Limits limits;
  limits.handshakes = places;
  return limits;
}

std::vector<FairShare::Holding> taken_by(House& house, const std::vector<std::string>& addresses,
                                         const Limits& limits) {
  std::vector<FairShare::Holding> places;
  for (const std::string& address : addresses) {
    auto place = house.handshakes.enter(origin_of(address), limits);
    if (place) places.push_back(std::move(*place));
  }
  return places;
}

TEST(Handshakes, WhoHasNoPlaceHears454AndGoesOnInTheClear) {
  const Limits limits = with_places(1);
  House house(limits, true);
  {
    const auto place = house.handshakes.enter(origin_of("198.51.100.1"), limits);
    ASSERT_TRUE(place);
    const auto wire = house.talk(
        {"EHLO c.example\r\n", "STARTTLS\r\n", "MAIL FROM:<ann@sender.example>\r\n",
         "RCPT TO:<info@example.org>\r\n", "DATA\r\n", "a: b\r\n\r\nx\r\n.\r\n", "QUIT\r\n"});
    EXPECT_THAT(wire->sent, HasSubstr("454 4.7.0 TLS not available now"));
    EXPECT_THAT(wire->sent, HasSubstr("queued as"));
    EXPECT_EQ(house.tls.handshakes, 0);
    EXPECT_THAT(house.log.lines, testing::Contains(HasSubstr(R"("stage":"starttls","code":454)")));
  }
  house.talk(kStartTls);
  EXPECT_EQ(house.tls.handshakes, 1);
  EXPECT_TRUE(house.handshakes.enter(origin_of("192.0.2.7"), limits)) << "the place is given back";
}

/// Saying STARTTLS costs nothing, so it holds nothing.
TEST(Handshakes, APlaceIsHeldFromTheFirstOctetOfTheHandshake) {
  const Limits limits = with_places(1);
  House house(limits, true);
  const auto has_place = [&] {
    return house.handshakes.enter(origin_of("198.51.100.1"), limits).has_value();
  };
  house.tls.before_hello = [&] {
    EXPECT_TRUE(has_place()) << "after the 220";
    return true;
  };
  house.tls.in_handshake = [&] { EXPECT_FALSE(has_place()); };
  house.talk(kStartTls);
  EXPECT_EQ(house.tls.hellos, 1);
  EXPECT_EQ(house.tls.handshakes, 1);
}

TEST(Handshakes, WhoSaysStartTlsAndNothingMoreIsClosedInTheEnd) {
  House house({}, true);
  house.tls.before_hello = [&] {
    house.clock.advance(10s);
    return false;
  };
  const auto wire = house.talk(kStartTls);
  EXPECT_TRUE(wire->sent.ends_with("220 2.0.0 Ready to start TLS\r\n")) << "nothing in the clear";
  EXPECT_TRUE(wire->closed);
  EXPECT_EQ(house.tls.hellos, 6);
  EXPECT_EQ(house.tls.handshakes, 0);
  EXPECT_THAT(house.log.lines.back(), HasSubstr("No TLS handshake"));
}

TEST(Handshakes, WhoComesTooLateWaitsTenSecondsForAPlace) {
  for (const bool becomes_free : {true, false}) {
    const Limits limits = with_places(1);
    House house(limits, true);
    std::optional<FairShare::Holding> other;
    house.tls.before_hello = [&] {  // between our 220 and the first octet
      if (auto place = house.handshakes.enter(origin_of("198.51.100.1"), limits)) {
        other.emplace(std::move(*place));
      }
      return true;
    };
    const auto wire = house.dial(kStartTls);
    house.poll();
    house.clock.run_for(house.io, 9s);
    EXPECT_EQ(house.tls.handshakes, 0);
    EXPECT_FALSE(wire->closed);
    if (becomes_free) other.reset();
    house.clock.run_for(house.io, 2s);
    EXPECT_EQ(house.tls.handshakes, becomes_free ? 1 : 0);
    EXPECT_EQ(house.acceptor.sessions(), 0U);
    EXPECT_TRUE(wire->sent.ends_with("220 2.0.0 Ready to start TLS\r\n"));
  }
}

TEST(Handshakes, OneNetworkHasAQuarterOfThePlaces) {
  const Limits limits = with_places(40);
  House house(limits, true);
  std::vector<std::string> crowd;
  for (int i = 1; i < 100; ++i) crowd.push_back("127.7.7." + std::to_string(i));
  EXPECT_EQ(taken_by(house, crowd, limits).size(), 10U);
  crowd.clear();
  for (int i = 1; i < 100; ++i) crowd.push_back("2001:db8:1:" + std::to_string(i) + "::1");
  const auto places = taken_by(house, crowd, limits);
  EXPECT_EQ(places.size(), 20U);
  EXPECT_THAT(house.talk(kStartTls)->sent, HasSubstr("220 2.0.0"));
}

TEST(Handshakes, SoManyEachSecondForOneClient) {
  House house({}, true);
  const auto answer = [&] {
    house.tls.wire = std::make_shared<fakes::Wire>();
    return house.talk(kStartTls)->sent;
  };
  for (int i = 0; i < 100; ++i) ASSERT_THAT(answer(), HasSubstr("220 2.0.0")) << i;
  EXPECT_THAT(answer(), HasSubstr("454 4.7.0"));
  house.clock.advance(1s);
  for (int i = 0; i < 10; ++i) ASSERT_THAT(answer(), HasSubstr("220 2.0.0")) << i;
  EXPECT_THAT(answer(), HasSubstr("454 4.7.0"));
}

TEST(Handshakes, AnIpv6NetworkIsOneClient) {
  Limits limits;
  limits.handshakes_from_client = {.count = 10, .span = 10s};
  House house(limits, true);
  int begun = 0;
  for (int i = 1; i <= 50; ++i) {
    const std::string client = "2001:db8:1:2::" + std::to_string(i);
    begun += house.handshakes.may_begin(origin_of(client), limits) ? 1 : 0;
  }
  EXPECT_EQ(begun, 10);
}

/// Ten small networks take all places, and their handshakes stand still.
TEST(Handshakes, WhoStandsStillGivesUpHisPlace) {
  const Limits limits = with_places(40);
  House house(limits, true);
  house.tls.stalls = true;
  std::vector<std::shared_ptr<fakes::Wire>> crowd;
  for (int i = 0; i < 100; ++i) {
    crowd.push_back(house.dial(kStartTls, "127.7." + std::to_string(i / 10) + ".1"));
    house.poll();
  }
  const auto closed = [&crowd] {
    return std::ranges::count_if(crowd, [](const auto& wire) { return wire->closed; });
  };
  const auto without_place = closed();
  house.tls.stalls = false;
  EXPECT_FALSE(house.handshakes.enter(origin_of("192.0.2.7"), limits));
  EXPECT_THAT(house.talk(kStartTls)->sent, HasSubstr("454 4.7.0")) << "they have a fair time";
  house.clock.advance(FairShare::kPatience);
  const int before = house.tls.handshakes;
  EXPECT_THAT(house.talk(kStartTls)->sent, HasSubstr("220 2.0.0"));
  EXPECT_EQ(house.tls.handshakes, before + 1);
  EXPECT_EQ(closed(), without_place + 1);
  EXPECT_THAT(house.log.lines, testing::Contains(HasSubstr(R"("stage":"starttls","code":454)")));
  house.acceptor.drain();
  house.poll();
  EXPECT_EQ(house.acceptor.sessions(), 0U) << "a drain cuts them off after ten seconds";
}

/// The stream has ended the connection; the client is logged and charged.
TEST(Handshakes, AFloodOfTlsMessagesIsLoggedAndCharged) {
  Limits limits;
  limits.wasted = 2ULL << 20;
  House house(limits, true);
  for (int i = 0; i < 2; ++i) {
    house.tls.wire = std::make_shared<fakes::Wire>();
    house.tls.wire->incoming = {"EHLO c.example\r\n"};
    house.tls.wire->at_end = ports::IoError::TlsFlood;
    house.talk(kStartTls);
    EXPECT_THAT(house.log.lines.back(), HasSubstr("too many TLS handshake messages"));
    EXPECT_THAT(house.log.lines.back(), HasSubstr(R"("stage":"tls")"));
  }
  EXPECT_THAT(house.talk({"QUIT\r\n"})->sent, HasSubstr("421 4.7.0 Too much unfinished mail"));
}

}  // namespace
}  // namespace relay::inbound
