// [[listener]], [[gateway]] and [limits] exempt as read from a file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/settings/loader_fixture.hpp"

namespace relay::settings {

using forward::LateRefusal;

namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class ArrivalSettings : public LoaderFixture {
 protected:
  /// "line:column text" of the only error.
  std::string error(const std::string& text) {
    const auto loaded = load_text(kHead + text);
    if (loaded) return "none";
    const Problem& problem = loaded.error().front();
    return std::to_string(problem.at.line) + ':' + std::to_string(problem.at.column) + ' ' +
           problem.text;
  }

  std::shared_ptr<const Settings> good(const std::string& text) {
    auto loaded = load_text(kHead + text);
    if (!loaded) {
      ADD_FAILURE() << render(loaded.error().front());
      return std::make_shared<Settings>();
    }
    return loaded->settings;
  }
};

std::vector<std::string> texts(const base::Networks& networks) {
  std::vector<std::string> out;
  for (const auto& network : networks) out.push_back(network.text());
  return out;
}

TEST_F(ArrivalSettings, ChangeNothingByDefault) {
  const auto settings = good("");
  EXPECT_TRUE(settings->gateways.empty());
  EXPECT_TRUE(settings->limits.exempt.empty());
  const ListenerPolicy& policy = settings->listeners.front().policy;
  EXPECT_TRUE(policy.proxies.empty());
  EXPECT_FALSE(policy.require_tls);
  EXPECT_TRUE(policy.verify);
  EXPECT_EQ(policy.max_size, 0U);
}

TEST_F(ArrivalSettings, AreRead) {
  const auto settings = good(
      "[[listener]]\naddress = \"127.0.0.1:2525\"\nproxy = [\"10.0.0.0/8\", \"2001:db8::7\"]\n"
      "verify = false\nmax_size = \"1MiB\"\n"
      "[limits]\nexempt = \"192.0.2.9\"\n"
      "[[gateway]]\nfrom = [\"198.51.100.0/28\"]\nclient = \"received\"\n"
      "names = [\"GW.example.org.\", \"hub.example.org\"]\nresults = \"Gw.Example.org\"\n"
      "refusals = \"hold\"\n"
      "[[gateway]]\nfrom = \"203.0.113.5\"\nrefusals = \"risk\"\n");
  const ListenerPolicy& policy = settings->listeners.front().policy;
  EXPECT_THAT(texts(policy.proxies), ElementsAre("10.0.0.0/8", "2001:db8::7"));
  EXPECT_FALSE(policy.verify);
  EXPECT_EQ(policy.max_size, 1U << 20U);
  EXPECT_THAT(texts(settings->limits.exempt), ElementsAre("192.0.2.9"));
  ASSERT_EQ(settings->gateways.size(), 2U);
  const Gateway& first = settings->gateways.front();
  EXPECT_THAT(texts(first.from), ElementsAre("198.51.100.0/28"));
  EXPECT_TRUE(first.reads_received);
  EXPECT_THAT(first.names, ElementsAre("gw.example.org", "hub.example.org"));
  EXPECT_EQ(first.results, "gw.example.org");
  EXPECT_EQ(first.refusals, LateRefusal::Hold);
  EXPECT_FALSE(settings->gateways.back().reads_received);
  EXPECT_EQ(settings->gateways.back().refusals, LateRefusal::Risk);
}

// The head has five lines.
TEST_F(ArrivalSettings, NameThePlaceOfAMistake) {
  const std::string listener = "[[listener]]\naddress = \"127.0.0.1:2525\"\n";
  EXPECT_THAT(error(listener + "proxy = [\"10.0.0.0/8\", \"10.0.0.1/8\"]\n"),
              HasSubstr("8:24 listener.proxy: \"10.0.0.1/8\" has bits behind its 8: did you mean"));
  EXPECT_THAT(error(listener + "proxy = \"balancer.example\"\n"),
              HasSubstr("8:9 listener.proxy: expected a network"));
  EXPECT_THAT(error(listener + "proxy = []\n"), HasSubstr("8:9 listener.proxy: no network"));
  EXPECT_THAT(error(listener + "proxy = true\n"), HasSubstr("8:9 listener.proxy"));
  EXPECT_THAT(error(listener + "require_tls = true\n"),
              HasSubstr("8:15 listener.require_tls: needs"));
  EXPECT_THAT(error(listener + "max_size = \"0\"\n"), HasSubstr("8:12 listener.max_size"));
  EXPECT_THAT(error("[limits]\nexempt = [\"192.0.2.0/24\", 5]\n"), HasSubstr("7:"));
  EXPECT_THAT(error("[limits]\nexempt = [\"x\"]\n"), HasSubstr("7:11 limits.exempt: expected"));
  EXPECT_THAT(error("[[gateway]]\nrefusals = \"hold\"\n"), HasSubstr("gateway.from"));
  const std::string gateway = "[[gateway]]\nfrom = \"192.0.2.1\"\n";
  EXPECT_THAT(error(gateway + "client = \"received\"\n"), HasSubstr("gateway.names: client = "));
  EXPECT_THAT(error(gateway + "client = \"sent\"\n"), HasSubstr("8:10 gateway.client"));
  EXPECT_THAT(error(gateway + "names = [\"gw.example.org\", \"not a name\"]\n"),
              HasSubstr("8:28 gateway.names: not a host name"));
  EXPECT_THAT(error(gateway + "results = \"a b\"\n"), HasSubstr("8:11 gateway.results"));
  EXPECT_THAT(error(gateway + "results = \"mx.example.org\"\n"),
              HasSubstr("8:11 gateway.results: this is our own"));
  EXPECT_THAT(error(gateway + "results = \"gw.example.org\"\n[auth]\nverify = false\n"),
              HasSubstr("8:11 gateway.results: needs [auth] verify"));
  EXPECT_THAT(error(gateway + "refusals = \"drop\"\n"), HasSubstr("8:12 gateway.refusals"));
  EXPECT_THAT(error(gateway + "form = \"192.0.2.1\"\n"), HasSubstr("8:1"));
}

}  // namespace
}  // namespace relay::settings
