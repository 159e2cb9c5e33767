// Tells whether a file is still the one that was read.
#pragma once

#include <cstdint>
#include <string>

#include <sys/types.h>

#include "relay/base/source_place.hpp"

namespace relay::settings {

/// What stat() says about a file, or the error why it says nothing.
struct FileStamp {
  int error = 0;
  dev_t device = 0;
  ino_t node = 0;
  off_t size = 0;
  std::int64_t written_ns = 0;
  std::int64_t changed_ns = 0;

  static FileStamp of(const std::string& path);
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// A file that the configuration names, and where it is named.
struct NamedFile {
  std::string path;
  base::SourcePlace at;
  FileStamp stamp = {};  ///< taken just before it was read
};

}  // namespace relay::settings
