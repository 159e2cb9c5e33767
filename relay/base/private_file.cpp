#include "relay/base/private_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace relay::base {

namespace {

/// Closes the descriptor, keeps errno, and returns `good`.
bool closed_after(int descriptor, bool good) {
  const int error = errno;
  ::close(descriptor);
  errno = error;
  return good;
}

}  // namespace

bool write_private_file(const std::string& path, std::string_view content, IfThere if_there) {
  const int unless_there = if_there == IfThere::Fail ? O_EXCL : O_TRUNC;
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | unless_there, 0600);
  if (descriptor < 0) return false;
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return closed_after(descriptor, false);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return closed_after(descriptor, ::fsync(descriptor) == 0);
}

std::filesystem::path folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? std::filesystem::path(".") : folder;
}

bool sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return descriptor >= 0 && closed_after(descriptor, ::fsync(descriptor) == 0);
}

}  // namespace relay::base
