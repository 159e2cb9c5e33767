// An older queue becomes a new one whole or not at all, whichever operation fails (guarantee "An
// upgrade is whole or not at all").
#include <sys/wait.h>

#include "tests/fakes/fault_vfs.hpp"
#include "tests/spool/old_queues.hpp"

namespace relay::spool {
namespace {

// A fork of a sanitized process is dear: there some of the operations are tried, elsewhere all.
#if __has_feature(address_sanitizer)
constexpr std::uint64_t kDeathStep = 9;
#else
constexpr std::uint64_t kDeathStep = 1;
#endif

using fakes::DiskFault;

class MigrationFaults : public Migration {};

/// At whatever write or sync it fails: the file holds the old schema or the new one, whole, and the
/// next start goes on from there.
TEST_P(MigrationFaults, IsAllOrNothingAtWhateverOperationTheDiskFails) {
  for (const DiskFault fault :
       {DiskFault::Full, DiskFault::WriteError, DiskFault::SyncError, DiskFault::ShortWrite}) {
    bool reached = true;
    bool refused = false;
    for (std::uint64_t nth = 1; reached && nth < 200; ++nth) {
      write_old_queue();
      {
        fakes::FaultVfs disk;
        disk.arm(fault, nth);
        refused = !open() || refused;
        reached = disk.faults() > 0;
      }
      expect_whole();
      auto again = open();
      ASSERT_TRUE(again) << again.error() << " at " << nth;
      expect_live(*again->tables);
    }
    EXPECT_FALSE(reached) << "there are more operations than were tried";
    EXPECT_TRUE(refused) << "no fault was ever met";
  }
}

TEST_P(MigrationFaults, IsAllOrNothingAtWhateverOperationTheProcessDies) {
  int died = 0;
  bool reached = true;
  for (std::uint64_t nth = 1; reached && nth < 200; nth += kDeathStep) {
    write_old_queue();
    const pid_t child = ::fork();
    if (child == 0) {
      fakes::FaultVfs disk;
      disk.arm(DiskFault::Death, nth);
      ::_exit(open() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    reached = WEXITSTATUS(status) == fakes::kDied;
    died += reached ? 1 : 0;
    if (!reached) EXPECT_EQ(WEXITSTATUS(status), 0);
    auto again = open();
    ASSERT_TRUE(again) << again.error() << " at " << nth;
    expect_live(*again->tables);
  }
  EXPECT_FALSE(reached) << "there are more operations than were tried";
  EXPECT_GT(died, 3);
}

INSTANTIATE_TEST_SUITE_P(From, MigrationFaults, testing::Values(1, 7),
                         [](const auto& info) { return "Schema" + std::to_string(info.param); });

}  // namespace
}  // namespace relay::spool
