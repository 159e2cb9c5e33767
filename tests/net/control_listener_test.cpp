#include "relay/net/control_listener.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <new>
#include <vector>

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/net/loopback.hpp"

namespace relay::net {
namespace {

namespace fs = std::filesystem;

class ControlSocket : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("srs-relay-control-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }

  void TearDown() override { fs::remove_all(folder_); }

  std::string path() const { return (folder_ / "control.sock").string(); }

  /// A blocking connection to the socket; -1 when nobody answers.
  int dial() const {
    const int client = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
      return client;
    ::close(client);
    return -1;
  }

  fs::path folder_;
  Shard shard_;
};

TEST_F(ControlSocket, CarriesALineInAndAnAnswerOut) {
  auto listener = ControlListener::open(shard_, path());
  ASSERT_TRUE(listener) << listener.error();
  StreamPtr taken;
  (*listener)->start([&taken](StreamPtr stream) { taken = std::move(stream); });
  const int client = dial();
  ASSERT_GE(client, 0);
  ASSERT_TRUE(run_until(shard_.io(), [&taken] { return taken != nullptr; }));
  ASSERT_EQ(::send(client, "{}\n", 3, 0), 3);
  EXPECT_EQ(run_task(shard_.io(), read_all(*taken, 3)), "{}\n");
  ASSERT_TRUE(run_task(shard_.io(), taken->write("done\n", soon())));
  char answer[16] = {};
  EXPECT_EQ(::recv(client, answer, sizeof answer, 0), 5);
  EXPECT_STREQ(answer, "done\n");
  ::close(client);
  EXPECT_EQ(run_task(shard_.io(), read_all(*taken, 1)), "");
}

TEST_F(ControlSocket, SaysWhoIsOnTheOtherSide) {
  auto listener = ControlListener::open(shard_, path());
  ASSERT_TRUE(listener) << listener.error();
  StreamPtr taken;
  (*listener)->start([&taken](StreamPtr stream) { taken = std::move(stream); });
  const int client = dial();
  ASSERT_GE(client, 0);
  ASSERT_TRUE(run_until(shard_.io(), [&taken] { return taken != nullptr; }));
  ASSERT_TRUE(taken->peer_user());
  EXPECT_EQ(taken->peer_user()->uid, ::getuid());
  EXPECT_EQ(taken->peer_user()->pid, ::getpid());
  const passwd* const us = ::getpwuid(::getuid());
  EXPECT_EQ(taken->peer_user()->name, us != nullptr ? us->pw_name : "");
  ::close(client);
}

TEST_F(ControlSocket, IsForOwnerAndGroupOnly) {
  const auto listener = ControlListener::open(shard_, path());
  ASSERT_TRUE(listener);
  struct stat found{};
  ASSERT_EQ(::stat(path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0660U);
}

TEST_F(ControlSocket, TakesTheNameOfADeadDaemonAndNotOfALivingOne) {
  {
    // A socket whose process has died without removing it.
    const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::close(dead);
  }
  const auto alive = ControlListener::open(shard_, path());
  ASSERT_TRUE(alive) << alive.error();
  const auto second = ControlListener::open(shard_, path());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().find("another srs-relay answers"), std::string::npos) << second.error();
}

/// With its backlog full a connect() that may wait does so for ever.
TEST_F(ControlSocket, DoesNotWaitForADaemonThatHangs) {
  const int hung = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path().copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(hung, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(hung, 0), 0);
  std::vector<int> waiting;  // how many find room depends on the kernel
  while (waiting.size() < 64) {
    const int one = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    waiting.push_back(one);
    if (::connect(one, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) break;
  }
  ASSERT_EQ(errno, EAGAIN);
  const auto second = ControlListener::open(shard_, path());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().find("does not answer"), std::string::npos) << second.error();
  EXPECT_TRUE(fs::is_socket(path()));
  for (const int one : waiting) ::close(one);
  ::close(hung);
}

TEST_F(ControlSocket, GoesOnAfterAConnectionItHadNoMemoryFor) {
  auto listener = ControlListener::open(shard_, path());
  ASSERT_TRUE(listener) << listener.error();
  int calls = 0;
  StreamPtr taken;
  (*listener)->start([&](StreamPtr stream) {
    if (++calls == 1) throw std::bad_alloc();
    taken = std::move(stream);
  });
  const int refused = dial();
  ASSERT_TRUE(run_until(shard_.io(), [&] { return calls == 1; }));
  const int served = dial();
  ASSERT_TRUE(run_until(shard_.io(), [&] { return taken != nullptr; }));
  char octet = 0;
  EXPECT_EQ(::recv(refused, &octet, 1, 0), 0);
  ::close(refused);
  ::close(served);
}

TEST_F(ControlSocket, RemovesNothingThatIsNoSocket) {
  std::ofstream(path()) << "precious";
  const auto listener = ControlListener::open(shard_, path());
  ASSERT_FALSE(listener);
  EXPECT_TRUE(fs::is_regular_file(path()));
}

TEST_F(ControlSocket, SaysWhatIsWrongWithThePath) {
  EXPECT_FALSE(ControlListener::open(shard_, (folder_ / "none" / "control.sock").string()));
  EXPECT_FALSE(ControlListener::open(shard_, (folder_ / std::string(200, 'x')).string()));
}

/// The check beforehand gives the same error as opening, except for a running daemon.
TEST_F(ControlSocket, CanBeJudgedWithoutBeingMade) {
  EXPECT_FALSE(ControlListener::look_at((folder_ / "none" / "control.sock").string()));
  EXPECT_FALSE(ControlListener::look_at((folder_ / std::string(200, 'x')).string()));
  EXPECT_TRUE(ControlListener::look_at(path()));
  EXPECT_FALSE(fs::exists(path()));
  {
    const auto listener = ControlListener::open(shard_, path());
    ASSERT_TRUE(listener);
    EXPECT_TRUE(ControlListener::look_at(path()));
  }
  std::ofstream(path()) << "precious";
  EXPECT_FALSE(ControlListener::look_at(path()));
}

TEST_F(ControlSocket, IsGoneAfterStop) {
  auto listener = ControlListener::open(shard_, path());
  ASSERT_TRUE(listener);
  (*listener)->start([](StreamPtr) {});
  (*listener)->stop();
  EXPECT_FALSE(fs::exists(path()));
  EXPECT_EQ(dial(), -1);
}

}  // namespace
}  // namespace relay::net
