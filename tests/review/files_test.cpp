// Folders in which others can put another file in the place of ours.
#include "tests/review/review_fixture.hpp"

namespace relay::review {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace fs = std::filesystem;
using Files = Review;

TEST_F(Files, LieInFoldersThatOthersCannotWriteTo) {
  const std::string text = domain("\"info\" = \"me@mail.example\"\n");
  EXPECT_THAT(said("folder", text), IsEmpty());
  ::chmod((folder_ / "secrets").c_str(), 0777);
  EXPECT_THAT(said("folder", text),
              ElementsAre(testing::AllOf(
                  HasSubstr("relay.toml:6:8: warning[E050]: "),
                  HasSubstr("secrets has mode 0777: others can put a file in the place of "
                            "secrets/good"),
                  HasSubstr("chmod o-w "))));
  // As in /tmp, only the owner of a file can remove it.
  ::chmod((folder_ / "secrets").c_str(), 01777);
  EXPECT_THAT(said("folder", text), IsEmpty());
}

/// An unknown group may have any members; the user's own group is trusted.
TEST_F(Files, LieInFoldersThatNoOtherGroupCanWriteTo) {
  const std::string text = domain("\"info\" = \"me@mail.example\"\n");
  ::chmod((folder_ / "secrets").c_str(), 0770);
  EXPECT_THAT(said("folder", text), IsEmpty());
  constexpr gid_t kOfNobody = 54'321;
  if (::chown((folder_ / "secrets").c_str(), static_cast<uid_t>(-1), kOfNobody) != 0) {
    GTEST_SKIP() << "only root may give a folder to another group";
  }
  ::chmod((folder_ / "secrets").c_str(), 0770);
  EXPECT_THAT(said("folder", text), ElementsAre(testing::AllOf(
                                        HasSubstr("secrets has mode 0770: its group can put a file "
                                                  "in the place of secrets/good"),
                                        HasSubstr("chmod g-w "))));
}

/// A user who can replace the link controls the file.
TEST_F(Files, LieBehindLinksThatOthersCannotChange) {
  fs::create_directories(folder_ / "open");
  fs::create_symlink(folder_ / "secrets/good", folder_ / "open/good");
  ::chmod((folder_ / "open").c_str(), 0777);
  std::string text = domain("\"info\" = \"me@mail.example\"\n");
  text.replace(text.find("secrets/good"), 12, "open/good");
  EXPECT_THAT(said("folder", text), ElementsAre(HasSubstr("open has mode 0777")));
}

TEST_F(Files, ThatTheServiceCannotReadAreNamed) {
  unreadable_ = {{.path = "/etc/srs-relay/key.pem",
                  .at = {.file = 0, .line = 6, .column = 8},
                  .user = "srs-relay",
                  .why = "Permission denied"}};
  EXPECT_THAT(
      said("unreadable", domain("\"info\" = \"me@mail.example\"\n")),
      ElementsAre(HasSubstr("relay.toml:6:8: warning[E050]: srs-relay, whom the service runs "
                            "as, cannot read /etc/srs-relay/key.pem: Permission denied")));
}

}  // namespace
}  // namespace relay::review
