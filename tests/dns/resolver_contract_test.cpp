// The promises of every Resolver, tested on the real one (in front of a real name server) and on
// the fake ones, because other tests rely on the fakes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/dns/unbound_resolver.hpp"
#include "relay/net/system_clock.hpp"
#include "tests/dns/name_server.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/instant_resolver.hpp"
#include "tests/support/run_task.hpp"

namespace relay::dns {
namespace {

using ports::DnsError;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

struct Record {
  std::string owner;
  std::string type;
  std::string value;
  int ttl = 300;  ///< the same for all records of an owner
};

/// Records of example.org. All zones are written from this.
std::vector<Record> records() {
  std::vector<Record> all{
      {"", "MX", "20 mx2.example.org."},
      {"", "MX", "10 MX1.example.org."},
      {"", "TXT", R"("v=spf1 " "-all")"},
      {"", "TXT", R"("second")"},
      {"mx1", "A", "192.0.2.1"},
      {"mx1", "AAAA", "2001:db8::1"},
      {"mx2", "A", "192.0.2.2"},
      {"six", "AAAA", "2001:db8::6"},
      {"www", "CNAME", "mx1.example.org."},
      {"mail", "CNAME", "example.org."},
      {"dangling", "CNAME", "nowhere.example.org."},
      {"round", "CNAME", "about.example.org."},
      {"about", "CNAME", "round.example.org."},
      {"nomail", "MX", "0 ."},
      {R"(o'dd+tag)", "A", "192.0.2.3"},
      {"nulls", "MX", "0 ."},
      {"nulls", "MX", "10 ."},
      {"halfnull", "MX", "0 ."},
      {"halfnull", "MX", "10 mx1.example.org."},
      {"literal", "MX", "10 192.0.2.1."},
      {"blank", "MX", R"(10 mail\032host.example.org.)"},
      {"blank", "MX", R"(20 mail.example.org\032.)"},
      {"star", "MX", "10 *.example.org."},
      {"url", "MX", "10 http://mail.example.org."},
      {"url", "MX", "20 mx1.example.org."},
      {"mapped", "AAAA", "::ffff:192.0.2.1"},
      {"half", "AAAA", "::ffff:192.0.2.1"},
      {"half", "A", "192.0.2.5"},
      {"short", "A", "192.0.2.4", 60},
      {"short", "MX", "10 mx1.example.org.", 60},
      {"shorter", "CNAME", "short.example.org.", 30},
      {"longer", "CNAME", "short.example.org.", 90},
  };
  for (int i = 1; i <= 60; ++i) {
    all.push_back({"many", "A", "192.0.2." + std::to_string(i)});
    all.push_back({"many", "AAAA", "2001:db8::" + std::to_string(i)});
    all.push_back({"many", "MX", std::to_string(i) + " mx" + std::to_string(i) + ".example.org."});
  }
  for (int i = 0; i < 200; ++i) {
    all.push_back({"many", "TXT", "\"" + std::to_string(i + 100) + "\""});
  }
  all.push_back({"many", "TXT", R"("v=spf1 -all")"});
  std::string strings = R"("v=spf1 ")";
  for (int i = 0; i < 40; ++i) strings += " \"" + std::string(255, 'x') + "\"";
  all.push_back({"long", "TXT", strings});
  return all;
}

std::string zone_file() {
  std::string zone =
      "$ORIGIN example.org.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\n"
      "ns A 127.0.0.1\n";
  for (const auto& [owner, type, value, ttl] : records()) {
    zone +=
        (owner.empty() ? "@" : owner) + " " + std::to_string(ttl) + " " + type + " " + value + "\n";
  }
  return zone;
}

std::string reverse_zone() {
  return "$ORIGIN 2.0.192.in-addr.arpa.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n"
         "@ NS ns\nns A 127.0.0.1\n1 PTR MX1.example.org.\n1 PTR alias.example.org.\n";
}

std::string fake_zone() {
  std::string zone =
      "anything.broken.example SERVFAIL\nsilent.example NEVER\n"
      "192.0.2.1 PTR MX1.example.org\n192.0.2.1 PTR alias.example.org\n";
  for (const auto& [owner, type, value, ttl] : records()) {
    const std::string name = (owner.empty() ? "" : owner + ".") + "example.org ";
    zone += name + type + " " + value + "\n" + name + "TTL " + std::to_string(ttl) + "\n";
  }
  return zone;
}

class FakeRig {
 public:
  static bool available() { return true; }

