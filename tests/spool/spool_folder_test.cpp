// The check of a queue's folder beforehand gives the same error as opening it, and creates nothing.
#include "relay/spool/spool_folder.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/spool/queue_folder.hpp"

namespace relay::spool {
namespace {

namespace fs = std::filesystem;

TEST(SpoolFolder, CanBeJudgedWithoutBeingMade) {
  const fs::path root = queue_folder("folder");
  fs::create_directories(root / "open");
  fs::create_directories(root / "good" / "folder.db");
  ::chmod((root / "good").c_str(), 0700);
  ::chmod((root / "open").c_str(), 0770);
  std::ofstream(root / "file") << "x";
  fs::create_symlink(root / "file", root / "good" / "link.db");
  EXPECT_TRUE(look_at_queue((root / "new" / "queue.db").string(), false));
  EXPECT_FALSE(fs::exists(root / "new"));
  for (const char* path : {"new/queue.db", "good/queue.db", "good/folder.db", "good/link.db",
                           "open/queue.db", "none/such/queue.db", "file/queue.db", "good/"}) {
    const std::string whole = (root / path).string();
    const auto judged = look_at_queue(whole, false);
    const auto made = prepare_folder(whole, false);
    EXPECT_EQ(judged.has_value(), made.has_value())
        << path << ' ' << (judged ? "" : judged.error()) << (made ? "" : made.error());
  }
  fs::remove_all(root);
}

}  // namespace
}  // namespace relay::spool
