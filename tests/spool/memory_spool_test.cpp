// Features of the queue in memory beyond the contract of every queue.
#include "tests/fakes/memory_spool.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/spool/a_message.hpp"
#include "tests/support/run_task.hpp"

namespace relay::spool {
namespace {

using mail::RecipientState;
using ports::SpoolError;

class MemorySpoolTest : public testing::Test {
 protected:
  template <class T>
  T run(base::Task<T> task) {
    return support::run_task(io_, std::move(task));
  }

  fakes::FakeClock clock_{kNow};
  boost::asio::io_context io_;
  fakes::MemorySpool spool_{clock_};
};

TEST_F(MemorySpoolTest, LetsOthersRunBetweenAChangeAndItsAnswer) {
  std::size_t seen = 0;
  int reads = 0;
  spool_.before_answer([&]() -> base::Task<> {
    seen = spool_.messages();
    co_return;
  });
  spool_.before_read_answer([&]() -> base::Task<> {
    ++reads;
    co_return;
  });
  const auto made = a_message("x");
  ASSERT_TRUE(run(spool_.intake().commit(made)));
  EXPECT_EQ(seen, 1U) << "it is visible before who committed it goes on";
  EXPECT_EQ(reads, 0);
  ASSERT_TRUE(run(spool_.delivery().load(made.message.id, {0})));
  EXPECT_EQ(reads, 1);
}

TEST_F(MemorySpoolTest, FailsAtTheCallThatWasChosen) {
  spool_.fail_write(2, SpoolError::Full);
  const auto first = a_message("x");
  EXPECT_TRUE(run(spool_.intake().commit(first)));
  EXPECT_EQ(run(spool_.intake().commit(a_message("x"))).error(), SpoolError::Full);
  EXPECT_EQ(spool_.messages(), 1U);
  EXPECT_TRUE(run(spool_.intake().commit(a_message("x"))));
  spool_.fail_write(1, SpoolError::Poisoned);
  const ports::Update update{.id = first.message.id,
                             .copies = {outcome(0, RecipientState::Delivered)}};
  EXPECT_EQ(run(spool_.delivery().record(update)).error(), SpoolError::Poisoned);
  EXPECT_EQ(run(spool_.intake().commit(a_message("x"))).error(), SpoolError::Poisoned);
  EXPECT_TRUE(spool_.poisoned() && spool_.intake().poisoned() && spool_.delivery().poisoned());
  EXPECT_TRUE(spool_.updates().empty());
}

TEST_F(MemorySpoolTest, HasDoneWhatNobodyKnowsOf) {
  spool_.fail_write(1, SpoolError::Unknown);
  const auto made = a_message("x");
  EXPECT_EQ(run(spool_.intake().commit(made)).error(), SpoolError::Unknown);
  EXPECT_EQ(spool_.messages(), 1U);
  EXPECT_TRUE(run(spool_.intake().commit(made)));
  EXPECT_EQ(spool_.messages(), 1U);
  spool_.fail_write(1, SpoolError::Unavailable);
  EXPECT_EQ(run(spool_.intake().commit(a_message("x"))).error(), SpoolError::Unavailable);
  EXPECT_EQ(spool_.messages(), 1U);
}

TEST_F(MemorySpoolTest, LosesDraftsInACrashAndNothingElse) {
  ASSERT_TRUE(run(spool_.intake().commit(a_message("x"))));
  ASSERT_TRUE(run(spool_.intake().append(mail::MessageId::generate(kNow), 0,
                                         std::string(ports::kChunkOctets, 'd'))));
  EXPECT_EQ(spool_.drafts(), 1U);
  spool_.open_again();
  EXPECT_EQ(spool_.drafts(), 0U);
  EXPECT_EQ(spool_.messages(), 1U);
}

TEST_F(MemorySpoolTest, CanBeDamaged) {
  const auto made = a_message("x");
  ASSERT_TRUE(run(spool_.intake().commit(made)));
  spool_.damage_content(made.message.id);
  EXPECT_TRUE(run(spool_.delivery().load(made.message.id, {0})));
  EXPECT_EQ(run(spool_.delivery().read(made.message.id, 0)).error(), SpoolError::Corrupt);
  spool_.damage(made.message.id);
  EXPECT_EQ(run(spool_.delivery().load(made.message.id, {0})).error(), SpoolError::Corrupt);
  EXPECT_EQ(run(spool_.delivery().due(std::nullopt, 10))->copies.size(), 1U);
}

}  // namespace
}  // namespace relay::spool
