// Reading the files a configuration names, with the rights it demands of secrets.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "relay/base/secret.hpp"
#include "relay/settings/problem.hpp"

namespace relay::settings {

struct FileError {
  ProblemCode code = ProblemCode::File;
  std::string text;
};

inline constexpr std::size_t kMaxConfigOctets = 64ULL << 20;

/// The whole of a regular file, at most kMaxConfigOctets.
std::expected<std::string, FileError> read_file(const std::string& path);

/// As read_file, for key material: nobody but owner and group may read it, nobody but the owner
/// may write it.
std::expected<base::Secret, FileError> read_secret_file(const std::string& path);

/// `text` behind the byte order mark that some editors put in front of UTF-8.
std::string_view without_mark(std::string_view text);

/// `path` as seen from the folder of `base_file`.
std::string relative_to(const std::string& path, const std::string& base_file);

}  // namespace relay::settings
