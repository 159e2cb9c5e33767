// The command line prints the daemon's answer as it comes, wherever it is cut.
#include <array>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "relay/app/commands.hpp"
#include "relay/app/control_client.hpp"

namespace relay::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

/// A daemon that says what a test has written down, in pieces of a few octets.
class CannedDaemon {
 public:
  CannedDaemon(const std::string& path, std::vector<std::string> answers, std::size_t piece = 7)
      : path_(path), listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ::unlink(path.c_str());
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 4), 0);
    thread_ = std::jthread([this, answers = std::move(answers), piece] {
      for (const std::string& answer : answers) serve(answer, piece);
    });
  }

  ~CannedDaemon() {
    thread_.join();
    ::close(listener_);
    ::unlink(path_.c_str());
  }

  /// The requests that were heard. Waits until all answers were given.
  const std::vector<std::string>& heard() {
    if (thread_.joinable()) thread_.join();
    thread_ = std::jthread([] {});
    return heard_;
  }

 private:
  void serve(const std::string& answer, std::size_t piece) {
    const int fd = ::accept(listener_, nullptr, nullptr);
    std::string request;
    std::array<char, 4096> buffer{};
    while (request.find('\n') == std::string::npos) {
      const ssize_t n = ::read(fd, buffer.data(), buffer.size());
      if (n <= 0) break;
      request.append(buffer.data(), static_cast<std::size_t>(n));
    }
    heard_.push_back(request);
    for (std::size_t at = 0; at < answer.size(); at += piece) {
      const std::string part = answer.substr(at, piece);
      if (::send(fd, part.data(), part.size(), MSG_NOSIGNAL) < 0) break;
    }
    ::close(fd);
  }

  std::string path_;
  int listener_;
  std::vector<std::string> heard_;
  std::jthread thread_;
};

class AskRunningTest : public testing::Test {
 protected:
  AskRunningTest()
      : socket_((fs::temp_directory_path() / ("srs-relay-ask-" + std::to_string(::getpid())))
                    .string()) {}

  Invocation queue(const std::string& action, std::vector<std::string> words = {}) const {
    Invocation call;
    call.verb = Verb::Queue;
    call.action = action;
    call.words = std::move(words);
    call.socket = socket_;
    call.timeout = std::chrono::seconds(5);
    return call;
  }

  int ask(const Invocation& call) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int exit = ask_running(call);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return exit;
  }

  const std::string socket_;
  std::string out_;
  std::string err_;
};

TEST_F(AskRunningTest, PrintsTextAsItComes) {
  CannedDaemon daemon(socket_, {"{\"v\":1,\"text\":\"one\\ntwo\\n\"}\n{\"v\":1,\"progress\":7}\n"
                                "{\"v\":1,\"text\":\"three\\n\"}\n{\"v\":1,\"exit\":0}\n"});
  EXPECT_EQ(ask(queue("list", {"to:x.example"})), kExitOk);
  EXPECT_EQ(out_, "one\ntwo\nthree\n");
  EXPECT_EQ(err_, "");
  EXPECT_EQ(daemon.heard().front(),
            R"({"v":1,"verb":"queue.list","format":"text","filter":["to:x.example"],)"
            "\"progress\":true,\"limit\":1000}\n");
}

TEST_F(AskRunningTest, PrintsLinesOfJsonUnchanged) {
  CannedDaemon daemon(socket_, {"{\"v\":1,\"id\":\"a\"}\n{\"v\":1,\"progress\":7}\n"
                                "{\"v\":1,\"error\":\"b\"}\n{\"v\":1,\"exit\":5}\n"});
  Invocation call = queue("drop", {"01JD7ZABCDEFGHJKMNPQRSTVWX"});
  call.json = true;
  call.reason = "spam";
  EXPECT_EQ(ask(call), kExitNotFound);
  EXPECT_EQ(out_, "{\"v\":1,\"id\":\"a\"}\n{\"v\":1,\"error\":\"b\"}\n");
  EXPECT_THAT(daemon.heard().front(), HasSubstr("\"reason\":\"spam\""));
  EXPECT_THAT(daemon.heard().front(), Not(HasSubstr("limit")));
}

TEST_F(AskRunningTest, PrintsErrorsSoThatNoTerminalObeysThem) {
  CannedDaemon daemon(socket_,
                      {"{\"v\":1,\"error\":\"a\\u001b[31m\\nb\"}\n{\"v\":1,\"exit\":2}\n"});
  EXPECT_EQ(ask(queue("why", {"x"})), kExitUsage);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(err_, "a\\x1b[31m\nb\n");
}

