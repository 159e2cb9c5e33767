// Local ports that run out, in a network of the test's own with two of them.
#include <fstream>
#include <vector>

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/net/loopback.hpp"

namespace relay::net {
namespace {

using boost::asio::ip::make_address;
using ports::IoError;

constexpr int kNotPossible = 77;

/// False where the host does not let us.
bool enter_network_with_two_ports() {
  if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq loopback{};
  std::string("lo").copy(loopback.ifr_name, sizeof loopback.ifr_name - 1);
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool up = ::ioctl(any, SIOCSIFFLAGS, &loopback) == 0;
  ::close(any);
  std::ofstream range("/proc/sys/net/ipv4/ip_local_port_range");
  range << "41000 41001" << std::flush;
  return up && range.good();
}

/// Dials two hosts in turn until a port is lacking; how many connections there are then, or -1.
int connections_from(const char* source) {
  Shard shard;
  TcpDialer dialer(shard, {});
  std::vector<StreamPtr> all;
  const auto keep = [&all](StreamPtr stream) { all.push_back(std::move(stream)); };
  const std::vector<ports::Endpoint> remotes{{make_address("127.0.0.1"), 2525},
                                             {make_address("127.0.0.2"), 2525}};
  const auto listener = Listener::open(shard, remotes, keep, {});
  if (!listener) return -1;
  (*listener)->start();
  std::vector<StreamPtr> clients;
  std::vector<bool> full(remotes.size());
  for (std::size_t i = 0; !full[0] || !full[1]; ++i) {
    auto client =
        run_task(shard.io(), dialer.connect(remotes[i % 2], make_address(source), soon()));
    if (!client && client.error() != IoError::NoSource) return -1;
    if (!client) full[i % 2] = true;
    if (client) clients.push_back(std::move(*client));
  }
  return static_cast<int>(clients.size());
}

/// Each pair of hosts has all ports, so four connections fit into two of them; the fifth fails for
/// a reason that is ours and not the next hop's.
TEST(TcpDialer, SharesThePortsOfASourceBetweenNextHopsAndKnowsWhenTheyRunOut) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!enter_network_with_two_ports()) ::_exit(kNotPossible);
    ::_exit(connections_from("127.0.0.9") == 4 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNotPossible) GTEST_SKIP() << "no network namespaces here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace relay::net
