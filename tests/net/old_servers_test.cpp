// Next hops of another age: `openssl s_server` with keys and versions that OpenSSL refuses today.
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/net/starttls.hpp"

namespace relay::net {
namespace {

using boost::asio::ip::make_address;
using mail::TlsLevel;

/// A program with its output in a pipe; ended with the object.
class Program {
 public:
  explicit Program(std::vector<std::string> words) {
    std::array<int, 2> pipe{};
    std::array<int, 2> input{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0 || ::pipe2(input.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("pipe");
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int error =
        ::posix_spawnp(&process_, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    ::close(input[0]);
    input_ = input[1];
    output_ = ::fdopen(pipe[0], "r");
    if (error != 0 || output_ == nullptr) throw std::runtime_error("no " + words[0]);
  }

  ~Program() {
    ::kill(process_, SIGTERM);
    wait();
    std::fclose(output_);
    ::close(input_);
  }

  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// The rest of the first line that begins with `start`; "" if there is none.
  std::string rest_of_line(const std::string& start) {
    std::array<char, 256> line{};
    while (std::fgets(line.data(), line.size(), output_) != nullptr) {
      std::string text(line.data());
      if (text.starts_with(start)) return text.substr(start.size(), text.find('\n') - start.size());
    }
    return {};
  }

  void wait() {
    if (!waited_) ::waitpid(process_, nullptr, 0);
    waited_ = true;
  }

 private:
  pid_t process_ = -1;
  std::FILE* output_ = nullptr;
  int input_ = -1;  ///< nothing is written; its end would be the end of s_server
  bool waited_ = false;
};

struct Age {
  const char* name;
  const char* key;
  std::vector<std::string> options;
  const char* version;
  bool holds;  ///< well enough for who demands encryption
};

void PrintTo(const Age& age, std::ostream* out) { *out << age.name; }

class OldServer : public StartTls, public testing::WithParamInterface<Age> {
 protected:
  /// The port of a server as old as that.
  std::uint16_t start() {
    const std::string folder = folder_.path().string();
    Program({"openssl", "req", "-x509", "-newkey", GetParam().key, "-nodes", "-subj", "/CN=old",
             "-keyout", folder + "/old.key", "-out", folder + "/old.crt"})
        .wait();
    // Its Diffie-Hellman group is as short as its key.
    std::vector<std::string> words{"openssl", "s_server",          "-accept", "127.0.0.1:0",
                                   "-key",    folder + "/old.key", "-cert",   folder + "/old.crt"};
    words.insert(words.end(), GetParam().options.begin(), GetParam().options.end());
    server_ = std::make_unique<Program>(std::move(words));
    const std::string port = server_->rest_of_line("ACCEPT 127.0.0.1:");
    if (port.empty()) throw std::runtime_error("openssl s_server does not listen");
    return static_cast<std::uint16_t>(std::stoi(port));
  }

  std::expected<StreamPtr, ports::TlsError> dial(std::uint16_t port, TlsLevel level) {
    auto plain =
        run_task(loopback_.shard.io(),
                 loopback_.dialer.connect({make_address("127.0.0.1"), port}, std::nullopt, soon()));
    if (!plain) throw std::runtime_error("no connection");
    return run_task(
        loopback_.shard.io(),
        loopback_.dialer.start_tls(std::move(*plain), "old.example", {.level = level}, soon()));
  }

  std::unique_ptr<Program> server_;
};

TEST_P(OldServer, IsSpokenToUnderTlsWhereTheClearWouldBeNext) {
  const auto port = start();
  const auto stream = dial(port, TlsLevel::May);
  ASSERT_TRUE(stream) << describe(stream.error().error);
  EXPECT_EQ((*stream)->tls()->version, GetParam().version);
  (*stream)->close();
  EXPECT_EQ(dial(port, TlsLevel::Encrypt).has_value(), GetParam().holds);
}

INSTANTIATE_TEST_SUITE_P(Ages, OldServer,
                         testing::Values(Age{"ShortDiffieHellman",
                                             "rsa:1024",
                                             {"-tls1_2", "-cipher",
                                              "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"},
                                             "TLSv1.2",
                                             false},
                                         Age{"ShortKeyNobodyChecks",
                                             "rsa:1024",
                                             {"-cipher", "DEFAULT:@SECLEVEL=0"},
                                             "TLSv1.3",
                                             true},
                                         Age{"OldVersion",
                                             "rsa:1024",
                                             {"-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0"},
                                             "TLSv1",
                                             false},
                                         Age{"Today", "rsa:2048", {}, "TLSv1.3", true}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace relay::net
