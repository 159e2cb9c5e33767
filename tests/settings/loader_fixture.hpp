// A folder with a configuration and some secrets, for tests of the loader.
#pragma once

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/settings/file_stamp.hpp"
#include "relay/settings/loader.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/settings.hpp"

namespace relay::settings {

namespace fs = std::filesystem;

/// A folder of its own with a good SRS secret in it.
class LoaderFixture : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::temp_directory_path() / ("srs-relay-settings-" + std::to_string(::getpid()) + '-' +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_ / "secrets");
    write("secrets/good", "q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua", 0600);
    write("secrets/open", "q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua", 0644);
    write("secrets/short", "0123456789", 0600);
    write("secrets/sample", "secretsecretsecret", 0600);
  }

  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& content, mode_t mode = 0644) {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << content;
    ::chmod(path.c_str(), mode);
  }

  std::expected<Loaded, std::vector<Problem>> load_text(const std::string& text) {
    write("relay.toml", text);
    return load((folder_ / "relay.toml").string());
  }

  /// Rendered problems with the folder cut away.
  std::vector<std::string> problems_of(const std::string& text) {
    const auto loaded = load_text(text);
    std::vector<std::string> rendered;
    const auto& problems = loaded ? loaded->warnings : loaded.error();
    for (const auto& problem : problems) {
      std::string line = render(problem);
      const std::string prefix = folder_.string() + '/';
      for (auto at = line.find(prefix); at != std::string::npos; at = line.find(prefix)) {
        line.erase(at, prefix.size());
      }
      rendered.push_back(line);
    }
    return rendered;
  }

  fs::path folder_;
};

inline const std::string kHead =
    "hostname = \"mx.example.org\"\n"
    "[[domain]]\nname = \"example.org\"\n[domain.alias]\n\"*\" = \"me@mail.example\"\n";

}  // namespace relay::settings
