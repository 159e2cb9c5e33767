#include "relay/settings/files.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace relay::settings {

namespace {

std::unexpected<FileError> failed(const std::string& path) {
  return std::unexpected(
      FileError{ProblemCode::File, fmt::format("cannot read {}: {}", path, std::strerror(errno))});
}

std::expected<std::string, FileError> read_open(int fd, const std::string& path) {
  std::string content;
  std::array<char, 65'536> buffer{};
  while (true) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n == 0) return content;
    if (n < 0) return failed(path);
    content.append(buffer.data(), static_cast<std::size_t>(n));
    if (content.size() > kMaxConfigOctets) {
      return std::unexpected(FileError{ProblemCode::File, path + " is too large"});
    }
  }
}

std::expected<std::string, FileError> read_checked(const std::string& path, mode_t forbidden) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return failed(path);
  struct stat info{};
  std::expected<std::string, FileError> result;
  if (::fstat(fd, &info) != 0) {
    result = failed(path);
  } else if (!S_ISREG(info.st_mode)) {
    result = std::unexpected(FileError{ProblemCode::File, path + " is not a regular file"});
  } else if ((info.st_mode & forbidden) != 0) {
    result = std::unexpected(
        FileError{ProblemCode::Permissions,
                  fmt::format("{} has mode {:04o}: others can read or change it; chmod 0600", path,
                              info.st_mode & 07777U)});
  } else {
    result = read_open(fd, path);
  }
  ::close(fd);
  return result;
}

}  // namespace

std::expected<std::string, FileError> read_file(const std::string& path) {
  return read_checked(path, 0);
}

std::expected<std::string, FileError> read_secret_file(const std::string& path) {
  return read_checked(path, S_IRWXO | S_IWGRP | S_IXGRP);
}

std::string relative_to(const std::string& path, const std::string& base_file) {
  const std::filesystem::path wanted(path);
  if (wanted.is_absolute()) return path;
  return (std::filesystem::path(base_file).parent_path() / wanted).string();
}

}  // namespace relay::settings
