// Thousands of generated record sets, served by a real name server to the real resolver and written
// as zone text for the fake ones: all must give the same. All other tests rely on the answers of
// the fakes.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/dns/unbound_resolver.hpp"
#include "relay/net/system_clock.hpp"
#include "tests/dns/generated_records.hpp"
#include "tests/dns/name_server.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/instant_resolver.hpp"
#include "tests/fakes/zone_text.hpp"
#include "tests/support/run_task.hpp"

namespace relay::dns {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::make_address;
using ports::DnsError;
using ports::IpFamily;

constexpr std::size_t kOwners = 3000;
constexpr unsigned kSeed = 1035;

/// The generated DNS in the form each resolver wants.
struct World {
  std::vector<RecordSet> sets;
  std::vector<std::vector<std::string>> targets;  ///< of 192.0.2.1 and the following ones

  static const World& get() {
    static const World world;
    return world;
  }

  std::string zone() const {
    std::string text =
        "$ORIGIN example.org.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\n"
        "ns A 127.0.0.1\n";
    for (const auto& [owner, type, values] : sets) {
      for (const auto& value : values) text += fmt::format("{} {} {}\n", owner, type, value);
    }
    return text;
  }

  std::string reverse_zone() const {
    std::string text =
        "$ORIGIN 2.0.192.in-addr.arpa.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n"
        "@ NS ns\nns A 127.0.0.1\n";
    for (std::size_t i = 0; i < targets.size(); ++i) {
      for (const auto& target : targets[i]) text += fmt::format("{} PTR {}\n", i + 1, target);
    }
    return text;
  }

  std::string fake_zone() const {
    std::string text;
    for (const auto& [owner, type, values] : sets) {
      for (const auto& value : values) {
        text += fmt::format("{}.example.org {} {}\n", owner, type, value);
      }
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
      for (const auto& target : targets[i])
        text += fmt::format("192.0.2.{} PTR {}\n", i + 1, target);
    }
    return text;
  }

  void fill(fakes::InstantResolver& resolver) const;

 private:
  World() {
    RecordMaker maker(kSeed);
    sets = maker.sets(kOwners);
    for (int i = 0; i < 250; ++i) targets.push_back(maker.targets());
  }
};

void World::fill(fakes::InstantResolver& resolver) const {
  for (const auto& [owner, type, values] : sets) {
    const std::string name = owner + ".example.org";
    std::set<std::vector<std::string>> texts;  // its caller knows what is one record
    for (const auto& value : values) {
      if (type == "A" || type == "AAAA") resolver.add_address(name, make_address(value));
      if (type == "TXT") texts.insert(fakes::character_strings(value));
      if (type == "MX") {
        const auto preference = static_cast<std::uint16_t>(std::stoi(value));
        resolver.add_mx(name, preference, value.substr(value.find(' ') + 1));
      }
    }
    for (const auto& strings : texts) {
      std::string text;
      for (const auto& part : strings) text += part;
      resolver.add_txt(name, std::move(text));
    }
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    for (const auto& target : targets[i]) {
      resolver.add_ptr(fmt::format("{}.2.0.192.in-addr.arpa", i + 1), target);
    }
  }
}

/// An answer as lines.
std::string line(const ports::MxHost& host) {
  return fmt::format("{} {}", host.preference, host.name);
}

std::string line(const address& one) { return one.to_string(); }

std::string line(const std::string& text) { return text; }

template <class T>
std::vector<std::string> lines(const std::expected<ports::DnsAnswer<T>, DnsError>& answer) {
  if (!answer) return {fmt::format("error {}", ports::describe(answer.error()))};
  std::vector<std::string> all;
  for (const T& record : answer->records) all.push_back(line(record));
  return all;
}

/// Addresses keep the order of arrival, which is arbitrary; only the families are compared in
/// order.
std::vector<std::string> in_order(std::vector<std::string> addresses) {
  EXPECT_TRUE(std::ranges::is_partitioned(
      addresses, [](const std::string& one) { return one.find(':') != std::string::npos; }));
  std::ranges::sort(addresses);
  return addresses;
}

/// Puts one question to every resolver, and counts what came of it.
class Comparison {
 public:
  explicit Comparison(NameServer& server)
      : real_(std::move(*UnboundResolver::open(io_, {{server.address()}, {}}))) {
    World::get().fill(instant_);
  }

