#include "relay/base/private_file.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/read_file.hpp"

namespace relay::base {
namespace {

namespace fs = std::filesystem;

class PrivateFileTest : public testing::Test {
 protected:
  PrivateFileTest() { fs::create_directories(folder_); }

  ~PrivateFileTest() override { fs::remove_all(folder_); }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("private." + std::to_string(::getpid()));
  const std::string path_ = (folder_ / "key").string();
};

TEST_F(PrivateFileTest, IsForItsOwnerAlone) {
  ASSERT_TRUE(write_private_file(path_, "secret", IfThere::Fail));
  EXPECT_EQ(support::read_file(path_), "secret");
  struct stat info{};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
}

TEST_F(PrivateFileTest, TakesTheNameOfAnotherOnlyWhenToldTo) {
  ASSERT_TRUE(write_private_file(path_, "first and longer", IfThere::Fail));
  EXPECT_FALSE(write_private_file(path_, "second", IfThere::Fail));
  EXPECT_EQ(errno, EEXIST);
  EXPECT_EQ(support::read_file(path_), "first and longer");
  EXPECT_TRUE(write_private_file(path_, "second", IfThere::Empty));
  EXPECT_EQ(support::read_file(path_), "second");
}

TEST_F(PrivateFileTest, FollowsNoLink) {
  const auto elsewhere = folder_ / "elsewhere";
  fs::create_symlink(elsewhere, path_);
  for (const auto if_there : {IfThere::Fail, IfThere::Empty}) {
    EXPECT_FALSE(write_private_file(path_, "secret", if_there));
  }
  EXPECT_FALSE(fs::exists(elsewhere));
}

TEST_F(PrivateFileTest, LiesInAFolderThatCanBeSynced) {
  EXPECT_EQ(folder_of(path_), folder_);
  EXPECT_EQ(folder_of("key"), ".");
  EXPECT_TRUE(sync_folder(folder_of(path_)));
  EXPECT_TRUE(sync_folder(folder_of("key")));
  EXPECT_FALSE(sync_folder(folder_ / "missing"));
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace relay::base
