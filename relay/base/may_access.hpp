// Asks whether this process could open a file or change a folder, without doing it.
#pragma once

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace relay::base {

/// `mode`: R_OK, W_OK or X_OK, or several of them. False: errno says why. EPERM counts as true: it
/// comes from a system call filter that forbids this question, not the access.
inline bool may_access(const char* path, int mode) {
  return ::faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 || errno == EPERM;
}

}  // namespace relay::base
