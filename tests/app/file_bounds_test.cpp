// Files that the process may touch, as the kernel sees it and as we know it.
#include "relay/app/file_bounds.hpp"

#include <cerrno>
#include <fstream>
#include <functional>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/settings/file_stamp.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {
namespace {

namespace fs = std::filesystem;

class FileBoundsTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("srs-relay-bounds-" + std::to_string(::getpid()));
    for (const char* folder : {"etc", "queue", "run", "log", "other"}) {
      fs::create_directories(root_ / folder);
    }
    fs::permissions(root_ / "queue", fs::perms::owner_all);
    for (const char* file : {"etc/relay.toml", "etc/next", "other/file", "queue/queue.db"}) {
      std::ofstream(root_ / file) << "x";
    }
    fs::create_symlink(root_ / "other/file", root_ / "etc/link");
    settings_.named_files = {{.path = (root_ / "etc/relay.toml").string(), .at = {}}};
    settings_.queue.path = (root_ / "queue/queue.db").string();
    settings_.control.socket = (root_ / "run/control.sock").string();
    settings_.log.file = (root_ / "log/relay.log").string();
  }

  void TearDown() override { fs::remove_all(root_); }

  /// A bounded child does it: 0, or the errno.
  int bounded(const std::function<int()>& what) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto bounds = bounds_for(settings_);
      ::_exit(enter(bounds) ? what() : 99);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  int open_error(const fs::path& file, int flags) {
    return bounded([&] { return ::open(file.c_str(), flags, 0600) < 0 ? errno : 0; });
  }

  bool is_there() {
    FileBounds bounds;
    const pid_t child = ::fork();
    if (child == 0) ::_exit(enter(bounds) && bounds.abi > 0 ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  fs::path root_;
  settings::Settings settings_;
};

TEST_F(FileBoundsTest, TheKernelDeniesAllElse) {
  if (!is_there()) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(open_error(root_ / "etc/relay.toml", O_RDONLY), 0);
  EXPECT_EQ(open_error(root_ / "etc/next", O_RDONLY), 0) << "a file that takes its place";
  EXPECT_EQ(open_error("/etc/passwd", O_RDONLY), 0);
  EXPECT_EQ(open_error(root_ / "other/file", O_RDONLY), EACCES);
  EXPECT_EQ(open_error(root_ / "etc/link", O_RDONLY), EACCES);
  EXPECT_EQ(open_error(root_ / "etc/relay.toml", O_WRONLY), EACCES);
  EXPECT_EQ(open_error(root_ / "etc/relay.toml", O_RDONLY | O_TRUNC), EACCES);
  EXPECT_EQ(open_error(root_ / "etc/new", O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(open_error(root_ / "queue/queue.db", O_RDWR), 0);
  EXPECT_EQ(open_error(root_ / "queue/new", O_RDWR | O_CREAT), 0);
  EXPECT_EQ(open_error(root_ / "log/relay.log", O_WRONLY | O_APPEND | O_CREAT), 0);
  EXPECT_EQ(bounded([&] { return ::unlink((root_ / "etc/next").c_str()) != 0 ? errno : 0; }),
            EACCES);
  EXPECT_EQ(bounded([&] {
              const auto from = root_ / "queue/queue.db";
              return ::rename(from.c_str(), (root_ / "queue/b").c_str()) != 0 ? errno : 0;
            }),
            0);
}

TEST_F(FileBoundsTest, WeKnowWhatItDenies) {
  auto bounds = bounds_for(settings_);
  EXPECT_TRUE(bounds.may_read(root_ / "other/file")) << "nothing is in force yet";
  bounds.abi = 1;
  EXPECT_TRUE(bounds.may_read(root_ / "etc/next"));
  EXPECT_TRUE(bounds.may_read("/etc/passwd"));
  EXPECT_TRUE(bounds.may_read(root_ / "queue/queue.db"));
  EXPECT_FALSE(bounds.may_read(root_ / "other/file"));
  EXPECT_FALSE(bounds.may_read(root_ / "etc/link"));
  EXPECT_FALSE(bounds.may_read(root_ / "etc/../other/file"));
  EXPECT_FALSE(bounds.may_read(root_.string() + "/etcetera/file"));
  EXPECT_TRUE(bounds.may_write(root_ / "log/other.log"));
  EXPECT_FALSE(bounds.may_write(root_ / "etc/relay.toml"));
}

/// Files of a pattern may come later, in folders that come later.
TEST_F(FileBoundsTest, OpensTheFoldersThatPatternsBeginIn) {
  settings_.named_folders = {root_ / "other"};
  auto bounds = bounds_for(settings_);
  bounds.abi = 1;
  EXPECT_TRUE(bounds.may_read(root_ / "other/c2/mail.toml"));
  if (!is_there()) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(bounded([&] {
              fs::create_directory(root_ / "queue/made");  // a folder in which we may write
              const int at = ::open((root_ / "other").c_str(), O_RDONLY | O_DIRECTORY);
              return at < 0 ? errno : 0;
            }),
            0);
}

/// The kernel opens what is there, and nothing that is made later.
TEST_F(FileBoundsTest, AreNotThoughtToReachWhatWasNotThere) {
  if (!is_there()) GTEST_SKIP() << "this kernel has no Landlock";
  settings_.named_folders = {root_ / "later"};
  settings_.named_files.push_back({.path = (root_ / "much/later/file").string(), .at = {}});
  const auto said = bounded([&] {
    auto bounds = bounds_for(settings_);
    if (!enter(bounds)) return 1;
    if (bounds.may_read(root_ / "later/file")) return 2;
    if (bounds.may_read(root_ / "much/later/file")) return 3;
    return bounds.may_read(root_ / "etc/relay.toml") ? 0 : 4;
  });
  EXPECT_EQ(said, 0);
}

TEST_F(FileBoundsTest, FollowsTheLinksThatAreThereAtTheStart) {
  settings_.named_files.push_back({.path = (root_ / "etc/link").string(), .at = {}});
  auto bounds = bounds_for(settings_);
  bounds.abi = 1;
  EXPECT_TRUE(bounds.may_read(root_ / "etc/link"));
  if (!is_there()) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(open_error(root_ / "etc/link", O_RDONLY), 0);
}

}  // namespace
}  // namespace relay::app