  ports::Resolver& resolver() { return resolver_; }

  ports::Resolver& silent() { return resolver_; }

  boost::asio::io_context io;

 private:
  net::SystemClock clock_;
  fakes::FakeResolver resolver_{clock_, fake_zone()};
};

class InstantRig {
 public:
  InstantRig() {
    using boost::asio::ip::make_address;
    for (const auto& [owner, type, value, ttl] : records()) {
      const std::string name = (owner.empty() ? "" : owner + ".") + "example.org";
      resolver_.set_ttl(name, std::chrono::seconds(ttl));
      if (type == "A" || type == "AAAA") resolver_.add_address(name, make_address(value));
      if (type == "CNAME") resolver_.add_cname(name, value);
      if (type == "TXT") resolver_.add_txt(name, unquoted(value));
      if (type == "MX") {
        const auto preference = static_cast<std::uint16_t>(std::stoi(value));
        resolver_.add_mx(name, preference, value.substr(value.find(' ') + 1));
      }
    }
    resolver_.add_ptr("1.2.0.192.in-addr.arpa", "MX1.example.org.");
    resolver_.add_ptr("1.2.0.192.in-addr.arpa", "alias.example.org.");
    resolver_.fail_where([](const std::string& name) { return name.ends_with("broken.example"); });
    resolver_.time_out("silent.example");
  }

  static bool available() { return true; }

  ports::Resolver& resolver() { return resolver_; }

  ports::Resolver& silent() { return resolver_; }

  boost::asio::io_context io;

 private:
  static std::string unquoted(std::string strings) {
    for (const char* mark : {"\" \"", "\""}) {
      for (std::size_t at = 0; (at = strings.find(mark)) != std::string::npos;) {
        strings.erase(at, std::string_view(mark).size());
      }
    }
    return strings;
  }

  fakes::InstantResolver resolver_;
};

class UnboundRig {
 public:
  static bool available() { return NameServer::find().has_value(); }

  ports::Resolver& resolver() { return *resolver_; }

  ports::Resolver& silent() { return *silent_; }

  boost::asio::io_context io;

 private:
  // Started once, for all cases.
  static NameServer& name_server() {
    static NameServer server(*NameServer::find(), zone_file(), reverse_zone());
    return server;
  }

  BlackHole hole_;
  std::unique_ptr<ports::Resolver> resolver_ =
      std::move(*UnboundResolver::open(io, {{name_server().address()}, {}}));
  std::unique_ptr<ports::Resolver> silent_ =
      std::move(*UnboundResolver::open(io, {{hole_.address()}, {}}));
};

template <class Rig>
class ResolverContract : public testing::Test {
 protected:
  void SetUp() override {
    if (!Rig::available()) {
      const char* ci = std::getenv("CI");
      if (ci != nullptr && std::string(ci) == "true") FAIL() << "nsd is not installed";
      GTEST_SKIP() << "nsd is not installed";
    }
    rig_ = std::make_unique<Rig>();
  }

  auto mx(const std::string& name) {
    return support::run_task(rig_->io, rig_->resolver().mx(name, support::soon()));
  }

  std::vector<std::string> hosts(const std::string& name) {
    const auto answer = mx(name);
    if (!answer) return {std::string(describe(answer.error()))};
    std::vector<std::string> names;
    for (const auto& host : answer->records) names.push_back(host.name);
    return names;
  }

  auto txt(const std::string& name) {
    return support::run_task(rig_->io, rig_->resolver().txt(name, support::soon()));
  }

  std::expected<std::vector<std::string>, DnsError> addresses(const std::string& name) {
    auto found = support::run_task(rig_->io, rig_->resolver().addresses(name, support::soon()));
    if (!found) return std::unexpected(found.error());
    std::vector<std::string> texts;
    for (const auto& address : found->records) texts.push_back(address.to_string());
    return texts;
  }

