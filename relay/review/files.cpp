// Checks of files: who else can replace the files that the configuration names, and whether the
// service can read them.
#include <filesystem>
#include <set>

#include <fmt/format.h>
#include <sys/stat.h>

#include "relay/review/review.hpp"

namespace relay::review {

namespace {

namespace fs = std::filesystem;

/// Whoever can write to a folder can replace a file in it, whatever the mode of the file; in a
/// sticky folder such as /tmp only the file's owner can.
bool is_open_to_others(const fs::path& folder, mode_t& mode) {
  struct stat info{};
  if (::stat(folder.c_str(), &info) != 0) return false;
  mode = info.st_mode & 07777U;
  return (mode & S_IWOTH) != 0 && (mode & S_ISVTX) == 0;
}

class Folders {
 public:
  explicit Folders(Doubts& doubts) : doubts_(doubts) {}

  /// Checks the folders above the file as named, and above the file that links lead to.
  void look_at(const std::string& file, const settings::Place& at) {
    if (file.empty()) return;
    std::error_code ignored;
    look_up_from(fs::absolute(file, ignored).lexically_normal(), at);
    look_up_from(fs::canonical(file, ignored), at);
  }

 private:
  void look_up_from(const fs::path& file, const settings::Place& at) {
    for (fs::path folder = file.parent_path(); !folder.empty(); folder = folder.parent_path()) {
      if (!seen_.insert(folder.string()).second) return;
      mode_t mode = 0;
      if (is_open_to_others(folder, mode)) {
        doubts_.add(at,
                    fmt::format("{} has mode {:04o}: others can put a file in the place of {}",
                                folder.string(), mode, file.string()),
                    "chmod o-w " + folder.string());
      }
      if (folder == folder.root_path()) return;
    }
  }

  Doubts& doubts_;
  std::set<std::string> seen_;
};

}  // namespace

void folders_others_can_write_to(const Subject& subject, Doubts& doubts) {
  Folders folders(doubts);
  for (const settings::NamedFile& file : subject.settings.named_files) {
    folders.look_at(file.path, file.at);
  }
  folders.look_at(subject.settings.log.file, {});
  folders.look_at(subject.settings.control.socket, {});
  folders.look_at(subject.settings.queue.path, {});
}

void files_of_the_service(const Subject& subject, Doubts& doubts) {
  for (const Unreadable& one : subject.unreadable) {
    doubts.add(one.file.at,
               fmt::format("{}, whom the service runs as, cannot read {}: {}", one.user,
                           one.file.path, one.why),
               "make it theirs, or give it as a credential of the unit");
  }
}

}  // namespace relay::review
