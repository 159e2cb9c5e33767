#include "relay/app/file_bounds.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "relay/app/sanitized.hpp"
#include "relay/base/private_file.hpp"
#include "relay/settings/file_stamp.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

namespace {

namespace fs = std::filesystem;

// For libraries, certificate authorities and users; for sockets and credentials of systemd.
constexpr std::array kAlwaysReadable = {"/etc", "/usr", "/run"};

// Missing in the headers of Debian 12; needs Landlock ABI 3
constexpr std::uint64_t kTruncate = 1ULL << 14U;
constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kRead = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWriteFile = LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr std::uint64_t kWrite = kWriteFile | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK;
// Rights that are denied everywhere.
constexpr std::uint64_t kNever = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                                 LANDLOCK_ACCESS_FS_MAKE_SYM;

std::string sandbox_error(const std::string& what) {
  return "sandbox: " + what + ": " + std::strerror(errno);
}

fs::path resolved(const fs::path& path) {
  std::error_code error;
  auto canonical = fs::weakly_canonical(fs::absolute(path, error), error);
  return error ? path : canonical;
}

bool is_below(const fs::path& file, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first ==
         folder.end();
}

bool is_below_one_of(const std::vector<fs::path>& places, const fs::path& file) {
  const fs::path whole = resolved(file);
  return std::ranges::any_of(places, [&](const fs::path& place) { return is_below(whole, place); });
}

/// The folder of the file, because a file is replaced by another one of the same name; the file
/// itself if it is directly below the root.
fs::path place_of(const fs::path& file) {
  const fs::path whole = resolved(file);
  return whole.parent_path() == whole.root_path() ? whole : whole.parent_path();
}

void add(std::vector<fs::path>& places, fs::path place) {
  if (std::ranges::find(places, place) == places.end()) places.push_back(std::move(place));
}

std::uint64_t known_to(int abi) {
  std::uint64_t rights = kRead | kWrite | kNever;
  if (kSanitized)
    rights &= ~std::uint64_t{LANDLOCK_ACCESS_FS_EXECUTE};  // sanitizers run a symbolizer
  if (abi >= 3) rights |= kTruncate;
  return rights;
}

/// A single file can be given fewer rights than a folder. False: the place does not exist
/// or may not be opened, so nothing is allowed there, even if it is made later.
std::expected<bool, std::string> allow(int rules, const fs::path& place, std::uint64_t rights) {
  const int at = ::open(place.c_str(), O_PATH | O_CLOEXEC);
  if (at < 0 && (errno == ENOENT || errno == EACCES || errno == ENOTDIR)) {
    return false;
  }
  if (at < 0) return std::unexpected(sandbox_error("cannot open " + place.string()));
  struct stat info{};
  const bool is_folder = ::fstat(at, &info) == 0 && S_ISDIR(info.st_mode);
  if (!is_folder) rights &= kReadFile | kWriteFile | kTruncate;
  const landlock_path_beneath_attr rule{.allowed_access = rights, .parent_fd = at};
  const long added = ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  const auto result = added == 0 ? std::expected<bool, std::string>(true)
                                 : std::unexpected(sandbox_error("cannot allow " + place.string()));
  ::close(at);
  return result;
}

/// Removes from `places` those that cannot be allowed.
std::expected<void, std::string> allow_all(int rules, std::vector<fs::path>& places,
                                           std::uint64_t rights) {
  std::vector<fs::path> allowed;
  for (fs::path& place : places) {
    const auto done = allow(rules, place, rights);
    if (!done) return std::unexpected(done.error());
    if (*done) allowed.push_back(std::move(place));
  }
  places = std::move(allowed);
  return {};
}

}  // namespace

bool FileBounds::may_read(const fs::path& file) const {
  return abi == 0 || is_below_one_of(readable, file) || is_below_one_of(writable, file);
}

bool FileBounds::may_write(const fs::path& file) const {
  return abi == 0 || is_below_one_of(writable, file);
}

FileBounds bounds_for(const settings::Settings& settings) {
  FileBounds bounds;
  for (const char* place : kAlwaysReadable) add(bounds.readable, place);
  for (const char* place : {"/dev/null", "/dev/random", "/dev/urandom"}) {
    add(bounds.readable, place);
  }
  if (kSanitized) add(bounds.readable, "/proc");
  for (const auto& file : settings.named_files) {
    // The folder of the name, and the folder that a link leads to.
    add(bounds.readable, resolved(base::folder_of(file.path)));
    add(bounds.readable, place_of(file.path));
  }
  // For files that match a pattern of `include` later.
  for (const auto& folder : settings.named_folders) add(bounds.readable, resolved(folder));
  // Credentials of systemd are below /run; those of other supervisors may be anywhere.
  if (const char* credentials = std::getenv("CREDENTIALS_DIRECTORY")) {
    add(bounds.readable, resolved(credentials));
  }
  std::erase(bounds.readable, fs::path("/"));
  const auto queue = base::folder_of(settings.queue.path);
  // If mkdir() fails, opening the queue reports why. After enter() the parent folder cannot be
  // opened.
  if (::mkdir(queue.c_str(), S_IRWXU) == 0) base::sync_folder(base::folder_of(queue.string()));
  add(bounds.writable, resolved(queue));
  add(bounds.writable, resolved(base::folder_of(settings.control.socket)));
  if (!settings.log.file.empty()) {
    std::error_code ignored;
    const auto folder = base::folder_of(settings.log.file);
    fs::create_directories(folder, ignored);
    add(bounds.writable, resolved(folder));
  }
  return bounds;
}

std::expected<void, std::string> enter(FileBounds& bounds) {
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return {};  // too old, disabled, or denied by our supervisor
  bounds.abi = static_cast<int>(abi);
  const landlock_ruleset_attr attributes{.handled_access_fs = known_to(bounds.abi)};
  const int rules =
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  if (rules < 0) return std::unexpected(sandbox_error("Landlock"));
  const std::uint64_t known = known_to(bounds.abi);
  auto done = allow_all(rules, bounds.readable, kRead & known);
  if (done) done = allow_all(rules, bounds.writable, (kRead | kWrite | kTruncate) & known);
  if (done && (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
               ::syscall(SYS_landlock_restrict_self, rules, 0) != 0)) {
    done = std::unexpected(sandbox_error("Landlock"));
  }
  ::close(rules);
  return done;
}

}  // namespace relay::app