TEST_F(AskRunningTest, SaysWhenTheAnswerIsCutShortOrDamaged) {
  for (const char* answer : {"", "{\"v\":1,\"text\":\"a\"}\n", "{\"v\":1,\"exit\":0}", "nonsense\n",
                             "[]\n", "{\"v\":1,\"exit\":\"0\"}\n"}) {
    CannedDaemon daemon(socket_, {answer});
    EXPECT_EQ(ask(queue("list")), kExitUnreachable) << answer;
    EXPECT_THAT(err_, HasSubstr("the daemon's answer")) << answer;
  }
}

TEST_F(AskRunningTest, TakesNoEndlessLine) {
  CannedDaemon daemon(socket_, {std::string(8UL * 1024 * 1024, 'x')}, 65536);
  EXPECT_EQ(ask(queue("list")), kExitUnreachable);
  EXPECT_THAT(err_, HasSubstr("damaged"));
}

TEST_F(AskRunningTest, SaysThatNobodyAnswersAlsoInJson) {
  EXPECT_EQ(ask(queue("list")), kExitUnreachable);
  EXPECT_THAT(err_, HasSubstr("the daemon does not answer on " + socket_));
  Invocation call = queue("list");
  call.json = true;
  EXPECT_EQ(ask(call), kExitUnreachable);
  EXPECT_THAT(out_, HasSubstr("{\"v\":1,\"error\":\"the daemon does not answer on "));
  EXPECT_EQ(err_, "");
}

TEST_F(AskRunningTest, AsksBeforeItChangesManyAndNotBeforeItChangesOne) {
  // Where no terminal is, it does not ask, it refuses.
  if (::isatty(STDIN_FILENO) != 0) GTEST_SKIP() << "asks the terminal";
  for (const char* verb : {"retry", "hold", "release", "drop", "bounce"}) {
    EXPECT_EQ(ask(queue(verb, {"all"})), kExitRefused) << verb;
    EXPECT_THAT(err_, HasSubstr("--yes"));
  }
  const std::string done = "{\"v\":1,\"exit\":0}\n";
  CannedDaemon daemon(socket_, {done, done, done, done});
  EXPECT_EQ(ask(queue("hold", {"01JD7ZABCDEFGHJKMNPQRSTVWX"})), kExitOk);
  Invocation yes = queue("hold", {"all"});
  yes.yes = true;
  EXPECT_EQ(ask(yes), kExitOk);
  Invocation dry = queue("hold", {"all"});
  dry.dry_run = true;
  EXPECT_EQ(ask(dry), kExitOk);
  EXPECT_EQ(ask(queue("pause", {"mx:x.example"})), kExitOk);
  EXPECT_THAT(daemon.heard()[2], HasSubstr("\"dry_run\":true"));
}

TEST_F(AskRunningTest, WatchesAsOftenAsItIsTold) {
  const std::string answer = "{\"v\":1,\"text\":\"a\\n\"}\n{\"v\":1,\"exit\":0}\n";
  CannedDaemon daemon(socket_, {answer, answer, answer});
  Invocation call = queue("list");
  call.watch = std::chrono::seconds(0);
  call.count = 3;
  EXPECT_EQ(ask(call), kExitOk);
  EXPECT_EQ(out_, "a\na\na\n");
  EXPECT_EQ(daemon.heard().size(), 3U);
}

TEST_F(AskRunningTest, SaysEverythingThatWasAskedFor) {
  const std::string done = "{\"v\":1,\"exit\":0}\n";
  CannedDaemon daemon(socket_, {done, done, done});
  Invocation pause = queue("pause", {"mx:x.example"});
  pause.span = "1h";
  ask(pause);
  Invocation show = queue("show", {"01JD7Z"});
  show.content = true;
  ask(show);
  Invocation list = queue("list");
  list.after = "01JD7ZABCDEFGHJKMNPQRSTVWX/3";
  list.limit = 5;
  ask(list);
  EXPECT_THAT(daemon.heard()[0], HasSubstr("\"for\":\"1h\""));
  EXPECT_THAT(daemon.heard()[1], HasSubstr("\"content\":true"));
  EXPECT_THAT(daemon.heard()[2], HasSubstr("\"limit\":5"));
  EXPECT_THAT(daemon.heard()[2], HasSubstr("\"after\":\"01JD7ZABCDEFGHJKMNPQRSTVWX/3\""));
}

}  // namespace
}  // namespace relay::app
