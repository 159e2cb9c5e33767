// Checks of files: who else can replace the files that the configuration names, and whether the
// service can read them.
#include <filesystem>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/review/review.hpp"
#include "relay/settings/file_stamp.hpp"
#include "relay/settings/settings.hpp"

namespace relay::review {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestEntry = 65'536;

/// Whether somebody besides root and `owner` is in the group: by name, because the users whose
/// first group it is cannot be listed. A group without an entry may have any members.
bool has_other_members(gid_t number, uid_t owner) {
  if (number == 0 || number == ::getegid()) return false;
  std::vector<char> buffer(kLongestEntry);
  std::vector<char> names(kLongestEntry);
  group entry{};
  group* found = nullptr;
  ::getgrgid_r(number, &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return true;
  const auto is_other = [&](const char* name) {
    passwd user{};
    passwd* known = nullptr;
    ::getpwnam_r(name, &user, names.data(), names.size(), &known);
    return known != nullptr && user.pw_uid != 0 && user.pw_uid != owner;
  };
  for (char** name = entry.gr_mem; *name != nullptr; ++name) {
    if (is_other(*name)) return true;
  }
  return false;
}

/// The bits of the mode by which others can write to the folder. They can then replace a file in
/// it, whatever the mode of the file; in a sticky folder such as /tmp only the file's owner can.
mode_t openings_of(const fs::path& folder, mode_t& mode) {
  struct stat info{};
  if (::stat(folder.c_str(), &info) != 0) return 0;
  mode = info.st_mode & 07777U;
  if ((mode & S_ISVTX) != 0) return 0;
  const bool of_group = (mode & S_IWGRP) != 0 && has_other_members(info.st_gid, info.st_uid);
  return (mode & S_IWOTH) | (of_group ? S_IWGRP : 0);
}

class Folders {
 public:
  explicit Folders(Doubts& doubts) : doubts_(doubts) {}

  /// Checks the folders above the file as named, and above the file that links lead to.
  void look_at(const std::string& file, const base::SourcePlace& at) {
    if (file.empty()) return;
    std::error_code ignored;
    look_up_from(fs::absolute(file, ignored).lexically_normal(), at);
    look_up_from(fs::canonical(file, ignored), at);
  }

 private:
  void look_up_from(const fs::path& file, const base::SourcePlace& at) {
    for (fs::path folder = file.parent_path(); !folder.empty(); folder = folder.parent_path()) {
      if (!seen_.insert(folder.string()).second) return;
      mode_t mode = 0;
      if (const mode_t openings = openings_of(folder, mode)) {
        const bool to_all = (openings & S_IWOTH) != 0;
        doubts_.add(
            at,
            fmt::format("{} has mode {:04o}: {} can put a file in the place of {}", folder.string(),
                        mode, to_all ? "others" : "its group", file.string()),
            fmt::format("chmod {}{}-w {}", (openings & S_IWGRP) != 0 ? "g" : "", to_all ? "o" : "",
                        folder.string()));
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
    doubts.add(one.at,
               fmt::format("{}, whom the service runs as, cannot read {}: {}", one.user, one.path,
                           one.why),
               "make it theirs, or give it as a credential of the unit");
  }
}

}  // namespace relay::review
