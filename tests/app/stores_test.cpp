// The stores that `queue.store` can choose, and those who stand behind the contract tests.
#include "tests/spool/stores.hpp"

#include <algorithm>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/app/wiring_store.hpp"
#include "relay/ports/store.hpp"
#include "relay/ports/store_report.hpp"
#include "relay/settings/queue.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/spool/a_message.hpp"
#include "tests/spool/queue_folder.hpp"

namespace relay::app {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

/// Those of the schemes whose store no contract test runs over.
std::vector<std::string_view> untested(const std::vector<std::string_view>& schemes) {
  std::vector<std::string_view> found;
  for (const std::string_view scheme : schemes) {
    const auto tested = std::ranges::find(spool::kStoreKinds, scheme, &spool::StoreKind::scheme);
    if (tested == spool::kStoreKinds.end()) found.push_back(scheme);
  }
  return found;
}

TEST(Stores, AllPassTheContractTests) { EXPECT_THAT(untested(store_schemes()), IsEmpty()); }

// The negative control: a store that is put into the factory alone.
TEST(Stores, AreMissedWhereNoContractTestRunsOverThem) {
  auto schemes = store_schemes();
  schemes.emplace_back("postgres");
  EXPECT_THAT(untested(schemes), ElementsAre("postgres"));
}

TEST(Stores, OfTheContractTestsCanBeChosenOrAreFakes) {
  for (const spool::StoreKind& kind : spool::kStoreKinds) {
    if (!kind.scheme.empty()) EXPECT_THAT(store_schemes(), Contains(kind.scheme)) << kind.name;
  }
}

TEST(Stores, AreSqliteWhereNothingIsSaid) {
  const settings::Queue queue;
  EXPECT_EQ(queue.scheme, "sqlite");
  EXPECT_EQ(objection_to_store(queue), std::nullopt);
}

TEST(Stores, AreOpenedByTheirScheme) {
  const auto folder = spool::queue_folder("stores");
  std::filesystem::remove_all(folder);
  fakes::FakeClock clock{spool::kNow};
  const settings::Queue queue{.path = (folder / "queue.db").string(), .min_free = 0};
  EXPECT_TRUE(look_at_store(queue));
  EXPECT_FALSE(std::filesystem::exists(folder)) << "it was only looked at";
  ASSERT_TRUE(make_store_folder(queue));
  const auto store = open_store(queue, clock);
  ASSERT_TRUE(store) << store.error();
  EXPECT_EQ((*store)->report().engine.name, "sqlite");
  EXPECT_EQ((*store)->report().place, queue.path);
  const auto second = open_store(queue, clock);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), testing::HasSubstr("in use by another process"));
  (*store)->close();
  std::filesystem::remove_all(folder);
}

TEST(Stores, AreNamedWhereOneIsNotKnown) {
  const settings::Queue queue{.scheme = "postgres", .server = "db.example/queue"};
  EXPECT_EQ(objection_to_store(queue), "takes a URL of sqlite, not of \"postgres\"");
  fakes::FakeClock clock{spool::kNow};
  EXPECT_THROW(open_store(queue, clock), std::logic_error);
}

TEST(Stores, InAFileHaveNoHost) {
  const auto why = objection_to_store({.server = "var/lib/srs-relay/queue.db"});
  ASSERT_TRUE(why);
  EXPECT_THAT(*why, StartsWith("sqlite keeps the queue in a file, and has no host \"var\""));
}

}  // namespace
}  // namespace relay::app
