#include "relay/dns/unbound_resolver.hpp"

#include <fstream>
#include <future>
#include <thread>

#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/net/shard.hpp"
#include "tests/dns/name_server.hpp"
#include "tests/support/run_task.hpp"

namespace relay::dns {
namespace {

using namespace std::chrono_literals;
using ports::DnsError;
using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kZone =
    "$ORIGIN example.org.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\n"
    "ns A 127.0.0.1\nmx1 A 192.0.2.1\n"
    "both 90 A 192.0.2.2\nboth 40 AAAA 2001:db8::2\n"
    "www 20 CNAME mail\nmail 200 MX 10 mx1\nbrief 2 TXT \"x\"\n";

class UnboundAndNsd : public testing::Test {
 protected:
  void SetUp() override {
    const auto program = NameServer::find();
    if (!program) {
      const char* ci = std::getenv("CI");
      if (ci != nullptr && std::string(ci) == "true") FAIL() << "nsd is not installed";
      GTEST_SKIP() << "nsd is not installed";
    }
    server_ = std::make_unique<NameServer>(*program, kZone);
  }

  std::unique_ptr<UnboundResolver> open(boost::asio::io_context& io,
                                        std::optional<std::filesystem::path> anchor = {}) {
    auto resolver = UnboundResolver::open(io, {{server_->address()}, std::move(anchor)});
    if (!resolver) throw std::runtime_error(resolver.error());
    return std::move(*resolver);
  }

