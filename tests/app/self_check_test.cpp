// Does the way back work?
#include "relay/app/self_check.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/settings/file_stamp.hpp"
#include "relay/settings/settings.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"

namespace relay::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::shared_ptr<settings::Settings> house() {
  auto s = std::make_shared<settings::Settings>();
  s->hostname = "mx.example.org";
  s->domains.push_back(
      {.name = *mail::Domain::parse("example.org"), .aliases = {}, .patterns = {}, .map_to = {}});
  s->srs.domain = *mail::Domain::parse("srs.example.org");
  s->srs.secrets.push_back({.id = "k", .secret = base::Secret("q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua")});
  return s;
}

std::vector<std::string> problems(const std::string& zone, bool with_srs = true) {
  boost::asio::io_context io;
  fakes::FakeClock clock;
  fakes::FakeResolver resolver(clock, zone);
  auto settings = house();
  if (!with_srs) settings->srs.domain.reset();
  auto asked = boost::asio::co_spawn(
      io,
      srs_dns_problems(resolver, settings, {boost::asio::ip::make_address("192.0.2.25")},
                       base::Deadline{clock.steady() + std::chrono::seconds(5)}),
      boost::asio::use_future);
  clock.run_for(io, std::chrono::seconds(10));
  return asked.get();
}

TEST(SrsSelfCheck, OurOwnAddressComesBack) {
  const auto planner = forward::Planner::make(house());
  EXPECT_EQ(srs_round_trip_problem(**planner, fakes::FakeClock::kStart), std::nullopt);
}

/// The negative control: a set of rules under which our own address is not taken back.
TEST(SrsSelfCheck, NoticesThatItDoesNot) {
  auto broken = house();
  broken->srs.domain = *mail::Domain::parse("probe.invalid");  // the probe looks like one of ours
  const auto planner = forward::Planner::make(broken);
  const auto problem = srs_round_trip_problem(**planner, fakes::FakeClock::kStart);
  ASSERT_TRUE(problem);
  EXPECT_THAT(*problem, HasSubstr("no SRS address can be made"));
}

TEST(SrsSelfCheck, IsContentWithAnMxThatIsUsByNameOrAddress) {
  EXPECT_THAT(problems("srs.example.org MX 10 mx.example.org\n"
                       "srs.example.org TXT \"v=spf1 a:mx.example.org -all\"\n"),
              IsEmpty());
  EXPECT_THAT(problems("srs.example.org MX 5 other.example\n"
                       "srs.example.org MX 10 nat.example\n"
                       "other.example A 192.0.2.1\nnat.example A 192.0.2.25\n"
                       "srs.example.org TXT \"V=SPF1 -all\"\n"),
              IsEmpty());
  EXPECT_THAT(problems("", false), IsEmpty());
}

TEST(SrsSelfCheck, NamesWhatIsMissing) {
  EXPECT_THAT(problems("srs.example.org EXISTS\n"),
              ElementsAre(HasSubstr("no usable MX"), HasSubstr("no SPF record")));
  EXPECT_THAT(problems("srs.example.org MX 0 .\nsrs.example.org TXT \"v=spf1 -all\"\n"),
              ElementsAre(HasSubstr("no usable MX")));
  EXPECT_THAT(problems("srs.example.org MX 10 mx.elsewhere.example\n"
                       "mx.elsewhere.example A 192.0.2.99\n"
                       "srs.example.org TXT \"v=spf1 -all\"\n"),
              ElementsAre(HasSubstr("no MX of srs.example.org points to mx.example.org")));
}

TEST(SrsSelfCheck, ADnsFailureIsNamedAsOne) {
  EXPECT_THAT(problems("srs.example.org SERVFAIL\n"),
              ElementsAre(HasSubstr("cannot be looked up"), HasSubstr("cannot be looked up")));
  EXPECT_THAT(problems("srs.example.org NEVER\n"),
              ElementsAre(HasSubstr("MX of"), HasSubstr("TXT of")));
}

TEST(InterfaceAddresses, HoldLoopback) {
  const auto all = interface_addresses();
  EXPECT_NE(std::ranges::find(all, boost::asio::ip::make_address("127.0.0.1")), all.end());
}

}  // namespace
}  // namespace relay::app
