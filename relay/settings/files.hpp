// Reads the files that a configuration names, and checks their permissions.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "relay/base/secret.hpp"

namespace relay::settings {

enum class ProblemCode : std::uint16_t;  // problem_code.hpp

struct FileError {
  ProblemCode code{};
  std::string text;
};

inline constexpr std::size_t kMaxConfigOctets = 64ULL << 20;

/// The content of a regular file of at most kMaxConfigOctets that is not writable for everybody.
std::expected<std::string, FileError> read_file(const std::string& path);

/// As read_file(), for key material: only owner and group may read it, only the owner may write it.
std::expected<base::Secret, FileError> read_secret_file(const std::string& path);

/// `text` without the byte order mark that some editors put in front of UTF-8.
std::string_view without_mark(std::string_view text);

/// `path`, relative to the folder of `base_file` unless it is absolute.
std::string relative_to(const std::string& path, const std::string& base_file);

/// A line of a text file without its comment, which begins the line or follows a blank: an address
/// may contain "#".
std::string_view without_comment(std::string_view line);

/// A digest of the records of a zone file, whatever their order. Comments do not count: programs
/// that maintain a trust anchor write into them when they last looked.
std::string hash_of_records(const std::string& text);

}  // namespace relay::settings
