#include "relay/spool/spool_folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <ranges>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "relay/base/may_access.hpp"
#include "relay/base/private_file.hpp"
#include "relay/spool/schema.hpp"

namespace relay::spool {

namespace {

constexpr off_t kReserveOctets = 8 << 20;
// NFS, SMB, CIFS, SMB2, Ceph, AFS, 9p (statfs(2)).
constexpr std::array<std::uint32_t, 7> kNetworkFileSystems = {
    0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x00C36400, 0x5346414F, 0x01021997};

std::string failure(const std::string& what, const std::string& path) {
  return what + ' ' + path + ": " + std::strerror(errno);
}

std::string reserve_of(const std::string& path) { return path + ".reserve"; }

/// Whether an existing folder is safe for a queue.
std::expected<void, std::string> trusted(const std::filesystem::path& folder, bool allow_network) {
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
  return {};
}

/// The first page of a database begins with this text; at 60 it has the schema version, with the
/// highest octet first (SQLite's "Database File Format", section 1.3).
constexpr std::string_view kDatabase("SQLite format 3\0", 16);
constexpr std::size_t kVersionAt = 60;

/// Where a write-ahead log was left, its pages count, and the file may be half-written: SQLite will
/// mend it when it opens the queue.
std::expected<void, std::string> look_at_header(const std::string& path) {
  struct stat log{};
  if (::stat((path + "-wal").c_str(), &log) == 0 && log.st_size > 0) return {};
  std::array<unsigned char, kVersionAt + 4> header{};
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return std::unexpected(failure("cannot open", path));
  const ssize_t octets = ::read(fd, header.data(), header.size());
  ::close(fd);
  if (octets == 0) return {};  // made, and never written to
  const auto same = [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; };
  if (octets != std::ssize(header) ||
      !std::ranges::equal(kDatabase, header | std::views::take(16), same)) {
    return std::unexpected("cannot open " + path + ": file is not a database");
  }
  std::uint32_t version = 0;
  for (std::size_t i = kVersionAt; i < header.size(); ++i) version = version << 8U | header.at(i);
  if (const auto why = objection_to(static_cast<int>(version))) {
    return std::unexpected("cannot open " + path + ": " + *why);
  }
  return {};
}

}  // namespace

std::expected<void, std::string> look_at_queue(const std::string& path, bool allow_network) {
  const auto folder = base::folder_of(path);
  if (path.ends_with('/')) return std::unexpected("cannot open " + path + ": it is a folder");
  struct stat info{};
  if (::stat(folder.c_str(), &info) != 0) {
    const bool can_be_made =
        errno == ENOENT && base::may_access(base::folder_of(folder.string()).c_str(), W_OK | X_OK);
    if (can_be_made) return {};
    return std::unexpected(failure("cannot make", folder));
  }
  if (auto good = trusted(folder, allow_network); !good) return good;
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT && base::may_access(folder.c_str(), W_OK | X_OK)) return {};
    return std::unexpected(failure("cannot open", path));
  }
  if (!S_ISREG(info.st_mode))
    return std::unexpected("cannot open " + path + ": not a regular file");
  if (!base::may_access(path.c_str(), R_OK | W_OK))
    return std::unexpected(failure("cannot open", path));
  return look_at_header(path);
}

std::expected<void, std::string> make_folder(const std::string& path, bool allow_network) {
  const auto folder = base::folder_of(path);
  if (::mkdir(folder.c_str(), 0700) == 0) {
    if (!base::sync_folder(base::folder_of(folder.string()))) {
      return std::unexpected(failure("cannot sync the folder above", folder));
    }
  } else if (errno != EEXIST) {
    return std::unexpected(failure("cannot make", folder));
  }
  return trusted(folder, allow_network);
}

std::expected<void, std::string> prepare_folder(const std::string& path, bool allow_network) {
  const auto folder = base::folder_of(path);
  if (auto made = make_folder(path, allow_network); !made) return made;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return std::unexpected(failure("cannot open", path));
  ::close(fd);
  if (!base::sync_folder(folder)) return std::unexpected(failure("cannot sync", folder));
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
  if (::statvfs(base::folder_of(path).c_str(), &space) != 0) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return std::uint64_t{space.f_bavail} * space.f_frsize;
}

}  // namespace relay::spool