  std::unique_ptr<Rig> rig_;
};

using Rigs = testing::Types<FakeRig, InstantRig, UnboundRig>;
TYPED_TEST_SUITE(ResolverContract, Rigs);

TYPED_TEST(ResolverContract, GivesMxByRisingPreference) {
  const auto hosts = this->mx("Example.ORG");
  ASSERT_TRUE(hosts) << describe(hosts.error());
  ASSERT_THAT(hosts->records, SizeIs(2));
  EXPECT_EQ(hosts->records[0].preference, 10);
  EXPECT_EQ(hosts->records[0].name, "mx1.example.org");
  EXPECT_EQ(hosts->records[1].name, "mx2.example.org");
  EXPECT_FALSE(hosts->secure);
}

TYPED_TEST(ResolverContract, KnowsNullMx) {
  EXPECT_EQ(this->mx("nomail.example.org").error(), DnsError::NullMx);
}

TYPED_TEST(ResolverContract, TellsMissingNameFromMissingRecord) {
  EXPECT_EQ(this->mx("nowhere.example.org").error(), DnsError::NoSuchName);
  EXPECT_EQ(this->mx("mx1.example.org").error(), DnsError::NoData);
  EXPECT_EQ(this->addresses("nowhere.example.org").error(), DnsError::NoSuchName);
  EXPECT_EQ(this->addresses("nomail.example.org").error(), DnsError::NoData);
  EXPECT_EQ(this->txt("nowhere.example.org").error(), DnsError::NoSuchName);
  EXPECT_EQ(this->txt("mx1.example.org").error(), DnsError::NoData);
}

TYPED_TEST(ResolverContract, TakesRecordsThatAllNameTheRootForANullMx) {
  EXPECT_EQ(this->mx("nomail.example.org").error(), DnsError::NullMx);
  EXPECT_EQ(this->mx("nulls.example.org").error(), DnsError::NullMx);
  EXPECT_THAT(this->hosts("halfnull.example.org"), ElementsAre("mx1.example.org"));
}

/// It is for the caller to know that such a host cannot be asked, and that this is no accident.
TYPED_TEST(ResolverContract, GivesMxNamesThatAreNoHosts) {
  EXPECT_THAT(this->hosts("literal.example.org"), ElementsAre("192.0.2.1"));
  EXPECT_THAT(this->hosts("blank.example.org"),
              ElementsAre(R"(mail\032host.example.org)", R"(mail.example.org\032)"));
  EXPECT_THAT(this->hosts("star.example.org"), ElementsAre("*.example.org"));
  EXPECT_THAT(this->hosts("url.example.org"),
              ElementsAre("http://mail.example.org", "mx1.example.org"));
}

/// What was asked for a moment before may come from a cache, a second older.
MATCHER_P(IsAbout, span, "") { return arg <= span && arg >= span - std::chrono::seconds(5); }

TYPED_TEST(ResolverContract, TellsHowLongAnAnswerMayBeUsed) {
  using namespace std::chrono_literals;
  const auto ttl = [this](const std::string& name) {
    const auto answer =
        support::run_task(this->rig_->io, this->rig_->resolver().addresses(name, support::soon()));
    return answer ? answer->ttl : -1s;
  };
  EXPECT_THAT(ttl("mx2.example.org"), IsAbout(300s));
  EXPECT_THAT(ttl("shorter.example.org"), IsAbout(30s)) << "of the CNAME";
  EXPECT_THAT(ttl("short.example.org"), IsAbout(60s));
  EXPECT_THAT(ttl("longer.example.org"), IsAbout(60s)) << "of what it leads to";
  EXPECT_THAT(this->mx("short.example.org")->ttl, IsAbout(60s));
  EXPECT_THAT(this->txt("example.org")->ttl, IsAbout(300s));
}

TYPED_TEST(ResolverContract, GivesAddressesOfBothFamiliesIpv6First) {
  EXPECT_THAT(*this->addresses("mx1.example.org"), ElementsAre("2001:db8::1", "192.0.2.1"));
  EXPECT_THAT(*this->addresses("mx2.example.org"), ElementsAre("192.0.2.2"));
  EXPECT_THAT(*this->addresses("six.example.org"), ElementsAre("2001:db8::6"));
}

TYPED_TEST(ResolverContract, GivesAddressesOfOneFamily) {
  const auto ask = [this](const std::string& name, ports::IpFamily family) {
    return support::run_task(this->rig_->io,
                             this->rig_->resolver().addresses_of(name, family, support::soon()));
  };
  const auto v4 = ask("mx1.example.org", ports::IpFamily::V4);
  ASSERT_TRUE(v4);
  ASSERT_THAT(v4->records, SizeIs(1));
  EXPECT_EQ(v4->records.front().to_string(), "192.0.2.1");
  EXPECT_EQ(ask("www.example.org", ports::IpFamily::V6)->records.front().to_string(),
            "2001:db8::1");
  EXPECT_EQ(ask("six.example.org", ports::IpFamily::V4).error(), DnsError::NoData);
  EXPECT_EQ(ask("nowhere.example.org", ports::IpFamily::V4).error(), DnsError::NoSuchName);
}

TYPED_TEST(ResolverContract, NamesAnAddress) {
  const auto ask = [this](const char* address) {
    return support::run_task(
        this->rig_->io,
        this->rig_->resolver().names(boost::asio::ip::make_address(address), support::soon()));
  };
  EXPECT_THAT(ask("192.0.2.1")->records, ElementsAre("alias.example.org", "mx1.example.org"));
  EXPECT_EQ(ask("192.0.2.2").error(), DnsError::NoSuchName);
}

TYPED_TEST(ResolverContract, AsksForNamesOfAnyOctets) {
  const auto ask = [this](const std::string& name) {
    return support::run_task(this->rig_->io, this->rig_->resolver().addresses_of(
                                                 name, ports::IpFamily::V4, support::soon()));
  };
  EXPECT_TRUE(ask("o'dd+tag.example.org"));
  EXPECT_EQ(ask("o\\'dd+tag.example.org").error(), DnsError::NoSuchName);
  EXPECT_EQ(ask("two..dots.example.org").error(), DnsError::NoSuchName);
  EXPECT_EQ(ask(std::string(64, 'a') + ".example.org").error(), DnsError::NoSuchName);
}

TYPED_TEST(ResolverContract, JoinsTheStringsOfATxtRecord) {
  const auto texts = this->txt("example.org.");
  ASSERT_TRUE(texts) << describe(texts.error());
  EXPECT_THAT(texts->records, UnorderedElementsAre("v=spf1 -all", "second"));
}

TYPED_TEST(ResolverContract, FollowsCname) {
  EXPECT_THAT(*this->addresses("www.example.org"), ElementsAre("2001:db8::1", "192.0.2.1"));
  EXPECT_THAT(this->mx("mail.example.org")->records, SizeIs(2));
  EXPECT_EQ(this->addresses("dangling.example.org").error(), DnsError::NoSuchName);
}

TYPED_TEST(ResolverContract, TakesCnameLoopForTemporary) {
  EXPECT_EQ(this->addresses("round.example.org").error(), DnsError::Temporary);
}

TYPED_TEST(ResolverContract, CutsMxHostsAndNothingElseOfAMessage) {
  EXPECT_THAT(*this->addresses("many.example.org"), SizeIs(120));
  const auto hosts = this->mx("many.example.org");
  ASSERT_THAT(hosts->records, SizeIs(ports::Resolver::kMaxMxHosts));
  EXPECT_EQ(hosts->records.back().preference, ports::Resolver::kMaxMxHosts);
  const auto texts = this->txt("many.example.org");
  ASSERT_THAT(texts->records, SizeIs(201));
  EXPECT_EQ(texts->records.front(), "v=spf1 -all");
  EXPECT_EQ(this->txt("long.example.org")->records.front().size(), 7U + 40U * 255U);
}

/// A mapped address is not used, for it walks around checks on IPv4 addresses; yet it is an answer.
TYPED_TEST(ResolverContract, GivesNoMappedAddresses) {
  const auto v6 = [this](const std::string& name) {
    return support::run_task(this->rig_->io, this->rig_->resolver().addresses_of(
                                                 name, ports::IpFamily::V6, support::soon()));
  };
  ASSERT_TRUE(v6("mapped.example.org"));
  EXPECT_THAT(v6("mapped.example.org")->records, IsEmpty());
  EXPECT_THAT(*this->addresses("mapped.example.org"), IsEmpty());
  EXPECT_THAT(*this->addresses("half.example.org"), ElementsAre("192.0.2.5"));
}

TYPED_TEST(ResolverContract, TakesServerFailureForTemporary) {
  EXPECT_EQ(this->mx("anything.broken.example").error(), DnsError::Temporary);
}

TYPED_TEST(ResolverContract, EndsByTheDeadlineWhenNobodyAnswers) {
  using namespace std::chrono_literals;
  auto& silent = this->rig_->silent();
  const auto start = std::chrono::steady_clock::now();
  const auto late = base::Deadline::after(50ms);
  EXPECT_EQ(support::run_task(this->rig_->io, silent.mx("silent.example", late)).error(),
            DnsError::Timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
  EXPECT_EQ(support::run_task(this->rig_->io, silent.addresses("silent.example", late)).error(),
            DnsError::Timeout);
}

}  // namespace
}  // namespace relay::dns
