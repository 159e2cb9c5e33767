#include "relay/auth/iprev.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

namespace relay::auth {
namespace {

using mail::IprevResult;

class Iprev : public testing::Test {
 protected:
  mail::IprevVerdict check(const std::string& client, std::string_view zone) {
    boost::asio::io_context io;
    fakes::FakeResolver resolver(clock_, zone);
    const base::Deadline deadline{clock_.steady() + std::chrono::seconds(5)};
    const auto address = boost::asio::ip::make_address(client);
    auto verdict = support::run_task(io, check_iprev(resolver, address, deadline));
    questions_ = resolver.calls();
    return verdict;
  }

  fakes::FakeClock clock_;
  std::vector<std::string> questions_;
};

TEST_F(Iprev, PassesWhenTheNameLeadsBack) {
  const auto verdict = check("192.0.2.1",
                             "192.0.2.1       PTR mx.example.com\n"
                             "mx.example.com  A   192.0.2.9\n"
                             "mx.example.com  A   192.0.2.1\n");
  EXPECT_EQ(verdict.result, IprevResult::Pass);
  EXPECT_EQ(verdict.name, "mx.example.com");
}

TEST_F(Iprev, AsksForTheClientsFamilyOnly) {
  constexpr const char* kZone =
      "2001:db8::1     PTR  mx.example.com\n"
      "mx.example.com  AAAA 2001:db8::1\n"
      "mx.example.com  A    192.0.2.1\n";
  EXPECT_EQ(check("2001:db8::1", kZone).result, IprevResult::Pass);
  EXPECT_THAT(questions_, testing::ElementsAre("ptr 2001:db8::1", "aaaa mx.example.com"));
}

TEST_F(Iprev, SeesAnIpv4ClientBehindAMappedAddress) {
  EXPECT_EQ(
      check("::ffff:192.0.2.1", "192.0.2.1 PTR mx.example.com\nmx.example.com A 192.0.2.1\n").name,
      "mx.example.com");
}

TEST_F(Iprev, TakesTheFirstNameThatLeadsBack) {
  EXPECT_EQ(check("192.0.2.1",
                  "192.0.2.1     PTR a.example.com\n"
                  "192.0.2.1     PTR b.example.com\n"
                  "192.0.2.1     PTR c.example.com\n"
                  "a.example.com A   192.0.2.7\n"
                  "b.example.com A   192.0.2.1\n"
                  "c.example.com A   192.0.2.1\n")
                .name,
            "b.example.com");
}

TEST_F(Iprev, FailsWhenNoNameLeadsBack) {
  for (const char* forward : {"", "mx.example.com A 192.0.2.2\n", "mx.example.com EXISTS\n",
                              "mx.example.com AAAA 2001:db8::1\n"}) {
    const auto verdict =
        check("192.0.2.1", std::string("192.0.2.1 PTR mx.example.com\n") + forward);
    EXPECT_EQ(verdict.result, IprevResult::Fail) << forward;
    EXPECT_EQ(verdict.name, "") << "as its owner claims, unconfirmed";
  }
}

/// RFC 8601 §2.7.3: no PTR data is a permanent error.
TEST_F(Iprev, IsAPermanentErrorWithoutAName) {
  EXPECT_EQ(check("192.0.2.1", "").result, IprevResult::PermError);
  EXPECT_EQ(check("192.0.2.1", "192.0.2.1 EXISTS\n").result, IprevResult::PermError);
}

TEST_F(Iprev, IsATemporaryErrorWhenTheDnsIs) {
  EXPECT_EQ(check("192.0.2.1", "192.0.2.1 SERVFAIL\n").result, IprevResult::TempError);
  EXPECT_EQ(check("192.0.2.1", "192.0.2.1 PTR a.example\na.example SERVFAIL\n").result,
            IprevResult::TempError);
  EXPECT_EQ(check("192.0.2.1",
                  "192.0.2.1 PTR a.example\n192.0.2.1 PTR b.example\n"
                  "a.example SERVFAIL\nb.example A 192.0.2.1\n")
                .result,
            IprevResult::Pass);
}

/// Junk in a PTR is neither asked for nor shown.
TEST_F(Iprev, PassesOverWhatIsNoHostName) {
  EXPECT_EQ(check("192.0.2.1", "192.0.2.1 PTR a_b.example\na_b.example A 192.0.2.1\n").result,
            IprevResult::Fail);
  EXPECT_EQ(questions_.size(), 1U);
}

/// Nor does it take the place of a name that is one.
TEST_F(Iprev, FindsTheNameAmongMuchJunk) {
  std::string zone = "192.0.2.1 PTR mx.example\nmx.example A 192.0.2.1\n";
  for (int i = 0; i < 50; ++i) zone += "192.0.2.1 PTR _a" + std::to_string(i) + ".example\n";
  EXPECT_EQ(check("192.0.2.1", zone).result, IprevResult::Pass);
  EXPECT_EQ(check("192.0.2.1", "192.0.2.1 PTR 192.0.2.1.\n192.0.2.1 PTR a\\032b.example\n").result,
            IprevResult::Fail)
      << "an answer, and no trouble";
  EXPECT_EQ(questions_.size(), 1U);
}

TEST_F(Iprev, AsksForTenNamesAtMost) {
  std::string zone;
  for (int i = 10; i < 30; ++i) {
    zone += "192.0.2.1 PTR h" + std::to_string(i) + ".example\n";
  }
  zone += "h29.example A 192.0.2.1\n";
  EXPECT_EQ(check("192.0.2.1", zone).result, IprevResult::Fail);
  EXPECT_EQ(questions_.size(), 1 + kMaxIprevNames);
}

TEST(HostName, IsLettersDigitsAndHyphens) {
  using namespace std::string_view_literals;
  for (const std::string_view name :
       {"a"sv, "mx-1.example.com"sv, "1.2.3.4.5"sv, "XN--A.Example"sv}) {
    EXPECT_TRUE(is_host_name(name)) << name;
  }
  for (const std::string_view name :
       {""sv, "."sv, "a."sv, ".a"sv, "a..b"sv, "-a.b"sv, "a-.b"sv, "a_b.c"sv, "a b.c"sv,
        "\x1B[31m.c"sv, "a\0.c"sv, "b\xC3\xBC.c"sv, "a;b.c"sv, "a(b.c"sv}) {
    EXPECT_FALSE(is_host_name(name)) << name;
  }
  const std::string label(63, 'a');
  EXPECT_TRUE(is_host_name(label));
  EXPECT_FALSE(is_host_name(label + "a"));
  const std::string most = label + "." + label + "." + label + ".";
  EXPECT_TRUE(is_host_name(most + std::string(61, 'a')));
  EXPECT_FALSE(is_host_name(most + std::string(62, 'a')));
}

}  // namespace
}  // namespace relay::auth
