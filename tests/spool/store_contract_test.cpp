// Contract of every store: what is promised of it as a whole.
#include <string>

#include "relay/base/metrics.hpp"
#include "tests/spool/queue_contract.hpp"

namespace relay::spool {
namespace {

using ports::SpoolError;

class StoreContract : public QueueContract {
 protected:
  void begin_a_draft() {
    ASSERT_TRUE(run(intake().append(mail::MessageId::generate(kNow), 0,
                                    std::string(ports::kChunkOctets, 'd'))));
  }
};

TEST_P(StoreContract, IsCleanAndEmptyWhenItIsNew) {
  const auto report = queue().report();
  EXPECT_TRUE(report.clean);
  EXPECT_FALSE(report.last_write);
  EXPECT_EQ(report.messages, 0U);
  EXPECT_EQ(report.drafts_removed, 0);
  EXPECT_NE(report.place, "");
  EXPECT_NE(report.engine.name, "");
  EXPECT_FALSE(queue().poisoned());
}

TEST_P(StoreContract, ReportsWhatItFoundWhenItWasOpened) {
  add(a_message("content"));
  begin_a_draft();
  EXPECT_EQ(queue().report().messages, 0U);
  restart();
  const auto report = queue().report();
  EXPECT_TRUE(report.clean);
  EXPECT_EQ(report.messages, 1U);
  EXPECT_EQ(report.drafts_removed, 1);
  restart();
  EXPECT_EQ(queue().report().drafts_removed, 0);
}

TEST_P(StoreContract, AnswersWhoAsksAfterTheEnd) {
  const auto id = add(a_message("content"));
  queue().close();
  queue().close();
  EXPECT_EQ(run(intake().commit(a_message("late"))).error(), SpoolError::Stopping);
  EXPECT_EQ(run(delivery().load(id, {0})).error(), SpoolError::Stopping);
  EXPECT_EQ(run(operators().totals()).error(), SpoolError::Stopping);
  EXPECT_EQ(run(consent().awaiting({"a@x.example"})).error(), SpoolError::Stopping);
  EXPECT_EQ(run(tokens().find("t")).error(), SpoolError::Stopping);
  EXPECT_EQ(run(tokens().has_room({})).error(), SpoolError::Stopping);
  EXPECT_EQ(run(greylist().see({}, {})).error(), SpoolError::Stopping);
  intake().discard(id);
  EXPECT_EQ(delivery().now(), kNow);
  EXPECT_FALSE(queue().poisoned());
  restart();
  EXPECT_EQ(content_of(id), "content");
  EXPECT_EQ(queue().report().messages, 1U) << "what came late was not stored";
}

TEST_P(StoreContract, HasRoomAndMeasuresUnderNamesOfItsOwn) {
  EXPECT_GT(queue().free_octets(), 0U);
  base::Registry registry;
  queue().add_to(registry);
  registry.visit([](const base::Series& series) {
    EXPECT_TRUE(series.name.starts_with("srs_relay_spool_")) << series.name;
  });
}

INSTANTIATE_TEST_SUITE_P(Each, StoreContract, kStores, store_name);

}  // namespace
}  // namespace relay::spool
