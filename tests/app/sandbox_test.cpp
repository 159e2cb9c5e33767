#include "relay/app/sandbox.hpp"

#include <cerrno>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace relay::app {
namespace {

constexpr int kNoSandbox = 99;

/// A child in the sandbox runs `what`; its exit code is what() returns.
int in_sandbox(const std::function<int()>& what) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto entered = enter_sandbox();
    ::_exit(entered ? what() : kNoSandbox);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int error_of(long result) { return result < 0 ? errno : 0; }

bool sanitized() {
  return in_sandbox([] { return error_of(::syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0)); }) == 0;
}

class Sandbox : public testing::Test {
 protected:
  void SetUp() override {
    if (sanitized()) GTEST_SKIP() << "sanitizers need what the sandbox denies";
  }
};

TEST_F(Sandbox, DeniesOtherProgramsAndProcesses) {
  EXPECT_EQ(in_sandbox([] {
              const char* const words[] = {"/bin/true", nullptr};
              return error_of(::execv("/bin/true", const_cast<char* const*>(words)));
            }),
            EPERM);
  EXPECT_EQ(in_sandbox([] { return error_of(::fork()); }), EPERM);
  EXPECT_EQ(in_sandbox([] { return error_of(::syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0)); }),
            EPERM);
  EXPECT_EQ(in_sandbox([] { return error_of(::setuid(::getuid())); }), EPERM);
  EXPECT_EQ(in_sandbox([] { return error_of(::unshare(CLONE_NEWNS)); }), EPERM);
}

TEST_F(Sandbox, DeniesRawSocketsAndNewCode) {
  EXPECT_EQ(in_sandbox([] { return error_of(::socket(AF_PACKET, SOCK_RAW, 0)); }), EPERM);
  EXPECT_EQ(in_sandbox([] {
              void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return page == MAP_FAILED ? errno : 0;
            }),
            EPERM);
  EXPECT_EQ(in_sandbox([] {
              void* page =
                  ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return error_of(::mprotect(page, 4096, PROT_READ | PROT_EXEC));
            }),
            EPERM);
}

/// Each way in which data becomes code, or a packet is made by hand.
TEST_F(Sandbox, LeavesNoWayRoundThat) {
  EXPECT_EQ(in_sandbox([] {
              void* page =
                  ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return error_of(::syscall(SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_EXEC, -1));
            }),
            EPERM);
  EXPECT_EQ(in_sandbox([] { return error_of(::memfd_create("code", 0)); }), EPERM);
  EXPECT_EQ(in_sandbox([] {
              const int file = ::open("/bin/true", O_RDONLY | O_CLOEXEC);
              if (file < 0) return -errno;
              void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
              return page == MAP_FAILED ? errno : 0;
            }),
            EPERM)
      << "as what was written into a file of the queue";
  EXPECT_EQ(in_sandbox([] {
              const int memory = ::shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700);
              if (memory < 0) return 0;
              void* page = ::shmat(memory, nullptr, SHM_EXEC);
              const int error = page == reinterpret_cast<void*>(-1) ? errno : 0;
              ::shmctl(memory, IPC_RMID, nullptr);
              return error;
            }),
            EPERM);
  for (const int family : {AF_INET, AF_INET6}) {
    for (const int kind :
         {int{SOCK_RAW}, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, int{SOCK_PACKET}}) {
      EXPECT_EQ(in_sandbox([=] { return error_of(::socket(family, kind, IPPROTO_ICMP)); }), EPERM)
          << family << ' ' << kind;
    }
  }
  EXPECT_EQ(in_sandbox([] { return error_of(::socket(AF_KEY, SOCK_RAW, 2)); }), EPERM);
  EXPECT_EQ(in_sandbox([] { return error_of(::socket(AF_APPLETALK, SOCK_DGRAM, 0)); }), EPERM);
  EXPECT_EQ(in_sandbox([] { return error_of(::syscall(SYS_fsmount, -1, 0, 0)); }), EPERM);
  EXPECT_EQ(in_sandbox([] { return error_of(::syscall(SYS_mount_setattr, -1, "", 0, 0, 0)); }),
            EPERM);
}

TEST_F(Sandbox, LetsTheRelayDoItsWork) {
  EXPECT_EQ(in_sandbox([] {
              bool ran = false;
              std::thread([&ran] { ran = true; }).join();
              return ran ? 0 : 1;
            }),
            0);
  for (const int kind : {SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, SOCK_DGRAM | SOCK_CLOEXEC}) {
    EXPECT_EQ(in_sandbox([=] { return error_of(::socket(AF_INET6, kind, 0)); }), 0) << kind;
  }
  for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK}) {
    const int kind = family == AF_NETLINK ? SOCK_RAW : SOCK_STREAM;
    EXPECT_EQ(in_sandbox([=] { return error_of(::socket(family, kind, 0)); }), 0) << family;
  }
  EXPECT_EQ(in_sandbox([] { return std::ifstream("/proc/self/status").good() ? 0 : 1; }), 0);
}

}  // namespace
}  // namespace relay::app
