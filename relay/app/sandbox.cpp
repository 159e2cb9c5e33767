#include "relay/app/sandbox.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <openssl/crypto.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "relay/app/sanitized.hpp"

namespace relay::app {

namespace {

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

constexpr std::uint32_t kDeny = SCMP_ACT_ERRNO(EPERM);

constexpr std::array kForbidden = {
    // other programs and other processes
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(kcmp), SCMP_SYS(pidfd_getfd),
    // user and privileges
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
    SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid),
    SCMP_SYS(capset), SCMP_SYS(personality),
    // namespaces and mounts
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(setns),
    SCMP_SYS(unshare), SCMP_SYS(open_by_handle_at), SCMP_SYS(move_mount), SCMP_SYS(open_tree),
    SCMP_SYS(fsopen), SCMP_SYS(fsmount), SCMP_SYS(fsconfig), SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    // the kernel
    SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
    SCMP_SYS(memfd_create), SCMP_SYS(memfd_secret), SCMP_SYS(keyctl), SCMP_SYS(add_key),
    SCMP_SYS(request_key), SCMP_SYS(mknod), SCMP_SYS(mknodat),
    // the host
    SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(quotactl),
    SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime),
    SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(syslog), SCMP_SYS(iopl),
    SCMP_SYS(ioperm)};

/// Denies making memory executable, and mapping any file as executable, since its content could
/// have been written by an attacker. All libraries are loaded before (load_libraries()).
int deny_new_code(scmp_filter_ctx filter) {
  int failed = 0;
  for (const int call : {SCMP_SYS(mprotect), SCMP_SYS(pkey_mprotect), SCMP_SYS(mmap)}) {
    failed |=
        seccomp_rule_add(filter, kDeny, call, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
  }
  failed |= seccomp_rule_add(filter, kDeny, SCMP_SYS(shmat), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, SHM_EXEC, SHM_EXEC));
  return failed;
}

/// Allows sockets of IPv4, IPv6, Unix and netlink (to list our addresses) only, and no raw packets,
/// whatever capabilities a container gives its root.
int deny_other_sockets(scmp_filter_ctx filter) {
  int failed =
      seccomp_rule_add(filter, kDeny, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0));
  for (int family = AF_UNSPEC; family < AF_NETLINK; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6) continue;
    failed |= seccomp_rule_add(filter, kDeny, SCMP_SYS(socket), 1,
                               SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family), 0));
  }
  constexpr scmp_datum_t kKindOfSocket = 0xF;  // the bits above are SOCK_CLOEXEC and SOCK_NONBLOCK
  for (const int family : {AF_INET, AF_INET6}) {
    for (const int kind : {SOCK_RAW, SOCK_PACKET}) {
      failed |= seccomp_rule_add(
          filter, kDeny, SCMP_SYS(socket), 2,
          SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family), 0),
          SCMP_A1(SCMP_CMP_MASKED_EQ, kKindOfSocket, static_cast<scmp_datum_t>(kind)));
    }
  }
  return failed;
}

/// Loads libraries that are otherwise loaded on first use, which the filter would deny.
void load_libraries() {
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  ::getpwuid(::getuid());
}

int add_rules(scmp_filter_ctx filter) {
  int failed = 0;
  for (const int call : kForbidden) failed |= seccomp_rule_add(filter, kDeny, call, 0);
  // Allow threads, deny processes. Filters cannot see the flags of clone3; the C library falls back
  // to clone.
  failed |= seccomp_rule_add(filter, kDeny, SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
  failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  failed |= deny_new_code(filter);
  failed |= deny_other_sockets(filter);
  return failed;
}

}  // namespace

std::expected<void, std::string> enter_sandbox() {
  if (kSanitized) return {};
  load_libraries();
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW), &seccomp_release);
  if (!filter) return std::unexpected("sandbox: no memory");
  if (add_rules(filter.get()) != 0) return std::unexpected("sandbox: a rule is not known here");
  if (const int error = seccomp_load(filter.get()); error != 0) {
    return std::unexpected(std::string("sandbox: ") + std::strerror(-error));
  }
  // Without the filter execve() would fail as well, but with another error.
  errno = 0;
  const long result = ::syscall(SYS_execve, "/", nullptr, nullptr);
  if (result != -1 || errno != EPERM) {
    return std::unexpected("sandbox: a forbidden system call was not denied");
  }
  return {};
}

}  // namespace relay::app
