#include "relay/settings/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/base/sha256.hpp"
#include "relay/settings/problem_code.hpp"

namespace relay::settings {

namespace {

std::unexpected<FileError> failed(const std::string& path) {
  return std::unexpected(
      FileError{ProblemCode::File, fmt::format("cannot read {}: {}", path, std::strerror(errno))});
}

/// `expected`: the size of the file. The content may be a secret, so the buffer never grows, which
/// would leave a copy behind in memory.
std::expected<std::string, FileError> read_open(int fd, const std::string& path, off_t expected) {
  const auto too_large = [&path] {
    return std::unexpected(FileError{ProblemCode::File, path + " is too large"});
  };
  if (expected < 0 || static_cast<std::uint64_t>(expected) > kMaxConfigOctets) return too_large();
  std::string content(static_cast<std::size_t>(expected) + 1, '\0');
  std::size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t n = ::read(fd, content.data() + filled, content.size() - filled);
    if (n < 0) return failed(path);
    if (n == 0) {
      content.resize(filled);
      return content;
    }
    filled += static_cast<std::size_t>(n);
  }
  return std::unexpected(FileError{ProblemCode::File, path + " grows while it is read"});
}

/// Permissions that a file must not give to others, and advice when it does.
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
    result = read_open(fd, path, info.st_size);
  }
  ::close(fd);
  return result;
}

}  // namespace

std::expected<std::string, FileError> read_file(const std::string& path) {
  return read_checked(path, kPublic);
}

std::expected<base::Secret, FileError> read_secret_file(const std::string& path) {
  auto content = read_checked(path, kSecret);
  if (!content) return std::unexpected(std::move(content.error()));
  return base::Secret(std::move(*content));
}

std::string_view without_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

std::string relative_to(const std::string& path, const std::string& base_file) {
  const std::filesystem::path wanted(path);
  if (wanted.is_absolute()) return path;
  return (std::filesystem::path(base_file).parent_path() / wanted).string();
}

std::string hash_of_records(const std::string& text) {
  std::vector<std::string> records;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find(';')));
    std::string record;
    for (std::string word; words >> word;) record += word + ' ';
    if (!record.empty()) records.push_back(std::move(record));
  }
  std::ranges::sort(records);
  std::string all;
  for (const std::string& record : records) all += record + '\n';
  return base::sha256(all);
}

std::string_view without_comment(std::string_view line) {
  for (std::size_t at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1)) {
    if (at == 0 || std::string_view(" \t\r").contains(line[at - 1])) return line.substr(0, at);
  }
  return line;
}

}  // namespace relay::settings
