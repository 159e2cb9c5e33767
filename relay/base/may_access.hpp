// Whether this process could open a file or change a folder, without doing it.
#pragma once

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace relay::base {

/// `mode` of R_OK, W_OK, X_OK. False: with errno. A filter that forbids to ask (EPERM) forbids
/// nothing else.
inline bool may_access(const char* path, int mode) {
  return ::faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 || errno == EPERM;
}

}  // namespace relay::base
