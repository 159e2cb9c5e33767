#include "relay/spool/spool_folder.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace relay::spool {

namespace {

constexpr off_t kReserveOctets = 8 << 20;
// NFS, SMB, CIFS, SMB2, Ceph, AFS, 9p (statfs(2)).
constexpr std::array<std::uint32_t, 7> kNetworkFileSystems = {
    0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x00C36400, 0x5346414F, 0x01021997};

std::string failure(const std::string& what, const std::string& path) {
  return what + ' ' + path + ": " + std::strerror(errno);
}

std::filesystem::path folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? std::filesystem::path(".") : folder;
}

bool sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  return synced;
}

std::string reserve_of(const std::string& path) { return path + ".reserve"; }

}  // namespace

std::expected<void, std::string> prepare_folder(const std::string& path, bool allow_network) {
  const auto folder = folder_of(path);
  if (::mkdir(folder.c_str(), 0700) == 0) {
    if (!sync_folder(folder_of(folder.string()))) {
      return std::unexpected(failure("cannot sync the folder above", folder));
    }
  } else if (errno != EEXIST) {
    return std::unexpected(failure("cannot make", folder));
  }
  struct stat info{};
  if (::stat(folder.c_str(), &info) != 0) {
    return std::unexpected(failure("cannot look at", folder));
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return std::unexpected(folder.string() + " can be written to by others: chmod 0700");
  }
  struct statfs system{};
  if (::statfs(folder.c_str(), &system) != 0) {
    return std::unexpected(failure("cannot look at", folder));
  }
  for (const std::uint32_t magic : kNetworkFileSystems) {
    if (!allow_network && static_cast<std::uint32_t>(system.f_type) == magic) {
      return std::unexpected(folder.string() +
                             " is on a network file system: its locks and syncs "
                             "cannot be relied on");
    }
  }
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return std::unexpected(failure("cannot open", path));
  ::close(fd);
  if (!sync_folder(folder)) return std::unexpected(failure("cannot sync", folder));
  return {};
}

void make_reserve(const std::string& path) {
  const int fd = ::open(reserve_of(path).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (::posix_fallocate(fd, 0, kReserveOctets) != 0) ::unlink(reserve_of(path).c_str());
  ::close(fd);
}

void release_reserve(const std::string& path) { ::unlink(reserve_of(path).c_str()); }

std::uint64_t free_octets(const std::string& path) {
  struct statvfs space{};
  if (::statvfs(folder_of(path).c_str(), &space) != 0) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return std::uint64_t{space.f_bavail} * space.f_frsize;
}

}  // namespace relay::spool
