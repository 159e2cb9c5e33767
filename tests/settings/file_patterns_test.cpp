#include "relay/settings/file_patterns.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace relay::settings {
namespace {

namespace fs = std::filesystem;

TEST(FilePatterns, BeginInTheirLongestFolderWithoutWildcards) {
  EXPECT_EQ(fixed_folder_of("/etc/panel/*/mail.toml"), "/etc/panel");
  EXPECT_EQ(fixed_folder_of("/etc/panel/c[12]/x/mail.toml"), "/etc/panel");
  EXPECT_EQ(fixed_folder_of("/etc/panel/*.toml"), "/etc/panel");
  EXPECT_EQ(fixed_folder_of("/etc/panel/mail.toml"), "/etc/panel");
  EXPECT_EQ(fixed_folder_of("/*/mail.toml"), "/");
  EXPECT_EQ(fixed_folder_of("conf.d/*.toml"), "conf.d");
}

class FilesMatching : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("srs-relay-patterns-" + std::to_string(::getpid()));
    for (const char* customer : {"c1", "c2"}) {
      fs::create_directories(root_ / "panel" / customer);
      std::ofstream(root_ / "panel" / customer / "mail.toml") << "x";
    }
  }

  void TearDown() override {
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      fs::permissions(entry, fs::perms::owner_all);
    }
    fs::remove_all(root_);
  }

  std::string at(const std::string& path) const { return (root_ / path).string(); }

  fs::path root_;
};

TEST_F(FilesMatching, AreSorted) {
  const auto found = files_matching(at("panel/*/mail.toml"));
  EXPECT_THAT(found.files,
              testing::ElementsAre(at("panel/c1/mail.toml"), at("panel/c2/mail.toml")));
  EXPECT_TRUE(found.errors.empty());
}

TEST_F(FilesMatching, MayBeNone) {
  for (const char* pattern : {"panel/*.toml", "none/*.toml", "panel/none.toml", "panel/*/none.toml",
                              "panel/c1/mail.toml/*"}) {
    const auto found = files_matching(at(pattern));
    EXPECT_TRUE(found.files.empty()) << pattern;
    EXPECT_TRUE(found.errors.empty()) << pattern << ": " << found.errors.front().text;
  }
}

/// A folder that may not be looked into is not an empty one: mail for what is in it would bounce.
TEST_F(FilesMatching, AreNotTakenForNoneWhereWeMayNotLook) {
  fs::permissions(root_ / "panel/c2", fs::perms::none);
  const auto errors_of = [this](const char* pattern) {
    std::string all;
    for (const auto& error : files_matching(at(pattern)).errors) all += error.text + '\n';
    return all;
  };
  const std::string about_file = "cannot read " + at("panel/c2/mail.toml");
  const std::string about_folder = "cannot read " + at("panel/c2");
  const std::string why = ": Permission denied\n";
  EXPECT_EXIT(
      {
        // Root may look everywhere.
        if (::geteuid() == 0 && ::setuid(65'534) != 0) ::_exit(9);
        EXPECT_EQ(errors_of("panel/*/mail.toml"), about_file + why);
        EXPECT_EQ(errors_of("panel/c2/*"), about_folder + why);
        EXPECT_EQ(errors_of("panel/c2/mail.toml"), about_file + why);
        ::_exit(HasFailure() ? 1 : 0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace relay::settings
