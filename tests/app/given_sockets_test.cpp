// Sockets that systemd opens, compared with the configuration and with their unit.
#include "relay/app/given_sockets.hpp"

#include <fstream>

#include <boost/asio/ip/address.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "relay/app/endpoints.hpp"
#include "relay/settings/file_stamp.hpp"
#include "relay/settings/findings.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

ports::Endpoint at(const std::string& address, std::uint16_t port) {
  return {boost::asio::ip::make_address(address), port};
}

ports::GivenSocket given_at(const std::string& address, std::uint16_t port,
                            bool takes_ipv4 = false) {
  return {at(address, port), takes_ipv4};
}

settings::Settings with(std::vector<settings::Listener> listeners) {
  settings::Settings settings;
  settings.file = "relay.toml";
  settings.listeners = std::move(listeners);
  return settings;
}

std::vector<std::string> settled(settings::Settings& settings, const GivenSockets& given) {
  settings::Findings findings;
  settle_listeners(settings, given, findings);
  std::vector<std::string> texts;
  for (const auto& problem : findings.all()) texts.push_back(problem.text);
  return texts;
}

TEST(GivenSockets, AListenerWithoutAddressStandsForThem) {
  auto settings = with({{.addresses = {}}});
  EXPECT_THAT(settled(settings, {{given_at("0.0.0.0", 25), given_at("::", 25)}}), ElementsAre());
  ASSERT_EQ(settings.listeners[0].addresses.size(), 2U);
  EXPECT_EQ(settings.listeners[0].addresses[1].host, "::");
  EXPECT_EQ(settings.listeners[0].addresses[1].port, 25);

  auto others = with({{.addresses = {{"0.0.0.0", 25}}}, {.addresses = {}}});
  EXPECT_THAT(settled(others, {{given_at("0.0.0.0", 25), given_at("::", 25)}}), ElementsAre());
  ASSERT_EQ(others.listeners[1].addresses.size(), 1U);
  EXPECT_EQ(others.listeners[1].addresses[0].host, "::");

  auto alone = with({{.addresses = {}}});
  EXPECT_THAT(settled(alone, GivenSockets(std::in_place)),
              ElementsAre(HasSubstr("systemd has opened no socket")));
}

TEST(GivenSockets, EveryDifferenceIsAnError) {
  auto same = with({{.addresses = {{"0.0.0.0", 25}}}});
  EXPECT_THAT(settled(same, {{given_at("0.0.0.0", 25)}}), ElementsAre());
  auto fewer = with({{.addresses = {{"0.0.0.0", 25}}}});
  EXPECT_THAT(settled(fewer, {{given_at("0.0.0.0", 25), given_at("::", 25)}}),
              ElementsAre("systemd has a socket for [::]:25, which no [[listener]] names"));
  auto more = with({{.addresses = {{"0.0.0.0", 25}, {"127.0.0.1", 2525}}}});
  EXPECT_THAT(settled(more, {{given_at("0.0.0.0", 25)}}),
              ElementsAre("systemd opens our sockets, but none for 127.0.0.1:2525, which "
                          "[[listener]] names"));
}

/// So the settings of the listener hold for IPv4 clients, too, and 0.0.0.0 counts as this relay.
TEST(GivenSockets, OneForBothFamiliesIsReachedByBoth) {
  for (const bool is_named : {false, true}) {
    auto settings = with({{.addresses = {}}});
    if (is_named) settings.listeners[0].addresses = {{.host = "::", .port = 25}};
    EXPECT_THAT(settled(settings, {{given_at("::", 25, true)}}), ElementsAre());
    EXPECT_THAT(endpoints_of(settings.listeners[0]), ElementsAre(at("::", 25))) << "to be opened";
    EXPECT_THAT(reached_endpoints_of(settings.listeners[0]),
                ElementsAre(at("::", 25), at("0.0.0.0", 25)));
    EXPECT_THAT(settled(settings, {{given_at("::", 25)}}), ElementsAre());
    EXPECT_THAT(reached_endpoints_of(settings.listeners[0]), ElementsAre(at("::", 25)));
  }
}

TEST(GivenSockets, NothingIsSaidOfWhatNobodyKnows) {
  auto settings = with({{.addresses = {}}, {.addresses = {{"0.0.0.0", 25}}}});
  EXPECT_THAT(settled(settings, std::nullopt), ElementsAre());
}

class SocketUnit : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("srs-relay-unit-" + std::to_string(::getpid()));
    fs::create_directories(root_ / "etc/systemd/system/sockets.target.wants");
    fs::create_directories(root_ / "usr/lib/systemd/system");
  }

  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

  void enable() const {
    fs::create_symlink("/usr/lib/systemd/system/srs-relay.socket",
                       root_ / "etc/systemd/system/sockets.target.wants/srs-relay.socket");
  }

  fs::path root_;
};

TEST_F(SocketUnit, IsReadWhenItIsEnabledWithItsDropIns) {
  write("usr/lib/systemd/system/srs-relay.socket",
        "[Socket]\n# ListenStream=1\nListenStream = 0.0.0.0:25\nListenStream=[::]:25\n"
        "BindIPv6Only=ipv6-only\n");
  EXPECT_EQ(sockets_of_unit(root_), std::nullopt) << "installed, and not in use";
  enable();
  EXPECT_EQ(sockets_of_unit(root_),
            (std::vector<ports::GivenSocket>{given_at("0.0.0.0", 25), given_at("::", 25)}));
  write("etc/systemd/system/srs-relay.socket.d/10-port.conf",
        "[Socket]\nListenStream=\nListenStream=2525\n");
  EXPECT_EQ(sockets_of_unit(root_), (std::vector<ports::GivenSocket>{given_at("::", 2525)}));
  write("etc/systemd/system/srs-relay.socket", "[Socket]\nListenStream=192.0.2.1:25\n");
  fs::remove_all(root_ / "etc/systemd/system/srs-relay.socket.d");
  EXPECT_EQ(sockets_of_unit(root_), (std::vector<ports::GivenSocket>{given_at("192.0.2.1", 25)}));
}

TEST_F(SocketUnit, TakesIPv4OnAllIPv6AddressesUnlessItSaysOtherwise) {
  enable();
  const auto takes_ipv4 = [this](const std::string& settings) {
    write("usr/lib/systemd/system/srs-relay.socket", "[Socket]\n" + settings);
    return sockets_of_unit(root_)->front().takes_ipv4;
  };
  EXPECT_TRUE(takes_ipv4("ListenStream=25\n"));
  EXPECT_FALSE(takes_ipv4("ListenStream=25\nBindIPv6Only=ipv6-only\n"));
  EXPECT_FALSE(takes_ipv4("ListenStream=[2001:db8::1]:25\n"));
  write("proc/sys/net/ipv6/bindv6only", "1\n");
  EXPECT_FALSE(takes_ipv4("ListenStream=25\n"));
  EXPECT_FALSE(takes_ipv4("ListenStream=25\nBindIPv6Only=default\n"));
  EXPECT_TRUE(takes_ipv4("ListenStream=25\nBindIPv6Only=both\n"));
}

TEST_F(SocketUnit, IsNotKnownWhenItCannotBeRead) {
  enable();
  EXPECT_EQ(sockets_of_unit(root_), std::nullopt);
}

}  // namespace
}  // namespace relay::app
