#include "relay/app/sandbox.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace relay::app {

namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

constexpr std::uint32_t kDeny = SCMP_ACT_ERRNO(EPERM);

constexpr std::array kForbidden = {
    // other programs and other processes
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(kcmp), SCMP_SYS(pidfd_getfd),
    // who we are
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
    SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(capset), SCMP_SYS(personality),
    // where we are
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(setns),
    SCMP_SYS(unshare), SCMP_SYS(open_by_handle_at), SCMP_SYS(move_mount), SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    // the kernel
    SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
    SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(mknod), SCMP_SYS(mknodat),
    // the machine
    SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(quotactl),
    SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime),
    SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(syslog), SCMP_SYS(iopl),
    SCMP_SYS(ioperm)};

int add_rules(scmp_filter_ctx filter) {
  int failed = 0;
  for (const int call : kForbidden) failed |= seccomp_rule_add(filter, kDeny, call, 0);
  // Threads yes, processes no. clone3 hides its flags from filters: the C library falls back.
  failed |= seccomp_rule_add(filter, kDeny, SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
  failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  // No memory becomes code.
  failed |= seccomp_rule_add(filter, kDeny, SCMP_SYS(mprotect), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
  failed |=
      seccomp_rule_add(filter, kDeny, SCMP_SYS(mmap), 1,
                       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC | PROT_WRITE));
  // The internet, Unix sockets and netlink (which addresses are ours); no raw packets or the like.
  failed |=
      seccomp_rule_add(filter, kDeny, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0));
  return failed;
}

}  // namespace

std::expected<void, std::string> enter_sandbox() {
  if (kSanitized) return {};
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW), &seccomp_release);
  if (!filter) return std::unexpected("sandbox: no memory");
  if (add_rules(filter.get()) != 0) return std::unexpected("sandbox: a rule is not known here");
  if (const int error = seccomp_load(filter.get()); error != 0) {
    return std::unexpected(std::string("sandbox: ") + std::strerror(-error));
  }
  // Without the filter this would fail, too, but with another error.
  errno = 0;
  const long result = ::syscall(SYS_execve, "/", nullptr, nullptr);
  if (result != -1 || errno != EPERM) {
    return std::unexpected("sandbox: a forbidden system call was not denied");
  }
  return {};
}

}  // namespace relay::app
