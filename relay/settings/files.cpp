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

/// What others must not be able to do, and what to do about it.
struct Modes {
  mode_t forbidden;
  const char* advice;
};

constexpr Modes kPublic{S_IWOTH, "others can change it; chmod o-w"};
constexpr Modes kSecret{S_IRWXO | S_IWGRP | S_IXGRP, "others can read or change it; chmod 0600"};

std::expected<std::string, FileError> read_checked(const std::string& path, const Modes& modes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return failed(path);
  struct stat info{};
  std::expected<std::string, FileError> result;
  if (::fstat(fd, &info) != 0) {
    result = failed(path);
  } else if (!S_ISREG(info.st_mode)) {
    result = std::unexpected(FileError{ProblemCode::File, path + " is not a regular file"});
  } else if ((info.st_mode & modes.forbidden) != 0) {
    result = std::unexpected(FileError{
        ProblemCode::Permissions,
        fmt::format("{} has mode {:04o}: {}", path, info.st_mode & 07777U, modes.advice)});
  } else {
    result = read_open(fd, path);
  }
  ::close(fd);
  return result;
}

}  // namespace

std::expected<std::string, FileError> read_file(const std::string& path) {
  return read_checked(path, kPublic);
}

std::expected<std::string, FileError> read_secret_file(const std::string& path) {
  return read_checked(path, kSecret);
}

std::string relative_to(const std::string& path, const std::string& base_file) {
  const std::filesystem::path wanted(path);
  if (wanted.is_absolute()) return path;
  return (std::filesystem::path(base_file).parent_path() / wanted).string();
}

}  // namespace relay::settings
