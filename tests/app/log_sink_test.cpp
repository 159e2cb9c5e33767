#include "relay/app/log_sink.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
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

}  // namespace
}  // namespace relay::app