  void mx(const std::string& name) {
    compare(name, [&](auto& resolver) {
      return lines(support::run_task(io_, resolver.mx(name, support::soon())));
    });
  }

  void txt(const std::string& name) {
    compare(name, [&](auto& resolver) {
      return lines(support::run_task(io_, resolver.txt(name, support::soon())));
    });
  }

  void addresses(const std::string& name) {
    compare(name, [&](auto& resolver) {
      return in_order(lines(support::run_task(io_, resolver.addresses(name, support::soon()))));
    });
    for (const auto family : {IpFamily::V4, IpFamily::V6}) {
      compare(name, [&](auto& resolver) {
        return in_order(
            lines(support::run_task(io_, resolver.addresses_of(name, family, support::soon()))));
      });
    }
  }

  void names(const address& client) {
    compare(client.to_string(), [&](auto& resolver) {
      return lines(support::run_task(io_, resolver.names(client, support::soon())));
    });
  }

  std::size_t differing = 0;
  std::size_t answers = 0;  ///< with records
  std::size_t useless = 0;  ///< answers without
  std::size_t many = 0;     ///< with more than 64 records
  std::size_t longest = 0;  ///< octets of a record

 private:
  template <class Ask>
  void compare(const std::string& title, Ask ask) {
    const auto real = ask(*real_);
    const bool error = !real.empty() && real.front().starts_with("error ");
    answers += error || real.empty() ? 0 : 1;
    useless += real.empty() ? 1 : 0;
    many += real.size() > 64 ? 1 : 0;
    for (const auto& record : real) longest = std::max(longest, record.size());
    for (ports::Resolver* fake :
         {static_cast<ports::Resolver*>(&fake_), static_cast<ports::Resolver*>(&instant_)}) {
      const auto given = ask(*fake);
      if (given == real || ++differing > 5) continue;
      EXPECT_EQ(given, real) << title << (fake == &fake_ ? ", fake" : ", instant");
    }
  }

  boost::asio::io_context io_;
  net::SystemClock clock_;
  fakes::FakeResolver fake_{clock_, World::get().fake_zone()};
  fakes::InstantResolver instant_;
  std::unique_ptr<ports::Resolver> real_;
};

TEST(GeneratedContract, FakesGiveWhatTheRealResolverGives) {
  const auto program = NameServer::find();
  if (!program) {
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") FAIL() << "nsd is not installed";
    GTEST_SKIP() << "nsd is not installed";
  }
  const World& world = World::get();
  NameServer server(*program, world.zone(), world.reverse_zone());
  Comparison comparison(server);
  for (const auto& [owner, type, values] : world.sets) {
    const std::string name = owner + ".example.org";
    if (type == "MX") comparison.mx(name);
    if (type == "TXT") comparison.txt(name);
    if (type == "A" || type == "AAAA") comparison.addresses(name);
  }
  for (std::size_t i = 0; i < world.targets.size(); ++i) {
    comparison.names(make_address(fmt::format("192.0.2.{}", i + 1)));
  }
  EXPECT_EQ(comparison.differing, 0U);
  // Control: the sets were served, and among them is what the caps of old days cut or took for
  // trouble.
  EXPECT_GT(comparison.answers, kOwners);
  EXPECT_GT(comparison.useless, 20U);
  EXPECT_GT(comparison.many, 50U);
  EXPECT_GT(comparison.longest, 4096U);
}

}  // namespace
}  // namespace relay::dns
