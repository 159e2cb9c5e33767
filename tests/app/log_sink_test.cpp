#include "relay/app/log_sink.hpp"

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

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

  std::string content() const {
    std::stringstream text;
    text << std::ifstream(file()).rdbuf();
    return text.str();
  }

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

TEST_F(LogSinkTest, SaysWhyAFileCannotBeOpened) {
  std::ofstream(file()) << "in the way";
  const auto blocked = LogSink::open((folder_ / "relay.log" / "below").string());
  ASSERT_FALSE(blocked);
  EXPECT_NE(blocked.error().find("relay.log"), std::string::npos) << blocked.error();
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

}  // namespace
}  // namespace relay::app
