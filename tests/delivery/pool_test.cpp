#include "relay/delivery/pool.hpp"

#include <gtest/gtest.h>

#include "tests/delivery/a_host_list.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace relay::delivery {
namespace {

using namespace std::chrono_literals;

class PoolTest : public testing::Test {
 protected:
  PoolTest() { pool_.set_limits({.places = 4, .sessions_per_group = 20}); }

  GroupPtr group(bool proven = false) const {
    auto made = std::make_shared<Group>(a_host_list("a1"), false);
    if (proven) made->hear({.took = true}, "a1 ", 0, 20, 30s, start_);
    return made;
  }

  PlacePtr open(const GroupPtr& group) {
    return pool_.open(io_.get_executor(), group, pool_.share_for(*group, start_));
  }

  /// A session that waits for its peer since `since`, for as long as the guard lives.
  std::unique_ptr<Place::Wait> waits(const PlacePtr& place, base::SteadyTime since) {
    clock_.advance(since - clock_.steady());
    return std::make_unique<Place::Wait>(*place, clock_);
  }

  struct SlowSessions {
    std::vector<PlacePtr> places;
    std::vector<std::unique_ptr<Place::Wait>> guards;
  };

  /// As many as there are slow places; the first has waited longest.
  SlowSessions fill_slow_places() {
    SlowSessions slow;
    for (int i = 0; i < 4; ++i) {
      slow.places.push_back(open(group()));
      slow.guards.push_back(waits(slow.places.back(), start_ + std::chrono::seconds(i)));
      EXPECT_TRUE(pool_.sweep(start_ + 10s + std::chrono::seconds(i), 10s).empty());
    }
    EXPECT_EQ(pool_.places().used(Share::Slow), 4U);
    return slow;
  }

