#include "relay/settings/file_stamp.hpp"

#include <cerrno>

#include <sys/stat.h>

namespace relay::settings {

namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileStamp FileStamp::of(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return {.error = errno};
  return {.device = info.st_dev,
          .node = info.st_ino,
          .size = info.st_size,
          .written_ns = nanoseconds(info.st_mtim),
          .changed_ns = nanoseconds(info.st_ctim)};
}

}  // namespace relay::settings
