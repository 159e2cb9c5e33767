#include "relay/base/log_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace relay::base {

namespace {

constexpr mode_t kMode = S_IRUSR | S_IWUSR | S_IRGRP;
constexpr int kLookMs = 50;  ///< interval at which WriteProgress is looked at

bool is_journal(const struct stat& info) {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  if (stream == nullptr) return false;
  std::array<char, 64> ours{};  // without allocating: memory may be what we are telling of
  char* const end = fmt::format_to(ours.data(), "{}:{}", info.st_dev, info.st_ino);
  return std::string_view(ours.data(), end) == stream;
}

}  // namespace

std::expected<LogFile, std::string> LogFile::open(const std::string& path) {
  if (path.empty()) return of_stderr();
  std::error_code ignored;
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  // Without O_NONBLOCK, opening a FIFO waits for its reader.
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  int descriptor = ::open(path.c_str(), kFlags | O_EXCL, kMode);
  // The umask of a service protects its queue, but the group of the log file must be able to read
  // it.
  if (descriptor >= 0) ::fchmod(descriptor, kMode);
  if (descriptor < 0 && errno == EEXIST) descriptor = ::open(path.c_str(), kFlags, kMode);
  if (descriptor >= 0) return LogFile(descriptor, true);
  return std::unexpected("cannot open log file " + path + ": " +
                         (errno == ENXIO ? "nobody reads it" : std::strerror(errno)));
}

LogFile::LogFile(int descriptor, bool owned) : descriptor_(descriptor), owned_(owned) {
  struct stat info{};
  if (::fstat(descriptor, &info) != 0) return;
  if (S_ISSOCK(info.st_mode)) {
    kind_ = Kind::Socket;
  } else if (!S_ISREG(info.st_mode)) {
    kind_ = Kind::Stream;
  }
  wants_priority_ = !owned && is_journal(info);
}

LogFile::LogFile(LogFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      owned_(std::exchange(other.owned_, false)),
      kind_(other.kind_),
      wants_priority_(other.wants_priority_),
      is_torn_(other.is_torn_) {}

LogFile& LogFile::operator=(LogFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(owned_, other.owned_);
  std::swap(kind_, other.kind_);
  std::swap(wants_priority_, other.wants_priority_);
  std::swap(is_torn_, other.is_torn_);
  return *this;
}

LogFile::~LogFile() {
  if (owned_) ::close(descriptor_);
}

bool LogFile::wait_for_room(WriteProgress& progress) const {
  pollfd room{.fd = descriptor_, .events = POLLOUT, .revents = 0};
  int ready = ::poll(&room, 1, kLookMs);
  while ((ready == 0 || (ready < 0 && errno == EINTR)) && !progress.gives_up) {
    if (ready == 0) progress.waited_ms += kLookMs;
    ready = ::poll(&room, 1, kLookMs);
  }
  progress.waited_ms = 0;
  return ready > 0;  // if there is an error, writing will report it
}

std::size_t LogFile::write(std::string_view lines, WriteProgress& progress) {
  std::size_t out = 0;
  bool ends_torn_line = is_torn_;
  while (!lines.empty()) {
    // A regular file never blocks. Others are written only as much as fits without waiting, once
    // poll() has reported room.
    if (kind_ != Kind::File && !wait_for_room(progress)) break;
    std::string_view piece = lines;
    if (kind_ == Kind::Stream) piece = piece.substr(0, PIPE_BUF);
    if (ends_torn_line) piece = "\n";
    const ssize_t sent = kind_ == Kind::Socket ? ::send(descriptor_, piece.data(), piece.size(),
                                                        MSG_DONTWAIT | MSG_NOSIGNAL)
                                               : ::write(descriptor_, piece.data(), piece.size());
    if (sent < 0 && (errno == EINTR || (errno == EAGAIN && !progress.gives_up))) continue;
    if (sent <= 0) break;
    is_torn_ = piece[static_cast<std::size_t>(sent) - 1] != '\n';
    if (std::exchange(ends_torn_line, false)) continue;
    const auto done = lines.substr(0, static_cast<std::size_t>(sent));
    out += static_cast<std::size_t>(std::ranges::count(done, '\n'));
    lines.remove_prefix(done.size());
  }
  return out;
}

}  // namespace relay::base
