#include "relay/app/service_user.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace relay::app {

namespace {

constexpr const char* kUserOfTheUnit = "srs-relay";
constexpr std::size_t kLongestEntry = 16'384;

/// Looks up the groups by name, before a thread takes over the user's rights.
ServiceUser user_of(const passwd& entry) {
  ServiceUser user{.name = entry.pw_name, .uid = entry.pw_uid, .gid = entry.pw_gid, .groups = {}};
  int count = 64;
  user.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &count) < 0) count = 0;
  user.groups.resize(static_cast<std::size_t>(count));
  return user;
}

/// Changes the calling thread only; the functions of the C library would change all threads.
bool become(const ServiceUser& user) {
  return ::syscall(SYS_setgroups, user.groups.size(), user.groups.data()) == 0 &&
         ::syscall(SYS_setresgid, user.gid, user.gid, user.gid) == 0 &&
         ::syscall(SYS_setresuid, user.uid, user.uid, user.uid) == 0;
}

int error_of_reading(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

}  // namespace

std::optional<ServiceUser> service_user(const std::string& queue_path) {
  std::array<char, kLongestEntry> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  struct stat info{};
  const auto folder = std::filesystem::path(queue_path).parent_path();
  if (::stat(folder.empty() ? "." : folder.c_str(), &info) == 0) {
    if (info.st_uid == 0) return std::nullopt;
    ::getpwuid_r(info.st_uid, &entry, buffer.data(), buffer.size(), &found);
    if (found != nullptr) return user_of(*found);
    return ServiceUser{.name = "user " + std::to_string(info.st_uid),
                       .uid = info.st_uid,
                       .gid = info.st_gid,
                       .groups = {}};
  }
  ::getpwnam_r(kUserOfTheUnit, &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? std::optional(user_of(*found)) : std::nullopt;
}

std::vector<int> errors_of_reading(const ServiceUser& user, const std::vector<std::string>& paths) {
  std::vector<int> errors;
  if (::geteuid() != 0) return errors;
  std::jthread([&] {
    if (!become(user)) return;
    for (const std::string& path : paths) errors.push_back(error_of_reading(path));
  }).join();
  return errors;
}

}  // namespace relay::app