  std::unique_ptr<NameServer> server_;
};

TEST_F(UnboundAndNsd, GivesTheShortestTtlOfBothFamilies) {
  boost::asio::io_context io;
  const auto resolver = open(io);
  const auto both = support::run_task(io, resolver->addresses("both.example.org", support::soon()));
  ASSERT_TRUE(both) << describe(both.error());
  EXPECT_THAT(both->records, SizeIs(2));
  EXPECT_EQ(both->ttl, 40s);
  const auto mx1 = support::run_task(io, resolver->addresses("mx1.example.org", support::soon()));
  EXPECT_EQ(mx1->ttl, 300s) << "that there is no AAAA is no record";
  EXPECT_LE(support::run_task(io, resolver->mx("www.example.org", support::soon()))->ttl, 20s)
      << "of the CNAME";
}

TEST_F(UnboundAndNsd, GivesTheTtlThatIsLeftOfWhatItKept) {
  boost::asio::io_context io;
  const auto resolver = open(io);
  EXPECT_EQ(support::run_task(io, resolver->txt("brief.example.org", support::soon()))->ttl, 2s);
  std::this_thread::sleep_for(1100ms);
  EXPECT_LE(support::run_task(io, resolver->txt("brief.example.org", support::soon()))->ttl, 1s);
}

TEST_F(UnboundAndNsd, AnswersAreBogusWhenTheChainOfTrustIsBroken) {
  // An anchor for a zone that carries no signatures at all.
  const auto anchor = server_->folder() / "anchor";
  std::ofstream(anchor) << "example.org. IN DS 12345 13 2 " << std::string(64, 'A') << "\n";
  boost::asio::io_context io;
  const auto resolver = open(io, anchor);
  EXPECT_EQ(support::run_task(io, resolver->addresses("mx1.example.org", support::soon())).error(),
            DnsError::Bogus);
}

TEST_F(UnboundAndNsd, ServesShardsOtherThanItsHome) {
  net::ShardPool pool(2);
  const auto resolver = open(pool.at(0).io());
  pool.run();
  std::vector<std::future<std::expected<ports::DnsAnswer<boost::asio::ip::address>, DnsError>>>
      answers;
  for (int i = 0; i < 100; ++i) {
    auto& shard = pool.at(static_cast<std::size_t>(i) % 2);
    answers.push_back(boost::asio::co_spawn(shard.executor(),
                                            resolver->addresses("mx1.example.org", support::soon()),
                                            boost::asio::use_future));
  }
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  pool.stop();
  pool.join();
}

TEST(UnboundResolver, StopEndsLookupsUnderWay) {
  const BlackHole hole;
  net::ShardPool pool(2);
  auto resolver = UnboundResolver::open(pool.at(0).io(), {{hole.address()}, {}});
  ASSERT_TRUE(resolver) << resolver.error();
  pool.run();
  auto waiting = boost::asio::co_spawn(pool.at(1).executor(),
                                       (*resolver)->mx("silent.example", support::soon()),
                                       boost::asio::use_future);
  (*resolver)->stop();
  EXPECT_EQ(waiting.get().error(), DnsError::Temporary);
  auto later = boost::asio::co_spawn(pool.at(1).executor(),
                                     (*resolver)->txt("silent.example", support::soon()),
                                     boost::asio::use_future);
  EXPECT_EQ(later.get().error(), DnsError::Temporary);
  pool.stop();
  pool.join();
}

TEST(UnboundResolver, DiesWithLookupsUnderWay) {
  const BlackHole hole;
  net::ShardPool pool(1);
  auto resolver = UnboundResolver::open(pool.at(0).io(), {{hole.address()}, {}});
  ASSERT_TRUE(resolver) << resolver.error();
  bool answered = false;
  boost::asio::co_spawn(pool.at(0).executor(), (*resolver)->mx("silent.example", support::soon()),
                        [&answered](std::exception_ptr, const auto&) { answered = true; });
  pool.at(0).io().run_for(20ms);
  resolver->reset();
  EXPECT_FALSE(answered);
}

TEST(UnboundResolver, AnswersPassedDeadlineAndImpossibleNameWithoutAsking) {
  const BlackHole hole;
  boost::asio::io_context io;
  auto resolver = UnboundResolver::open(io, {{hole.address()}, {}});
  ASSERT_TRUE(resolver) << resolver.error();
  const auto passed = base::Deadline::after(-1ms);
  EXPECT_EQ(support::run_task(io, (*resolver)->mx("silent.example", passed)).error(),
            DnsError::Timeout);
  EXPECT_EQ(support::run_task(io, (*resolver)->addresses("a..b", support::soon())).error(),
            DnsError::NoSuchName);
}

TEST(UnboundResolver, AnswersFromAWorldOfItsOwn) {
  boost::asio::io_context io;
  auto resolver = UnboundResolver::open(
      io,
      {.forward_to = {},
       .trust_anchor = {},
       .world = "# a comment\nexample.org. TXT \"v=spf1 \" \"-all\"\nmx.example.org. A 192.0.2.1\n"
                "1.2.0.192.in-addr.arpa. PTR mx.example.org.\n"});
  ASSERT_TRUE(resolver) << resolver.error();
  const auto texts = support::run_task(io, (*resolver)->txt("example.org", support::soon()));
  ASSERT_TRUE(texts) << describe(texts.error());
  EXPECT_EQ(texts->records.front(), "v=spf1 -all");
  const auto client = boost::asio::ip::make_address("192.0.2.1");
  EXPECT_EQ(support::run_task(io, (*resolver)->names(client, support::soon()))->records.front(),
            "mx.example.org");
  EXPECT_EQ(support::run_task(io, (*resolver)->txt("elsewhere.example", support::soon())).error(),
            DnsError::NoSuchName);
  const auto bad = UnboundResolver::open(
      io, {.forward_to = {}, .trust_anchor = {}, .world = "good.example. A 192.0.2.1\nbad A x\n"});
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error(), HasSubstr("line 2"));
}

TEST(UnboundResolver, EndsALookupThatIsCutOff) {
  const BlackHole hole;
  net::ShardPool pool(2);
  auto resolver = UnboundResolver::open(pool.at(0).io(), {{hole.address()}, {}});
  ASSERT_TRUE(resolver) << resolver.error();
  pool.run();
  base::Cut cut;
  const base::Deadline deadline{.at = support::soon().at, .cut = &cut};
  const auto began = std::chrono::steady_clock::now();
  auto waiting = boost::asio::co_spawn(
      pool.at(1).executor(), (*resolver)->mx("silent.example", deadline), boost::asio::use_future);
  boost::asio::post(pool.at(1).executor(), [&cut] { cut.make(); });
  EXPECT_EQ(waiting.get().error(), DnsError::Timeout);
  auto later = boost::asio::co_spawn(
      pool.at(1).executor(), (*resolver)->txt("silent.example", deadline), boost::asio::use_future);
  EXPECT_EQ(later.get().error(), DnsError::Timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4s) << "not by the deadline";
  pool.stop();
  pool.join();
}

TEST(UnboundResolver, NamesWhatItCannotUse) {
  boost::asio::io_context io;
  const auto bad_address = UnboundResolver::open(io, {{"not an address"}, {}});
  ASSERT_FALSE(bad_address);
  EXPECT_THAT(bad_address.error(), HasSubstr("not an address"));
  EXPECT_FALSE(unbound_version().empty());
}

}  // namespace
}  // namespace relay::dns
