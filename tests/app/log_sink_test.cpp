#include "relay/app/log_sink.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/settings/log.hpp"
#include "tests/support/read_file.hpp"

namespace relay::app {
namespace {

namespace fs = std::filesystem;

class LogSinkTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("srs-relay-log-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }

  void TearDown() override { fs::remove_all(folder_); }

  std::string file() const { return (folder_ / "relay.log").string(); }

  std::string content() const { return support::read_file(file()); }

  fs::path folder_;
};

TEST_F(LogSinkTest, WritesOneLineAnEventAndTakesTextAsData) {
  {
    auto log = LogSink::open(file());
    ASSERT_TRUE(log) << log.error();
    base::Event event("x", base::WallTime{});
    event.text("text", "{} %s {:>999999}\n");
    (*log)->write(std::move(event));
    (*log)->write(base::Event("y", base::WallTime{}));
  }
  EXPECT_EQ(content(), R"({"v":1,"ts":"1970-01-01T00:00:00.000Z","level":"info","event":"x",)"
                       "\"text\":\"{} %s {:>999999}\\u000a\"}\n"
                       R"({"v":1,"ts":"1970-01-01T00:00:00.000Z","level":"info","event":"y"})"
                       "\n");
}

TEST_F(LogSinkTest, GoesOnWhereTheFileEnded) {
  for (int i = 0; i < 2; ++i) {
    auto log = LogSink::open(file());
    (*log)->write(base::Event("x", base::WallTime{}));
  }
  const std::string text = content();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST_F(LogSinkTest, GoesOnInAnotherFileWithoutLosingALine) {
  const std::string second = (folder_ / "second.log").string();
  {
    auto log = LogSink::open(file());
    ASSERT_TRUE(log) << log.error();
    (*log)->write(base::Event("before", base::WallTime{}));
    EXPECT_TRUE((*log)->flush());
    auto next = base::LogFile::open(second);
    ASSERT_TRUE(next) << next.error();
    (*log)->go_on_in(second, std::move(*next));
    (*log)->write(base::Event("after", base::WallTime{}));
    EXPECT_TRUE((*log)->flush());
    fs::rename(second, folder_ / "second.log.1");
    EXPECT_TRUE((*log)->reopen());
    (*log)->write(base::Event("rotated", base::WallTime{}));
  }
  EXPECT_NE(content().find("before"), std::string::npos);
  EXPECT_EQ(content().find("after"), std::string::npos);
  const std::string moved = support::read_file(folder_ / "second.log.1");
  EXPECT_NE(moved.find("after"), std::string::npos);
  EXPECT_EQ(moved.find("rotated"), std::string::npos);
  const std::string made_anew = support::read_file(second);
  EXPECT_NE(made_anew.find("rotated"), std::string::npos);
}

TEST_F(LogSinkTest, SaysWhyAFileCannotBeOpened) {
  std::ofstream(file()) << "in the way";
  const auto blocked = LogSink::open((folder_ / "relay.log" / "below").string());
  ASSERT_FALSE(blocked);
  EXPECT_NE(blocked.error().find("relay.log"), std::string::npos) << blocked.error();
}

/// The check beforehand gives the same error as opening.
TEST_F(LogSinkTest, CanBeJudgedWithoutBeingMade) {
  std::ofstream(file()) << "there";
  const std::string below = (folder_ / "logs" / "more" / "relay.log").string();
  EXPECT_TRUE(LogSink::look_at(below));
  EXPECT_FALSE(fs::exists(folder_ / "logs"));
  for (const std::string& name :
       {std::string(), file(), below, folder_.string(), file() + "/below"}) {
    const auto judged = LogSink::look_at(name);
    EXPECT_EQ(judged.has_value(), LogSink::open(name).has_value()) << name;
  }
}

TEST_F(LogSinkTest, RedactsFromTheMomentItIsTold) {
  {
    auto log = LogSink::open(file());
    base::Event before("x", base::WallTime{});
    before.text("mail_from", "ann@sender.example");
    (*log)->write(std::move(before));
    (*log)->redact(std::make_shared<const Redaction>(settings::LogRedact::LocalPart, nullptr));
    base::Event after("x", base::WallTime{});
    after.text("mail_from", "bob@sender.example");
    (*log)->write(std::move(after));
  }
  EXPECT_NE(content().find("ann@sender.example"), std::string::npos);
  EXPECT_EQ(content().find("bob@"), std::string::npos);
  EXPECT_NE(content().find("…@sender.example"), std::string::npos);
}

TEST_F(LogSinkTest, FlushReturnsWhenAllThatWasWrittenIsOutInItsOrder) {
  auto log = LogSink::open(file());
  ASSERT_TRUE(log) << log.error();
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 50; ++i) {
      base::Event event("x", base::WallTime{});
      event.number("n", round * 50 + i);
      (*log)->write(std::move(event));
    }
    (*log)->flush();
    std::istringstream lines(content());
    int expected = 0;
    for (std::string line; std::getline(lines, line); ++expected) {
      ASSERT_NE(line.find("\"n\":" + std::to_string(expected) + "}"), std::string::npos) << line;
    }
    ASSERT_EQ(expected, (round + 1) * 50);
  }
  EXPECT_EQ((*log)->dropped(), 0U);
}

// A log volume that hangs (here a pipe nobody reads) costs the oldest lines, never a wait.
TEST_F(LogSinkTest, DropsTheOldestLinesAndCountsThemWhileTheVolumeHangs) {
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  const int reader = ::open(file().c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  {
    auto log = LogSink::open(file());
    ASSERT_TRUE(log) << log.error();
    const std::string filling(1000, 'x');
    for (int i = 0; i < 40'000; ++i) {
      base::Event event("x", base::WallTime{});
      event.text("filling", filling);
      (*log)->write(std::move(event));
    }
    EXPECT_GT((*log)->dropped(), 40'000U - 2 * 16'384U - 1);
    std::signal(SIGPIPE, SIG_IGN);
    ::close(reader);  // what is still to be written finds no reader and is lost
  }
}

TEST_F(LogSinkTest, DropsNothingThatIsToBeKeptWhileTheVolumeHangs) {
  constexpr int kKept = 200;
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  const int reader = ::open(file().c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  auto log = LogSink::open(file());
  ASSERT_TRUE(log) << log.error();
  const std::string filling(50, 'x');
  const auto write = [&](int lines, bool kept) {
    for (int i = 0; i < lines; ++i) {
      base::Event event("x", base::WallTime{});
      if (kept) event.keep().number("kept", i);
      event.text("filling", filling);
      (*log)->write(std::move(event));
    }
  };
  write(20'000, false);
  write(kKept, true);
  write(20'000, false);
  EXPECT_GT((*log)->dropped(), 0U);
  // Somebody reads again.
  ASSERT_EQ(::fcntl(reader, F_SETFL, 0), 0);
  std::string heard;
  std::jthread ends([&] { log->reset(); });
  std::array<char, 65536> buffer{};
  for (ssize_t n = 1; n > 0;) {
    n = ::read(reader, buffer.data(), buffer.size());
    if (n > 0) heard.append(buffer.data(), static_cast<std::size_t>(n));
  }
  ::close(reader);
  for (int i = 0; i < kKept; ++i) {
    ASSERT_NE(heard.find("\"kept\":" + std::to_string(i) + ","), std::string::npos) << i;
  }
}

/// The reader of the log may have stopped for ever: neither flushing nor ending waits for it.
TEST_F(LogSinkTest, EndsWhileNobodyReads) {
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  const int reader = ::open(file().c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  auto log = LogSink::open(file());
  ASSERT_TRUE(log) << log.error();
  const std::string filling(500, 'x');
  for (int i = 0; i < 1000; ++i) {
    base::Event event("x", base::WallTime{});
    event.text("filling", filling);
    (*log)->write(std::move(event));
  }
  // The reader has not read for long: no further call waits for it.
  EXPECT_FALSE((*log)->flush());
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) EXPECT_FALSE((*log)->flush());
  (*log)->end();
  log->reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10 * LogSink::kPatience);
  ::close(reader);
}

/// Opening a FIFO waits for its reader, unless it is told not to.
TEST_F(LogSinkTest, RefusesAFifoThatNobodyReads) {
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  const auto refused = LogSink::open(file());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "cannot open log file " + file() + ": nobody reads it");
  const int reader = ::open(file().c_str(), O_RDONLY | O_NONBLOCK);
  auto log = LogSink::open(file());
  ASSERT_TRUE(log) << log.error();
  ::close(reader);
  EXPECT_FALSE((*log)->reopen());
  std::signal(SIGPIPE, SIG_IGN);
}

TEST_F(LogSinkTest, IsForOwnerAndGroup) {
  const auto before = ::umask(077);
  const auto log = LogSink::open(file());
  ::umask(before);
  ASSERT_TRUE(log) << log.error();
  struct stat info{};
  ASSERT_EQ(::stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0640U);
}

TEST_F(LogSinkTest, GoesOnInANewFileWhenTheOldOneWasMovedAway) {
  auto log = LogSink::open(file());
  ASSERT_TRUE(log) << log.error();
  (*log)->write(base::Event("before", base::WallTime{}));
  ASSERT_TRUE((*log)->flush());
  fs::rename(file(), folder_ / "relay.log.1");
  ASSERT_TRUE((*log)->reopen());
  (*log)->write(base::Event("after", base::WallTime{}));
  ASSERT_TRUE((*log)->flush());
  EXPECT_EQ(content().find("before"), std::string::npos);
  EXPECT_NE(content().find("after"), std::string::npos);
  const std::string old = support::read_file(folder_ / "relay.log.1");
  EXPECT_NE(old.find("before"), std::string::npos);
  EXPECT_EQ(old.find("after"), std::string::npos);
}

TEST_F(LogSinkTest, GoesOnInTheOldFileWhenThereCannotBeANewOne) {
  fs::create_directories(folder_ / "logs");
  const std::string inside = (folder_ / "logs" / "relay.log").string();
  auto log = LogSink::open(inside);
  ASSERT_TRUE(log) << log.error();
  fs::rename(folder_ / "logs", folder_ / "moved");
  std::ofstream(folder_ / "logs") << "in the way";
  EXPECT_FALSE((*log)->reopen());
  (*log)->write(base::Event("after", base::WallTime{}));
  ASSERT_TRUE((*log)->flush());
  EXPECT_GT(fs::file_size(folder_ / "moved" / "relay.log"), 0U);
}

TEST_F(LogSinkTest, CountsWhatADiskWithoutRoomDidNotTake) {
  auto log = LogSink::open("/dev/full");
  ASSERT_TRUE(log) << log.error();
  for (int i = 0; i < 3; ++i) (*log)->write(base::Event("x", base::WallTime{}));
  ASSERT_TRUE((*log)->flush());
  EXPECT_EQ((*log)->dropped(), 3U);
}

/// A line cut off by a full disk is no part of the next one.
TEST_F(LogSinkTest, BeginsANewLineAfterOneThatWasCutOff) {
  const auto lines = [](base::LogFile& to, std::string_view text) {
    base::WriteProgress progress;
    return to.write(text, progress);
  };
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  auto to = base::LogFile::open(file());
  ASSERT_TRUE(to) << to.error();
  const rlimit small{.rlim_cur = 10, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_EQ(lines(*to, "12345\n67890\nabc\n"), 1U);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(lines(*to, "next\n"), 1U);
  EXPECT_EQ(content(), "12345\n6789\nnext\n");
}

/// stderr as systemd connects it: a socket whose device and inode JOURNAL_STREAM names.
TEST_F(LogSinkTest, TellsTheJournalThePriorityAndNobodyElse) {
  std::array<int, 2> journal{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, journal.data()), 0);
  struct stat info{};
  ASSERT_EQ(::fstat(journal[0], &info), 0);
  const std::string stream = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
  const auto heard = [&journal](const std::string& named) {
    const int before = ::dup(STDERR_FILENO);
    ::dup2(journal[0], STDERR_FILENO);
    ::setenv("JOURNAL_STREAM", named.c_str(), 1);
    {
      auto log = LogSink::open("");
      (*log)->write(base::Event("x", base::WallTime{}, base::Severity::Error));
      (*log)->write(base::Event("y", base::WallTime{}));
      (*log)->flush();
    }
    ::unsetenv("JOURNAL_STREAM");
    ::dup2(before, STDERR_FILENO);
    ::close(before);
    std::array<char, 1024> buffer{};
    const ssize_t got = ::recv(journal[1], buffer.data(), buffer.size(), MSG_DONTWAIT);
    return std::string(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  };
  const std::string to_journal = heard(stream);
  EXPECT_TRUE(to_journal.starts_with("<3>{")) << to_journal;
  EXPECT_NE(to_journal.find("\n<6>{"), std::string::npos) << to_journal;
  EXPECT_TRUE(heard("1:1").starts_with("{"));
  for (const int end : journal) ::close(end);
}

}  // namespace
}  // namespace relay::app
