// The cost of SPF with every answer in the cache. Goal: at most 20 us for a record of a usual size
// with two includes.
#include <map>

#include <benchmark/benchmark.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "relay/auth/spf/check.hpp"
#include "relay/auth/spf/record.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace {

using namespace relay;
namespace spf = auth::spf;
using ports::DnsError;

const std::map<std::string, std::string>& zone() {
  static const std::map<std::string, std::string> records = {
      {"example.org",
       "v=spf1 ip4:198.51.100.17 include:_spf.suite.example "
       "include:mailing.example -all"},
      {"_spf.suite.example",
       "v=spf1 ip4:35.190.247.0/24 ip4:64.233.160.0/19 ip4:66.102.0.0/20 ip4:66.249.80.0/20 "
       "ip4:72.14.192.0/18 ip4:74.125.0.0/16 ip4:108.177.8.0/21 ip4:173.194.0.0/16 "
       "ip4:209.85.128.0/17 ip4:216.58.192.0/19 ip6:2001:4860:4000::/36 ip6:2404:6800:4000::/36 "
       "ip6:2607:f8b0:4000::/36 ip6:2800:3f0:4000::/36 ip6:2a00:1450:4000::/36 ~all"},
      {"mailing.example",
       "v=spf1 ip4:203.0.113.0/26 ip4:149.72.0.0/16 ip4:167.89.0.0/17 ip4:208.117.48.0/20 "
       "ip4:50.31.32.0/19 ip4:198.37.144.0/20 ip4:192.0.2.0/24 ~all"},
  };
  return records;
}

/// A cache that has every answer, and hands it out without a detour over the loop.
class WarmCache : public ports::Resolver {
 public:
  base::Task<std::expected<ports::DnsAnswer<ports::MxHost>, DnsError>> mx(std::string,
                                                                          base::Deadline) override {
    co_return std::unexpected(DnsError::NoSuchName);
  }

  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, DnsError>> addresses(
      std::string, base::Deadline) override {
    co_return std::unexpected(DnsError::NoSuchName);
  }

  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, DnsError>> addresses_of(
      std::string, ports::IpFamily, base::Deadline) override {
    co_return std::unexpected(DnsError::NoSuchName);
  }

  base::Task<std::expected<ports::DnsAnswer<std::string>, DnsError>> names(
      boost::asio::ip::address, base::Deadline) override {
    co_return std::unexpected(DnsError::NoSuchName);
  }

  base::Task<std::expected<ports::DnsAnswer<std::string>, DnsError>> txt(std::string name,
                                                                         base::Deadline) override {
    const auto found = zone().find(name);
    if (found == zone().end()) co_return std::unexpected(DnsError::NoSuchName);
    co_return ports::DnsAnswer<std::string>{{found->second}, false};
  }
};

void check_host(benchmark::State& state, const char* client, mail::SpfResult expected) {
  WarmCache cache;
  fakes::FakeClock clock;
  boost::asio::io_context io;
  const spf::Query query{.client = boost::asio::ip::make_address(client),
                         .helo = "mx.example.org",
                         .mail_from = spf::Sender{"ann", "example.org"},
                         .receiver = "relay.example.net"};
  for (auto step : state) {
    auto result = mail::SpfResult::None;
    boost::asio::co_spawn(
        io.get_executor(), spf::check(cache, clock, query),
        [&](std::exception_ptr, const spf::Evaluation& done) { result = done.verdict.result; });
    io.restart();
    io.run();
    if (result != expected) state.SkipWithError("another result");
  }
}

BENCHMARK_CAPTURE(check_host, matched_in_the_second_include, "192.0.2.77", mail::SpfResult::Pass);
BENCHMARK_CAPTURE(check_host, matched_by_nothing_but_all, "192.88.99.1", mail::SpfResult::Fail);
BENCHMARK_CAPTURE(check_host, matched_at_once, "198.51.100.17", mail::SpfResult::Pass);

void parse_record(benchmark::State& state) {
  const std::string& text = zone().at("_spf.suite.example");
  for (auto step : state) benchmark::DoNotOptimize(spf::parse_record(text));
}

BENCHMARK(parse_record);

}  // namespace
