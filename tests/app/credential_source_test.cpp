// Files of which systemd makes credentials, as its units name them.
#include "relay/app/credential_source.hpp"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/net/certificates.hpp"

namespace relay::app {
namespace {

namespace fs = std::filesystem;

class CredentialSource : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

  std::string source(const std::string& name) const {
    return source_of_credential(root_, name).string();
  }

  net::TemporaryFolder folder_;
  const fs::path root_ = folder_.path();
};

TEST_F(CredentialSource, IsWhatTheUnitAndItsDropInsName) {
  EXPECT_EQ(source("key"), "");
  write("usr/lib/systemd/system/srs-relay.service",
        "[Service]\nLoadCredential=key:/one\n# LoadCredential=key:/no\n");
  EXPECT_EQ(source("key"), "/one");
  write("etc/systemd/system/srs-relay.service.d/10.conf",
        "[Service]\nLoadCredential = \\\n ; of the certificate\n key:/two\n"
        "LoadCredentialEncrypted=srs:/three\nLoadCredential=pipe:%t/x\n");
  EXPECT_EQ(source("key"), "/two");
  EXPECT_EQ(source("srs"), "/three");
  EXPECT_EQ(source("pipe"), "");
  EXPECT_EQ(source("other"), "");
  write("etc/systemd/system/srs-relay.service.d/20.conf", "[Service]\nLoadCredential=\n");
  EXPECT_EQ(source("key"), "");
  EXPECT_EQ(source("srs"), "/three") << "another list";
}

TEST_F(CredentialSource, MayBeInAFolderOrInAStore) {
  write("live/privkey.pem", "x");
  write("etc/credstore/srs", "x");
  write("usr/lib/systemd/system/srs-relay.service",
        "[Service]\nLoadCredential=tls:" + (root_ / "live").string() +
            "\nLoadCredential=srs\nLoadCredential=none:missing\n");
  EXPECT_EQ(source("tls_privkey.pem"), root_ / "live/privkey.pem");
  EXPECT_EQ(source("srs"), root_ / "etc/credstore/srs");
  EXPECT_EQ(source("none"), "");
}

}  // namespace
}  // namespace relay::app
