#include "relay/settings/file_patterns.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <dirent.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include "relay/settings/problem_code.hpp"

namespace relay::settings {

namespace {

/// Where the hooks of glob() note what they could not read; they get no argument of ours.
thread_local std::vector<FileError>* failures = nullptr;

void note_failure(const char* path) {
  const int error_number = errno;
  if (error_number == ENOENT || error_number == ENOTDIR) return;
  FileError error{ProblemCode::File,
                  fmt::format("cannot read {}: {}", path, std::strerror(error_number))};
  const bool is_new = std::ranges::find(*failures, error.text, &FileError::text) == failures->end();
  if (is_new) failures->push_back(std::move(error));
  errno = error_number;  // glob() looks at it
}

void* open_folder(const char* path) {
  DIR* const folder = ::opendir(path);
  if (folder == nullptr) note_failure(path);
  return folder;
}

template <int (*look)(const char*, struct stat*)>
int look_at(const char* path, struct stat* info) {
  const int result = look(path, info);
  if (result != 0) note_failure(path);
  return result;
}

}  // namespace

bool has_wildcard(std::string_view pattern) {
  return pattern.find_first_of("*?[") != std::string_view::npos;
}

std::filesystem::path fixed_folder_of(const std::filesystem::path& pattern) {
  std::filesystem::path folder;
  for (const auto& name : pattern.parent_path()) {
    if (has_wildcard(name.string())) break;
    folder /= name;
  }
  return folder;
}

Matches files_matching(const std::string& pattern) {
  Matches found;
  failures = &found.errors;
  // With hooks, because glob() alone treats a folder or file that may not be read like one that
  // does not exist.
  glob_t matches{};
  matches.gl_opendir = open_folder;
  matches.gl_readdir = [](void* folder) { return ::readdir(static_cast<DIR*>(folder)); };
  matches.gl_closedir = [](void* folder) { ::closedir(static_cast<DIR*>(folder)); };
  matches.gl_lstat = look_at<::lstat>;
  matches.gl_stat = look_at<::stat>;
  const int result = ::glob(pattern.c_str(), GLOB_ALTDIRFUNC, nullptr, &matches);
  if (result == 0) {
    for (std::size_t i = 0; i < matches.gl_pathc; ++i)
      found.files.emplace_back(matches.gl_pathv[i]);
  } else if (result != GLOB_NOMATCH) {
    found.errors.push_back({ProblemCode::File, fmt::format("cannot read {}", pattern)});
  }
  ::globfree(&matches);
  failures = nullptr;
  std::ranges::sort(found.files);
  return found;
}

}  // namespace relay::settings
