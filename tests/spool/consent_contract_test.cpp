// Contract of every queue: copies that wait for their targets' consent.
#include <algorithm>

#include "relay/base/text.hpp"
#include "tests/spool/queue_contract.hpp"

namespace relay::spool {
namespace {

using namespace std::chrono_literals;
using mail::RecipientState;

/// A message whose copies wait for the consent of their targets; those in `free` do not.
ports::NewMessage awaiting(const std::vector<std::string>& targets,
                           const std::vector<std::string>& free = {}) {
  auto made = message_to(targets);
  for (mail::Route& route : made.routes) {
    if (std::ranges::find(free, route.target.to_string()) != free.end()) continue;
    route.held = true;
    route.awaits = base::lower(route.target.to_string());
  }
  return made;
}

class ConsentContract : public QueueContract {
 protected:
  std::size_t due() { return run(delivery().due(std::nullopt, 10))->copies.size(); }
};

TEST_P(ConsentContract, HoldsForTheConsentOfATarget) {
  const auto id = add(awaiting({"a@x.example", "B@y.example", "c@z.example"}, {"c@z.example"}));
  EXPECT_EQ(due(), 1U) << "who has confirmed does not wait for the others";
  const auto loaded = load(id, {1, 2});
  EXPECT_EQ(loaded.recipients[0].route.awaits, "b@y.example");
  EXPECT_EQ(loaded.recipients[1].route.awaits, "");
  add(awaiting({"b@y.example"}));
  EXPECT_EQ(run(consent().awaiting({"b@y.example"})).value(), 2U);
  EXPECT_EQ(run(consent().awaiting({"a@x.example", "b@y.example"})).value(), 2U);
  EXPECT_EQ(run(consent().awaiting({"a@x.example", "c@z.example"})).value(), 1U);
  EXPECT_EQ(run(consent().awaiting({"", "c@z.example"})).value(), 0U);
  restart();
  EXPECT_EQ(run(consent().awaiting({"b@y.example"})).value(), 2U) << "over a restart, too";
}

TEST_P(ConsentContract, ReleasesWhatWaitedAndNothingElse) {
  const auto id = add(awaiting({"b@y.example", "a@x.example"}));
  auto held = message_to({"a@x.example"});
  held.routes[0].held = true;
  add(std::move(held));
  add(awaiting({"a@x.example"}));
  std::vector<ports::AwaitingCopy> all;
  std::optional<ports::AwaitingCopy> last;
  while (true) {
    const auto page = run(consent().awaiting_copies(last, 1)).value();
    if (page.empty()) break;
    ASSERT_EQ(page.size(), 1U);
    last = page.back();
    all.push_back(page.back());
  }
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].awaits, "a@x.example");
  EXPECT_EQ(all[2].awaits, "b@y.example");
  EXPECT_EQ(all[2].copy, (mail::CopyId{id, 0}));
  EXPECT_EQ(all[2].target, "b@y.example");

  clock_.advance(1h);
  EXPECT_EQ(run(consent().release({all[0], all[1]})).value(), 2U);
  EXPECT_EQ(run(consent().release({all[0], all[1]})).value(), 0U) << "once is enough";
  EXPECT_EQ(run(operators().totals())->held, 2U) << "the operator's, and b's";
  EXPECT_EQ(run(operators().totals())->waiting, 2U);
  EXPECT_EQ(due(), 2U);
  const auto loaded = load(id, {0, 1});
  EXPECT_EQ(loaded.recipients[1].released_at, kNow + 1h);
  EXPECT_EQ(loaded.recipients[1].next_due, kNow + 1h);
  EXPECT_EQ(loaded.recipients[1].route.awaits, "");
  EXPECT_EQ(loaded.recipients[1].state, RecipientState::Waiting);
  EXPECT_EQ(loaded.recipients[0].route.awaits, "b@y.example");
  // None of its copies was under way, so the delivery side, which has them from the acceptance, may
  // try them.
  const auto answer = record(id, {outcome(1, RecipientState::Waiting)});
  EXPECT_EQ(answer.copies.front(), ports::Recorded::Yes);
}

INSTANTIATE_TEST_SUITE_P(Each, ConsentContract, kStores, store_name);

}  // namespace
}  // namespace relay::spool