  boost::asio::io_context io_;
  fakes::FakeClock clock_;
  const base::SteadyTime start_ = clock_.steady();
  Pool pool_;
};

TEST_F(PoolTest, HalfOfThePlacesIsKeptForProvenGroups) {
  open(group());
  open(group());
  EXPECT_FALSE(pool_.has_room(Share::Unknown));
  EXPECT_TRUE(pool_.has_room(Share::Proven));
  open(group(true));
  open(group(true));
  EXPECT_FALSE(pool_.has_room(Share::Proven));
}

TEST_F(PoolTest, ProvenGroupsMayUseAllAndGiveBackWhatIsNotTheirs) {
  const auto proven = group(true);
  std::vector<PlacePtr> places;
  for (int i = 0; i < 4; ++i) places.push_back(open(proven));
  EXPECT_FALSE(pool_.has_room(Share::Proven));
  EXPECT_FALSE(pool_.must_yield(*places[0])) << "nobody waits";
  const auto stranger = group();
  pool_.stand_in_line(stranger, Share::Unknown);
  EXPECT_TRUE(pool_.must_yield(*places[0]));
  pool_.close(places[0]);
  EXPECT_EQ(pool_.next_in_line(), stranger);
}

TEST_F(PoolTest, WhoWaitsInTheSameClassIsNextWhenAJobEnds) {
  const auto first = open(group());
  open(group());
  const auto second = group();
  const auto third = group();
  pool_.stand_in_line(second, Share::Unknown);
  pool_.stand_in_line(third, Share::Unknown);
  EXPECT_TRUE(pool_.must_yield(*first));
  EXPECT_EQ(pool_.next_in_line(), nullptr) << "no place is free";
  pool_.close(first);
  EXPECT_EQ(pool_.next_in_line(), second);
}

TEST_F(PoolTest, AGroupThatProvesItselfTakesItsSessionsAlong) {
  const auto risen = group();
  const auto place = open(risen);
  open(group());
  risen->hear({.took = true}, "a1 ", 0, 20, 30s, start_);
  EXPECT_TRUE(pool_.settle_in(*place, start_));
  EXPECT_EQ(place->share, Share::Proven);
  EXPECT_TRUE(pool_.has_room(Share::Unknown));
}

TEST_F(PoolTest, ASessionThatWaitsForLongGivesItsPlaceToOthers) {
  const auto tarpit = open(group());
  open(group());
  EXPECT_FALSE(pool_.has_room(Share::Unknown));
  const auto wait = waits(tarpit, start_);
  EXPECT_TRUE(pool_.sweep(start_ + 9s, 10s).empty());
  EXPECT_FALSE(pool_.has_room(Share::Unknown));
  EXPECT_TRUE(pool_.sweep(start_ + 10s, 10s).empty()) << "nobody is cut off";
  EXPECT_EQ(tarpit->share, Share::Slow);
  EXPECT_TRUE(pool_.has_room(Share::Unknown));
}

/// A peer that answers late every time holds a place as long as a silent one.
TEST_F(PoolTest, WaitingAddsUpOverAJob) {
  const auto dawdler = open(group());
  for (int reply = 0; reply < 3; ++reply) {
    const auto wait = waits(dawdler, start_ + std::chrono::seconds(10 * reply));
    clock_.advance(3s);
  }
  const auto fourth = waits(dawdler, start_ + 60s);
  EXPECT_TRUE(pool_.sweep(start_ + 60s, 10s).empty());
  EXPECT_EQ(dawdler->share, Share::Unknown);
  pool_.sweep(start_ + 61s, 10s);
  EXPECT_EQ(dawdler->share, Share::Slow);
}

TEST_F(PoolTest, AnotherJobBeginsWithoutTheWaitingOfTheOneBefore) {
  const auto dawdler = open(group());
  {
    const auto wait = waits(dawdler, start_);
    clock_.advance(9s);
  }
  dawdler->begin_job();
  const auto wait = waits(dawdler, start_ + 20s);
  pool_.sweep(start_ + 29s, 10s);
  EXPECT_EQ(dawdler->share, Share::Unknown);
}

TEST_F(PoolTest, WhereTheSlowAreTooManyTheOneThatWaitsLongestIsCutOff) {
  auto [places, guards] = fill_slow_places();
  const auto late = open(group());
  guards.push_back(waits(late, start_ + 20s));
  EXPECT_TRUE(pool_.sweep(start_ + 40s, 10s).empty()) << "nobody needs its place";
  const auto waiting = group();
  pool_.stand_in_line(waiting, Share::Unknown);
  places[0]->is_past_dot = true;
  const auto cut = pool_.sweep(start_ + 40s, 10s);
  ASSERT_EQ(cut.size(), 1U);
  EXPECT_EQ(cut[0], places[1]) << "what is past its dot is heard out";
  EXPECT_TRUE(places[1]->group->needs_full_time);
  EXPECT_EQ(late->share, Share::Slow);
  EXPECT_EQ(pool_.places().used(Share::Slow), 4U);
  pool_.close(places[1]);
  EXPECT_EQ(pool_.next_in_line(), waiting);
}

TEST_F(PoolTest, WhereNoneOfTheSlowMayBeCutOffTheNextToBecomeSlowIs) {
  auto [places, guards] = fill_slow_places();
  for (const PlacePtr& place : places) place->is_past_dot = true;
  const auto late = open(group());
  guards.push_back(waits(late, start_ + 20s));
  const auto past_dot = open(group());
  guards.push_back(waits(past_dot, start_ + 20s));
  past_dot->is_past_dot = true;
  EXPECT_TRUE(pool_.sweep(start_ + 40s, 10s).empty()) << "nobody needs its place";
  pool_.stand_in_line(group(), Share::Unknown);
  const auto cut = pool_.sweep(start_ + 40s, 10s);
  ASSERT_EQ(cut.size(), 1U);
  EXPECT_EQ(cut[0], late);
  EXPECT_TRUE(pool_.sweep(start_ + 41s, 10s).empty()) << "once is enough";
}

/// The session writes on another thread than the one that cuts it off.
TEST_F(PoolTest, WhoWroteTheDotBeforeItHeardThatItIsCutOffMovesAside) {
  auto [places, guards] = fill_slow_places();
  const auto late = open(group());
  guards.push_back(waits(late, start_ + 20s));
  const auto waiting = group();
  pool_.stand_in_line(waiting, Share::Unknown);
  pool_.stand_in_line(group(), Share::Unknown);
  ASSERT_EQ(pool_.sweep(start_ + 40s, 10s), std::vector{places[0]});
  places[0]->is_past_dot = true;
  EXPECT_EQ(places[0]->share, Share::Unknown) << "for the moment in which it ends";
  EXPECT_EQ(pool_.sweep(start_ + 41s, 10s), std::vector{places[1]}) << "another one ends for it";
  EXPECT_EQ(places[0]->share, Share::Slow);
  pool_.close(places[1]);
  EXPECT_EQ(pool_.next_in_line(), waiting);
  EXPECT_TRUE(pool_.sweep(start_ + 42s, 10s).empty());
}

/// Otherwise groups that took mail would always be first, as their sessions end and begin anew.
TEST_F(PoolTest, ProvenGroupsBorrowNoPlaceThatAnotherWaitsFor) {
  const auto proven = group(true);
  std::vector<PlacePtr> places;
  for (int i = 0; i < 4; ++i) places.push_back(open(proven));
  const auto stranger = group();
  const auto other = group(true);
  pool_.stand_in_line(other, Share::Proven);
  pool_.stand_in_line(stranger, Share::Unknown);
  pool_.close(places[0]);
  EXPECT_FALSE(pool_.has_room(Share::Proven));
  EXPECT_EQ(pool_.next_in_line(), stranger);
  EXPECT_EQ(pool_.next_in_line(), other) << "the stranger had its say";
}

/// With one place nothing can be reserved: otherwise groups that took mail would be last for ever.
TEST_F(PoolTest, WhereThereIsOnePlaceAllStandInOneLine) {
  pool_.set_limits({.places = 1, .sessions_per_group = 20});
  const auto served = open(group());
  const auto proven = group(true);
  const auto stranger = group();
  for (const auto& waiting : {proven, stranger}) {
    pool_.stand_in_line(waiting, pool_.share_for(*waiting, start_));
  }
  pool_.close(served);
  EXPECT_EQ(pool_.next_in_line(), proven);
  pool_.close(open(proven));
  EXPECT_EQ(pool_.next_in_line(), stranger);
}

/// RFC 5321 §4.5.3.2: the limits of commands are minima.
TEST_F(PoolTest, WhoWasCutOffBeginsSlowNextTimeAndIsNotCutOffAgain) {
  const auto slow = group();
  slow->was_cut_off();
  EXPECT_EQ(pool_.share_for(*slow, start_), Share::Slow);
  const auto place = open(slow);
  const auto wait = waits(place, start_);
  for (int i = 0; i < 3; ++i) {
    const auto other = open(group());
    pool_.sweep(start_, 10s);
    const auto long_wait = waits(other, start_ + 1s);
    pool_.sweep(start_ + 20s, 10s);
    EXPECT_EQ(other->share, Share::Slow);
  }
  const auto last = open(group());
  const auto wait_of_last = waits(last, start_ + 21s);
  pool_.stand_in_line(group(), Share::Unknown);
  for (const auto& cut : pool_.sweep(start_ + 40s, 10s)) EXPECT_NE(cut, place);
}

}  // namespace
}  // namespace relay::delivery
