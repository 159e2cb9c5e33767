// Keys and certificates: one reader for all places that name one; and listeners without an address.
#include <cstdlib>

#include <gmock/gmock.h>

#include "tests/settings/loader_fixture.hpp"

namespace relay::settings {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kStart =
    "hostname = \"mx.example.org\"\n[defaults]\npostmaster = \"me@mail.example\"\n[[domain]]\n"
    "name = \"example.org\"\n[domain.alias]\n\"*\" = \"me@mail.example\"\n"
    "[srs]\ndomain = \"srs.example.org\"\n[[srs.secret]]\nid = \"a\"\nfile = \"secrets/good\"\n";

class KeyTexts : public LoaderFixture {
 protected:
  void SetUp() override {
    LoaderFixture::SetUp();
    write("credentials/key", "from the credential", 0600);
    write("key", "from the file", 0600);
    write("chain", "a chain", 0644);
    ::setenv("CREDENTIALS_DIRECTORY", (folder_ / "credentials").c_str(), 1);
    ::setenv("SOME_KEY", "from the environment", 1);
  }

  void TearDown() override {
    ::unsetenv("CREDENTIALS_DIRECTORY");
    ::unsetenv("SOME_KEY");
    LoaderFixture::TearDown();
  }
};

TEST_F(KeyTexts, OfDkimComeFromAllThree) {
  const auto loaded = load_text(kStart +
                                "[[dkim]]\ndomain = \"d.example\"\nkeys = [\n"
                                "{ selector = \"a\", file = \"key\" },\n"
                                "{ selector = \"b\", credential = \"key\" },\n"
                                "{ selector = \"c\", env = \"SOME_KEY\" }]\n");
  ASSERT_TRUE(loaded) << render(loaded.error().front());
  const auto& keys = loaded->settings->dkim.front().keys;
  EXPECT_EQ(keys[0].key.text.reveal(), "from the file");
  EXPECT_EQ(keys[1].key.text.reveal(), "from the credential");
  EXPECT_EQ(keys[2].key.text.reveal(), "from the environment");
  EXPECT_EQ(keys[0].key.file, (folder_ / "key").string());
  EXPECT_EQ(keys[2].key.file, "");
  EXPECT_EQ(keys[2].key.name, "$SOME_KEY");
}

TEST_F(KeyTexts, OfTlsComeFromAllThree) {
  const auto files = load_text(kStart + "[tls]\ncert = \"chain\"\nkey = \"key\"\n");
  ASSERT_TRUE(files) << render(files.error().front());
  EXPECT_EQ(files->settings->tls->key.text.reveal(), "from the file");
  EXPECT_EQ(files->settings->tls->key.credential, "");
  const auto others =
      load_text(kStart + "[tls]\ncert = { env = \"SOME_KEY\" }\nkey = { credential = \"key\" }\n");
  ASSERT_TRUE(others) << render(others.error().front());
  EXPECT_EQ(others->settings->tls->certificate.text.reveal(), "from the environment");
  EXPECT_EQ(others->settings->tls->key.text.reveal(), "from the credential");
  EXPECT_EQ(others->settings->tls->certificate.file, "");
  EXPECT_EQ(others->settings->tls->key.credential, "key");
}

TEST_F(KeyTexts, AreDemandedWithPlaceAndRights) {
  write("open", "x", 0644);
  const std::pair<const char*, const char*> cases[] = {
      {"[tls]\ncert = \"chain\"\n", "tls.key: TLS needs cert and key"},
      {"[tls]\ncert = \"chain\"\nkey = 7\n", "tls.key: expected a string"},
      {"[tls]\ncert = \"chain\"\nkey = \"open\"\n", "has mode 0644"},
      {"[tls]\ncert = \"chain\"\nkey = { file = \"key\", env = \"SOME_KEY\" }\n",
       "one of file, env or credential"},
      {"[tls]\ncert = \"chain\"\nkey = { fiel = \"key\" }\n", "unknown key `tls.key.fiel`"},
      {"[[dkim]]\ndomain = \"d.example\"\nkeys = [{ selector = \"a\" }]\n",
       "one of file, env or credential"},
      {"[[dkim]]\ndomain = \"d.example\"\nkeys = [{ selector = \"a\", env = \"NO_KEY\" }]\n",
       "the environment has no NO_KEY"},
      {"[[dkim]]\ndomain = \"d.example\"\nkeys = [{ selector = \"a\", credential = \"no\" }]\n",
       "No such file"},
  };
  for (const auto& [text, expected] : cases) {
    const auto problems = problems_of(kStart + text);
    ASSERT_FALSE(problems.empty()) << text;
    EXPECT_THAT(testing::PrintToString(problems), HasSubstr(expected)) << text;
    EXPECT_THAT(problems.front(), HasSubstr("relay.toml:1")) << text;
  }
}

TEST_F(KeyTexts, AListenerWithoutAddressIsOne) {
  const auto loaded = load_text("[[listener]]\npublic = \"192.0.2.1\"\n" + kStart);
  EXPECT_FALSE(loaded);  // [[listener]] stands before hostname, which is then in it
  const auto good = load_text(kStart + "[[listener]]\npublic = \"192.0.2.1\"\n");
  ASSERT_TRUE(good) << render(good.error().front());
  EXPECT_THAT(good->settings->listeners.front().addresses, IsEmpty());
  EXPECT_THAT(problems_of(kStart + "[[listener]]\n[[listener]]\n"),
              ElementsAre(HasSubstr("one [[listener]] without it stands for all sockets")));
  EXPECT_THAT(problems_of(kStart + "[[listener]]\naddress = []\n"),
              ElementsAre(HasSubstr("says where to listen")));
}

TEST_F(KeyTexts, FilesAreStampedBeforeTheyAreRead) {
  const auto loaded = load_text(kStart);
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->settings->named_files.size(), 2U);
  for (const NamedFile& file : loaded->settings->named_files) {
    EXPECT_EQ(FileStamp::of(file.path), file.stamp) << file.path;
  }
  write("secrets/good", "another one, of another length", 0600);
  EXPECT_FALSE(FileStamp::of((folder_ / "secrets/good").string()) ==
               loaded->settings->named_files.back().stamp);
}

}  // namespace
}  // namespace relay::settings
