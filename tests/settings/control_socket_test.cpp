// Where the command line looks for the daemon, whatever the file contains.
#include "relay/settings/control_socket.hpp"

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
namespace {

namespace fs = std::filesystem;

class ControlSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("srs-relay-socket-" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "conf.d");
  }

  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  fs::path folder_;
};

TEST_F(ControlSocketTest, IsThatOfItsSectionWhateverStandsAroundIt) {
  const std::string wanted = (folder_ / "c.sock").string();
  const char* const texts[] = {
      "[control]\nsocket = \"c.sock\"\n",
      "hostname = \"a\"\n[control]\nsocket = \"c.sock\"\n[srs]\n",
      "hostname = oops\n[control]\nsocket = \"c.sock\"\n[[[[\n= =\n",
      "\xEF\xBB\xBF[ control ] # ours\r\nsocket = \"c.sock\"\r\n",
      "control = { socket = \"c.sock\" }\n[broken\n",
      "control.socket = \"c.sock\"\n[broken\n",
      "[control]\nsocket = \"c.sock\"",
  };
  for (const char* text : texts) {
    const auto found = find_control_socket(write("relay.toml", text));
    EXPECT_EQ(found.path, wanted) << text;
    EXPECT_NE(found.reason.find("relay.toml says"), std::string::npos) << found.reason;
  }
}

TEST_F(ControlSocketTest, MayStandInAnIncludedFile) {
  write("conf.d/a.toml", "[log]\n");
  write("conf.d/b.toml", "[control]\nsocket = \"/run/b.sock\"\n");
  const auto found =
      find_control_socket(write("relay.toml", "include = [\"conf.d/*.toml\"]\n[oops\n"));
  EXPECT_EQ(found.path, "/run/b.sock");
}

TEST_F(ControlSocketTest, IsTheDefaultWhereNobodySaysIt) {
  const std::string standard = Control().socket;
  EXPECT_EQ(find_control_socket((folder_ / "gone").string()).path, standard);
  EXPECT_NE(find_control_socket((folder_ / "gone").string()).reason.find("No such file"),
            std::string::npos);
  for (const char* text : {"", "[control]\n", "[control]\nsocket = 7\n", "[control]\nsocket = \n",
                           "[[control]]\nsocket = \"c.sock\"\n", "[log]\nsocket = \"c.sock\"\n"}) {
    EXPECT_EQ(find_control_socket(write("relay.toml", text)).path, standard) << text;
  }
  // A file that others can change does not decide which socket is used.
  const std::string open = write("open.toml", "[control]\nsocket = \"c.sock\"\n");
  ::chmod(open.c_str(), 0666);
  EXPECT_EQ(find_control_socket(open).path, standard);
}

TEST_F(ControlSocketTest, IsThatOfTheDaemonWhereAllIsWell) {
  const std::string file = write("relay.toml",
                                 "hostname = \"mx.example.org\"\n[control]\nsocket = \"c.sock\"\n"
                                 "[[domain]]\nname = \"example.org\"\n[domain.alias]\n"
                                 "\"*\" = \"me@mail.example\"\n");
  const auto loaded = load(file);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(find_control_socket(file).path, loaded->settings->control.socket);
}

}  // namespace
}  // namespace relay::settings
