#include "relay/base/stderr_line.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace relay::base {
namespace {

/// Runs `says` with `descriptor` as stderr.
void with_stderr(int descriptor, const std::function<void()>& says) {
  const int before = ::dup(STDERR_FILENO);
  ::dup2(descriptor, STDERR_FILENO);
  says();
  ::dup2(before, STDERR_FILENO);
  ::close(before);
}

std::string heard(int descriptor) {
  std::array<char, 16'384> buffer{};
  const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
  return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

TEST(StderrLine, HasAPriorityForTheJournalAndForNobodyElse) {
  std::array<int, 2> journal{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, journal.data()), 0);
  struct stat info{};
  ASSERT_EQ(::fstat(journal[0], &info), 0);
  const std::string stream = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
  const auto say = [&journal](const std::string& named) {
    ::setenv("JOURNAL_STREAM", named.c_str(), 1);
    with_stderr(journal[0], [] { say_on_stderr(Severity::Error, "one\n  two\n"); });
    ::unsetenv("JOURNAL_STREAM");
    return heard(journal[1]);
  };
  EXPECT_EQ(say(stream), "<3>one\n<3>  two\n");
  EXPECT_EQ(say("1:1"), "one\n  two\n");
  for (const int end : journal) ::close(end);
}

TEST(StderrLine, DoesNotWaitForWhoDoesNotRead) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const int size = ::fcntl(pipe[1], F_SETPIPE_SZ, 4096);
  const std::string filling(static_cast<std::size_t>(size), 'x');
  ASSERT_EQ(::write(pipe[1], filling.data(), filling.size()), size);
  const auto began = std::chrono::steady_clock::now();
  with_stderr(pipe[1], [] { say_on_stderr(Severity::Error, std::string(100, '\n')); });
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  for (const int end : pipe) ::close(end);
}

TEST(StderrLine, CutsALineThatIsTooLong) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  with_stderr(pipe[1], [] { say_on_stderr(Severity::Error, std::string(10'000, 'x') + "\ny"); });
  EXPECT_EQ(heard(pipe[0]), std::string(4095, 'x') + "\ny\n");
  for (const int end : pipe) ::close(end);
}

}  // namespace
}  // namespace relay::base
