#include "relay/delivery/dispatcher.hpp"

#include <array>
#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "tests/delivery/a_host_list.hpp"
#include "tests/support/run_task.hpp"

namespace relay::delivery {
namespace {

using namespace std::chrono_literals;

const base::SteadyTime kStart{std::chrono::hours(100)};

/// Differs in its last octets, which are what an id is hashed by.
mail::MessageId id(unsigned number) {
  std::array<std::uint8_t, 10> random{};
  random[8] = static_cast<std::uint8_t>(number >> 8U);
  random[9] = static_cast<std::uint8_t>(number);
  return mail::MessageId::make(base::WallTime{std::chrono::milliseconds(1)}, random);
}

ports::DueCopy due(unsigned number, const std::string& domain, bool risk_pool = false) {
  return {.copy = {id(number), 0},
          .lane = {domain, risk_pool},
          .alias = "info@fwd.example",
          .next_due = {}};
}

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() { set_policy(4, 20); }

  void set_policy(std::size_t total, std::size_t per_group, MemoryLimits memory = {}) {
    auto policy = std::make_shared<Policy>(*mail::Domain::parse("mx.fwd.example"));
    policy->outbound.max_connections = static_cast<std::uint32_t>(total);
    policy->outbound.connections = static_cast<std::uint32_t>(per_group);
    policy->risk.rate = {.count = 60, .span = 60s};
    policy->memory = memory;
    policy_ = policy;
    work_.set_policy(policy_);
  }

  /// Copies of a lane whose hosts are found.
  void add(const std::string& domain, unsigned first, unsigned count, const std::string& hosts) {
    for (unsigned i = 0; i < count; ++i) {
      work_.add(due(first + i, domain), kStart);
      find(hosts);
    }
  }

  /// All that are looked up have these hosts.
  void find(const std::string& hosts, base::SteadyTime until = base::SteadyTime::max(),
            bool passes_over = false) {
    for (auto& lane : std::exchange(lookups_, {})) {
      HostList list = a_host_list(hosts);
      list.policy = policy_;
      list.valid_until = until;
      list.passes_over = passes_over;
      if (lane->key.risk_pool) list.group += "risk";
      work_.found(lane, std::move(list), kStart);
    }
  }

  std::optional<Assignment> next(const PlacePtr& place,
                                 std::optional<Candidate> kept = std::nullopt) {
    return support::run_task(work_.next(place, std::move(kept), kStart));
  }

  /// The session asks for work, and may wait for it.
  std::future<std::optional<Assignment>> rest(const PlacePtr& place, const char* host,
                                              base::SteadyTime now = kStart) {
    auto answer = boost::asio::co_spawn(io_, work_.next(place, a_host_list(host).hosts[0], now),
                                        boost::asio::use_future);
    io_.restart();
    io_.poll();
    return answer;
  }

  bool has_ended(std::future<std::optional<Assignment>>& answer) {
    io_.restart();
    io_.poll();
    return answer.wait_for(0s) == std::future_status::ready;
  }

  /// So many domains with a copy each; their DNS does not answer.
  void add_silent_domains(unsigned count, base::SteadyTime now = kStart) {
    for (unsigned i = 0; i < count; ++i) {
      work_.add(due(10'000 + i, "silent" + std::to_string(i) + ".example"), now);
    }
  }

  /// The session takes its job and its server says "later" to the copy.
  void put_off(const PlacePtr& place) {
    const auto given = next(place);
    ASSERT_TRUE(given);
    work_.put_off(given->lane, {given->job.id, 0}, kStart + 300s);
    work_.release(given->lane, given->job.id, given->job.indices, true);
  }

  /// The session takes its job and its server takes the message.
  void deliver(const PlacePtr& place) {
    const auto given = next(place);
    ASSERT_TRUE(given);
    work_.hear(place, *given, {.took = true}, kStart);
    work_.release(given->lane, given->job.id, given->job.indices, true);
  }

  boost::asio::io_context io_;
  std::vector<PlacePtr> sessions_;
  std::vector<LanePtr> lookups_;
  std::chrono::seconds within_{0};  ///< the time of the last look-up that began
  std::vector<LanePtr> clerks_;
  int refills_ = 0;
  Dice dice_{1};
  FailingHosts failing_{dice_};
  std::shared_ptr<const Policy> policy_;
  Dispatcher work_{{.next_shard = [this] { return io_.get_executor(); },
                    .start_session = [this](PlacePtr place) { sessions_.push_back(place); },
                    .start_lookup =
                        [this](LanePtr lane, std::chrono::seconds within) {
                          lookups_.push_back(lane);
                          within_ = within;
                        },
                    .start_clerk = [this](LanePtr lane) { clerks_.push_back(lane); },
                    .refill = [this] { ++refills_; }},
                   failing_};
};

TEST_F(DispatcherTest, NothingIsDialledBeforeTheHostsAreKnown) {
  work_.add(due(1, "x.example"), kStart);
  work_.add(due(2, "x.example"), kStart);
  EXPECT_EQ(lookups_.size(), 1U);
  EXPECT_TRUE(sessions_.empty());
  find("a1");
  ASSERT_EQ(sessions_.size(), 1U) << "an unknown group has one session";
  EXPECT_EQ(next(sessions_[0])->job.id, id(1));
  EXPECT_EQ(next(sessions_[0])->job.id, id(2));
}

TEST_F(DispatcherTest, DomainsOfOneMailSystemShareItsConnections) {
  add("x.example", 1, 1, "a1");
  add("y.example", 2, 1, "a1");
  ASSERT_EQ(sessions_.size(), 1U);
  EXPECT_EQ(next(sessions_[0])->lane->key.domain, "x.example");
  EXPECT_EQ(next(sessions_[0])->lane->key.domain, "y.example");
}

TEST_F(DispatcherTest, LanesOfAGroupAreServedInTurn) {
  add("x.example", 1, 3, "a1");
  add("y.example", 11, 3, "a1");
  std::string order;
  for (int i = 0; i < 6; ++i) order += next(sessions_[0])->lane->key.domain[0];
  EXPECT_EQ(order, "xyxyxy");
}

TEST_F(DispatcherTest, AKeptConnectionIsUsedForTheLanesItServesAndNobodyIsForgotten) {
  add("x.example", 1, 20, "a1 b2");
  add("y.example", 101, 20, "a1 c3");
  HostList list = a_host_list("a1");
  std::string order;
  const Candidate kept = list.hosts[0];
  for (int i = 0; i < 4; ++i) order += next(sessions_[0], kept)->lane->key.domain[0];
  EXPECT_EQ(order, "xxxx") << "y has a group of its own";
  EXPECT_EQ(sessions_.size(), 2U);
}

TEST_F(DispatcherTest, NoMoreIsTakenIntoMemoryThanThePolicySays) {
  set_policy(4, 20, {.copies = 6, .guaranteed_copies = 1});
  add("x.example", 1, 20, "a1");
  EXPECT_EQ(work_.totals().copies, 6U);
  add("y.example", 101, 20, "b2");
  EXPECT_EQ(work_.totals().copies, 7U) << "what each lane is guaranteed comes on top";
}

TEST_F(DispatcherTest, AMessageThatIsExpectedIsLeftToTheOffer) {
  work_.expect(id(1));
  work_.add(due(1, "x.example"), kStart);
  EXPECT_EQ(work_.totals().copies, 0U) << "a look between commit and offer";
  Job job;
  job.id = id(1);
  job.indices = {0};
  EXPECT_TRUE(work_.offer(id(1), {{{"x.example", false}, job}}, kStart));
  EXPECT_EQ(work_.totals().copies, 1U);
  work_.add(due(1, "x.example"), kStart);
  find("a1");
  EXPECT_TRUE(next(sessions_[0]));
  EXPECT_FALSE(next(sessions_[0])) << "once only";
}

TEST_F(DispatcherTest, WhatWasWithdrawnBeforeItsOfferIsLeftToTheDisk) {
  work_.expect(id(1));
  EXPECT_EQ(work_.withdraw({{id(1), 0}}), 0U);
  Job job;
  job.id = id(1);
  job.indices = {0, 1};
  EXPECT_FALSE(work_.offer(id(1), {{{"x.example", false}, job}}, kStart));
  find("a1");
  EXPECT_EQ(next(sessions_[0])->job.indices, std::vector<std::uint16_t>{1});
}

TEST_F(DispatcherTest, WhatWasReleasedBeforeTheOfferIsLookedFor) {
  work_.expect(id(1));
  work_.add({.copy = {id(1), 1}, .lane = {"x.example", false}}, kStart);
  Job job;
  job.id = id(1);
  job.indices = {0};
  EXPECT_FALSE(work_.offer(id(1), {{{"x.example", false}, job}}, kStart))
      << "the second copy was held when the message was committed, and is due now";
  work_.add({.copy = {id(1), 1}, .lane = {"x.example", false}}, kStart);
  EXPECT_EQ(work_.totals().copies, 2U);
}

TEST_F(DispatcherTest, AWithdrawnCopyIsNotDealtOutAndIsLookedForLater) {
  add("x.example", 1, 3, "a1");
  EXPECT_EQ(work_.withdraw({{id(2), 0}}), 0U);
  EXPECT_EQ(next(sessions_[0])->job.id, id(1));
  EXPECT_EQ(next(sessions_[0])->job.id, id(3));
  EXPECT_FALSE(next(sessions_[0]));
  work_.tick(kStart);
  const auto wanted = work_.wants_refill(10);
  ASSERT_EQ(wanted.size(), 1U) << "it may have been released meanwhile";
  EXPECT_EQ(wanted[0].lane.domain, "x.example");
}

TEST_F(DispatcherTest, OnlyWhatIsPastItsDotMayLeaveAfterItWasWithdrawn) {
  add("x.example", 1, 2, "a1");
  const auto first = next(sessions_[0]);
  EXPECT_TRUE(work_.enter_dot(first->job.id, first->job.indices));
  EXPECT_EQ(work_.withdraw({{id(1), 0}, {id(2), 0}}), 1U);
  EXPECT_FALSE(work_.enter_dot(id(2), {0}));
}

/// As many slow destinations as connections: the healthy one still gets its turn.
TEST_F(DispatcherTest, WhoWaitsInLineIsServedAfterEachJob) {
  for (unsigned i = 0; i < 6; ++i) {
    add(std::string(1, static_cast<char>('a' + i)) + ".example", 100 * i, 5,
        "h" + std::to_string(i + 1));
  }
  EXPECT_EQ(sessions_.size(), 2U) << "half of four places is kept for proven groups";
  ASSERT_TRUE(next(sessions_[0]));
  EXPECT_FALSE(next(sessions_[0])) << "others wait";
  work_.session_ended(sessions_[0]);
  ASSERT_EQ(sessions_.size(), 3U);
  EXPECT_EQ(next(sessions_[2])->lane->key.domain, "c.example");
}

/// Ending any other idle session would free no useful place and lose its connection.
TEST_F(DispatcherTest, TheIdleSessionEndsWhosePlaceIsWaitedFor) {
  add("x.example", 1, 1, "a1");
  deliver(sessions_[0]);  // proven from now on
  auto proven = rest(sessions_[0], "a1");
  add("y.example", 2, 1, "b2");
  EXPECT_TRUE(next(sessions_[1]));
  auto unknown = rest(sessions_[1], "b2");
  add("z.example", 3, 1, "c3");
  EXPECT_TRUE(next(sessions_[2]));
  auto other = rest(sessions_[2], "c3");
  ASSERT_EQ(sessions_.size(), 3U);
  add("w.example", 4, 1, "d4");
  work_.tick(kStart);
  EXPECT_FALSE(has_ended(proven)) << "though it has waited longest";
  ASSERT_TRUE(has_ended(unknown));
  EXPECT_FALSE(unknown.get());
  EXPECT_FALSE(has_ended(other)) << "one is enough";
  work_.session_ended(sessions_[1]);
  ASSERT_EQ(sessions_.size(), 4U);
  EXPECT_EQ(next(sessions_[3])->lane->key.domain, "w.example");
  work_.stop();
  EXPECT_TRUE(has_ended(proven) && has_ended(other));
}

TEST_F(DispatcherTest, AProvenGroupIsNotKeptFromItsPlacesByStrangers) {
  add("good.example", 1, 1, "g1");
  deliver(sessions_[0]);
  work_.session_ended(sessions_[0]);
  for (unsigned i = 0; i < 10; ++i) {
    add(std::string(1, static_cast<char>('a' + i)) + ".example", 100 * (i + 1), 5,
        "h" + std::to_string(i));
  }
  const std::size_t strangers = sessions_.size() - 1;
  EXPECT_EQ(strangers, 2U);
  add("good.example", 2, 1, "g1");
  EXPECT_EQ(sessions_.size(), 4U);
  EXPECT_EQ(next(sessions_.back())->lane->key.domain, "good.example");
}

TEST_F(DispatcherTest, AnOutageIsAnsweredWithoutAConnection) {
  add("x.example", 1, 3, "a1");
  const auto given = next(sessions_[0]);
  mail::Outcome refused;
  refused.attempt.text = "connection refused";
  work_.hear(sessions_[0], *given, {.unreachable = refused}, kStart);
  ASSERT_EQ(clerks_.size(), 1U);
  for (unsigned i = 2; i <= 3; ++i) {
    const auto answered = work_.next_for_clerk(clerks_[0], kStart);
    ASSERT_TRUE(answered);
    EXPECT_EQ(answered->job.id, id(i));
    ASSERT_TRUE(answered->answer);
    EXPECT_EQ(answered->answer->attempt.text, "connection refused");
  }
  EXPECT_FALSE(work_.next_for_clerk(clerks_[0], kStart));
}

TEST_F(DispatcherTest, ALaneWithoutHostsIsAnsweredAndLookedUpAgainLater) {
  work_.add(due(1, "x.example"), kStart);
  mail::Outcome trouble;
  trouble.attempt.text = "temporary DNS failure";
  work_.not_found(lookups_.at(0), trouble, kStart);
  ASSERT_EQ(clerks_.size(), 1U);
  EXPECT_EQ(work_.next_for_clerk(clerks_[0], kStart)->answer->attempt.text,
            "temporary DNS failure");
  work_.clerk_ended(clerks_[0]);
  work_.add(due(2, "x.example"), kStart + 2h);
  EXPECT_EQ(lookups_.size(), 2U);
}

TEST_F(DispatcherTest, ALookUpThatEndsWithoutAnAnswerDoesNotStopItsLane) {
  work_.add(due(1, "x.example"), kStart);
  const LanePtr lane = lookups_.at(0);
  work_.lookup_lost(lane, kStart);
  ASSERT_EQ(clerks_.size(), 1U);
  EXPECT_EQ(work_.next_for_clerk(lane, kStart)->answer->kind, mail::OutcomeKind::Deferred);
  work_.clerk_ended(lane);
  work_.add(due(2, "x.example"), kStart + 2h);
  ASSERT_EQ(lookups_.size(), 2U);
  find("a1");
  work_.lookup_lost(lane, kStart + 2h);  // it has told its answer, and was lost after that
  EXPECT_EQ(clerks_.size(), 1U);
  EXPECT_EQ(next(sessions_.at(0))->job.id, id(2));
}

/// Whether a kept connection may be used is decided by the present records.
TEST_F(DispatcherTest, AListThatHasEndedIsLookedUpBeforeTheNextJob) {
  work_.add(due(1, "x.example"), kStart);
  work_.add(due(2, "x.example"), kStart);
  find("a1", kStart + 60s);
  EXPECT_EQ(next(sessions_[0])->job.id, id(1));
  auto kept = rest(sessions_[0], "a1", kStart + 61s);
  EXPECT_FALSE(has_ended(kept)) << "the job is not for this connection";
  ASSERT_EQ(lookups_.size(), 1U);
  find("b2");
  ASSERT_EQ(sessions_.size(), 2U);
  const auto given = next(sessions_[1]);
  ASSERT_TRUE(given);
  EXPECT_EQ(given->job.id, id(2));
  EXPECT_EQ(given->hosts->hosts[0].host, "b2");
  EXPECT_FALSE(has_ended(kept));
  work_.stop();
  EXPECT_TRUE(has_ended(kept));
}

TEST_F(DispatcherTest, ARenewalDoesNotWaitBehindDomainsThatDoNotAnswer) {
  work_.add(due(1, "good.example"), kStart);
  find("a1", kStart + 60s);
  deliver(sessions_[0]);
  add_silent_domains(300, kStart + 60s);
  const std::size_t silent = lookups_.size();
  EXPECT_LT(silent, 300U);
  work_.add(due(2, "good.example"), kStart + 61s);
  ASSERT_EQ(lookups_.size(), silent + 1);
  EXPECT_EQ(lookups_.back()->key.domain, "good.example");
}

/// Most mail is for domains that had no mail a moment ago.
TEST_F(DispatcherTest, ADomainIsKnownAfterItsLaneIsForgotten) {
  add("good.example", 1, 1, "a1");
  deliver(sessions_[0]);
  EXPECT_FALSE(next(sessions_[0]));
  work_.session_ended(sessions_[0]);
  work_.tick(kStart + 10s);
  EXPECT_EQ(work_.totals().lanes, 0U);
  add_silent_domains(300);
  lookups_.clear();
  work_.add(due(2, "good.example"), kStart + 11s);
  ASSERT_EQ(lookups_.size(), 1U);
  EXPECT_EQ(lookups_.back()->key.domain, "good.example");
}

/// The backup might refuse for good a message that this host would take.
TEST_F(DispatcherTest, NobodyGoesPastAHostThatIsOnlySlowInDns) {
  work_.add(due(1, "x.example"), kStart);
  find("b2", base::SteadyTime::max(), true);
  EXPECT_TRUE(sessions_.empty());
  ASSERT_EQ(lookups_.size(), 1U);
  EXPECT_EQ(within_, policy_->timeouts.dns);
  find("a1 b2");
  ASSERT_EQ(sessions_.size(), 1U);
  EXPECT_EQ(next(sessions_[0])->hosts->hosts[0].host, "a1");
}

TEST_F(DispatcherTest, AHostWhoseDnsIsDeadIsPassedOverInTheEnd) {
  work_.add(due(1, "x.example"), kStart);
  find("b2", base::SteadyTime::max(), true);
  find("b2", base::SteadyTime::max(), true);
  ASSERT_EQ(sessions_.size(), 1U);
  EXPECT_EQ(next(sessions_[0])->hosts->hosts[0].host, "b2");
}

TEST_F(DispatcherTest, NoLookUpBeginsAfterAStop) {
  add_silent_domains(300);
  const std::size_t begun = lookups_.size();
  work_.stop();
  work_.not_found(lookups_.at(0), {}, kStart + 1s);
  EXPECT_EQ(lookups_.size(), begun);
}

TEST_F(DispatcherTest, WhoDoesNotAnswerAtOnceIsAskedAgainWithItsWholeTime) {
  mail::Outcome silence;
  silence.attempt.text = "DNS timeout";
  work_.add(due(1, "x.example"), kStart);
  EXPECT_EQ(within_, 3s);
  work_.not_found(lookups_.at(0), silence, kStart + 3s);
  ASSERT_EQ(lookups_.size(), 2U);
  EXPECT_EQ(within_, policy_->timeouts.dns);
  EXPECT_TRUE(clerks_.empty()) << "that was no answer";
  work_.not_found(lookups_.at(1), silence, kStart + 33s);
  EXPECT_EQ(lookups_.size(), 2U);
  ASSERT_EQ(clerks_.size(), 1U);
  EXPECT_EQ(work_.next_for_clerk(clerks_[0], kStart + 33s)->answer->attempt.text, "DNS timeout");
}

/// Until its DNS answers, a lane has no claim to more than every lane has.
TEST_F(DispatcherTest, ALaneWithoutHostsHoldsAFew) {
  for (unsigned i = 0; i < 1000; ++i) work_.add(due(i, "x.example"), kStart);
  EXPECT_EQ(work_.totals().copies, 10U);
  EXPECT_TRUE(work_.wants_refill(10).empty());
  find("a1");
  const auto wanted = work_.wants_refill(10);
  ASSERT_EQ(wanted.size(), 1U) << "now it may hold more";
  EXPECT_EQ(wanted[0].room, 990U);
}

/// A crowd for some destinations leaves room for the first copies of all others.
TEST_F(DispatcherTest, EveryLaneHoldsAFewHoweverManyOthersHold) {
  for (unsigned lane = 0; lane < 25; ++lane) {
    const std::string domain = "d" + std::to_string(lane) + ".example";
    add(domain, lane * 1000, 1000, "a1");
  }
  EXPECT_GE(work_.totals().copies, 20'000U);
  EXPECT_LE(work_.totals().copies, 20'000U + 25 * 10);
  work_.add(due(60'000, "healthy.example"), kStart);
  find("a1");
  bool served = false;
  for (int i = 0; i < 100 && !served; ++i) {
    const auto given = next(sessions_[0]);
    ASSERT_TRUE(given);
    served = given->lane->key.domain == "healthy.example";
  }
  EXPECT_TRUE(served);
}

TEST_F(DispatcherTest, WhatFindsNoRoomIsReadAgainWhenJobsHaveLeft) {
  add("x.example", 0, 1200, "a1");
  EXPECT_EQ(work_.totals().copies, 1000U);
  EXPECT_TRUE(work_.wants_refill(10).empty()) << "no room yet";
  for (int i = 0; i < 760; ++i) {
    const auto given = next(sessions_[0]);
    work_.release(given->lane, given->job.id, given->job.indices, true);
  }
  const auto wanted = work_.wants_refill(10);
  ASSERT_EQ(wanted.size(), 1U);
  EXPECT_GE(wanted[0].room, 750U);
  EXPECT_FALSE(wanted[0].after) << "from the beginning: what was left out may lie anywhere";
}

TEST_F(DispatcherTest, TheRiskPoolTakesNoPlaceFromOthersAndKeepsToItsRate) {
  for (unsigned i = 0; i < 30; ++i) {
    work_.add(due(i, "x.example", true), kStart);
    find("a1");
  }
  add("x.example", 100, 1, "a1");
  EXPECT_EQ(sessions_.size(), 2U);
  int went = 0;
  while (next(sessions_[0])) ++went;
  EXPECT_EQ(went, 10);
  const auto why = work_.why_waiting({id(20), 0}, {"x.example", true}, "info@fwd.example", kStart);
  ASSERT_TRUE(why);
  EXPECT_EQ(why->what, ports::Waiting::For::Rate);
  work_.session_ended(sessions_[0]);
  work_.tick(kStart + 3s);
  ASSERT_EQ(sessions_.size(), 3U);
  EXPECT_TRUE(support::run_task(work_.next(sessions_[2], std::nullopt, kStart + 3s)));
}

TEST_F(DispatcherTest, APausedHostKeepsItsMailHere) {
  add("x.example", 1, 1, "a1");
  const auto rule = [](ports::PauseRule::Kind kind, const std::string& value) {
    return ports::PauseRule{
        .kind = kind, .value = value, .reason = "moving", .since = {}, .until = {}};
  };
  work_.set_pauses({rule(ports::PauseRule::Kind::Host, "a1")});
  EXPECT_FALSE(next(sessions_[0]));
  const auto why = work_.why_waiting({id(1), 0}, {"x.example", false}, "info@fwd.example", kStart);
  ASSERT_TRUE(why);
  EXPECT_EQ(why->what, ports::Waiting::For::Pause);
  EXPECT_EQ(why->text, "moving");
  work_.session_ended(sessions_[0]);
  work_.set_pauses({});
  ASSERT_EQ(sessions_.size(), 2U);
  EXPECT_TRUE(next(sessions_[1]));
}

TEST_F(DispatcherTest, ARuleAboutAnAliasSendsWhatIsInMemoryBackToTheDisk) {
  add("x.example", 1, 2, "a1");
  work_.set_pauses({{.kind = ports::PauseRule::Kind::Domain,
                     .value = "fwd.example",
                     .reason = "abuse",
                     .since = {},
                     .until = {}}});
  EXPECT_EQ(work_.totals().copies, 0U);
  work_.add(due(1, "x.example"), kStart);
  EXPECT_EQ(work_.totals().copies, 0U) << "later mail, too";
}

TEST_F(DispatcherTest, CopiesThatWereNotTriedGoInFrontAgain) {
  add("x.example", 1, 3, "a1");
  const auto first = next(sessions_[0]);
  work_.put_back(first->lane, first->job.id, first->job.indices);
  EXPECT_EQ(next(sessions_[0])->job.id, id(1));
}

TEST_F(DispatcherTest, WhatWasPutOffIsTriedWhenItIsDueAndNotBehindAllThatWaits) {
  add("x.example", 0, 8, "a1");
  for (int i = 0; i < 3; ++i) put_off(sessions_[0]);
  for (unsigned i = 0; i < 3; ++i) work_.add(due(i, "x.example"), kStart);
  // In turn, so that neither makes the other wait.
  for (const unsigned expected : {3U, 0U, 4U, 1U, 5U, 2U, 6U, 7U})
    EXPECT_EQ(next(sessions_[0])->job.id, id(expected));
}

TEST_F(DispatcherTest, WhatWasPutOffComesAgainWhereThereIsNoRoomForMore) {
  add("x.example", 0, 1200, "a1");
  put_off(sessions_[0]);
  work_.add(due(1100, "x.example"), kStart);  // takes its room
  work_.add(due(0, "x.example"), kStart);
  EXPECT_EQ(work_.totals().copies, 1001U);
  EXPECT_EQ(next(sessions_[0])->job.id, id(1));
  EXPECT_EQ(next(sessions_[0])->job.id, id(0));
}

/// Copies that come due again and again do not keep out copies on disk that wait for their first
/// attempt.
TEST_F(DispatcherTest, WhatBecomesDueDoesNotOvertakeWhatIsOnDiskOnly) {
  add("x.example", 0, 1001, "a1");  // one of them finds no room
  for (int i = 0; i < 100; ++i) {
    const auto given = next(sessions_[0]);
    work_.release(given->lane, given->job.id, given->job.indices, true);
  }
  const std::size_t before = work_.totals().copies;
  for (unsigned i = 0; i < 50; ++i) work_.add_new(due(2000 + i, "x.example"), kStart);
  EXPECT_EQ(work_.totals().copies, before) << "they are left to the order of the disk";
  for (unsigned i = 0; i < 50; ++i) work_.add(due(3000 + i, "x.example"), kStart);
  EXPECT_EQ(work_.totals().copies, before + 50) << "which brings what is due";
  work_.add_new(due(1, "y.example"), kStart);
  EXPECT_EQ(work_.totals().copies, before + 51)
      << "where nothing is on disk only, nobody is overtaken";
}

TEST_F(DispatcherTest, OfManyThatWerePutOffAFewAreKnownAgain) {
  add("x.example", 0, 1000, "a1");
  for (int i = 0; i < 40; ++i) put_off(sessions_[0]);
  for (unsigned i = 2000; i < 2040; ++i) work_.add(due(i, "x.example"), kStart);
  for (unsigned i = 0; i < 40; ++i) work_.add(due(i, "x.example"), kStart);
  EXPECT_EQ(work_.totals().copies, 1016U);
}

TEST_F(DispatcherTest, CopiesOfOneMessageThatWerePutOffLeaveTogetherAgain) {
  for (std::uint16_t index = 0; index < 3; ++index) {
    auto copy = due(1, "x.example");
    copy.copy.index = index;
    work_.add(copy, kStart);
  }
  add("x.example", 2, 4, "a1");
  const auto given = next(sessions_[0]);
  for (const auto index : given->job.indices)
    work_.put_off(given->lane, {given->job.id, index}, kStart + 300s);
  work_.release(given->lane, given->job.id, given->job.indices, true);
  for (const auto index : given->job.indices) {
    auto copy = due(1, "x.example");
    copy.copy.index = index;
    work_.add(copy, kStart);
  }
  EXPECT_EQ(next(sessions_[0])->job.id, id(2));
  EXPECT_EQ(next(sessions_[0])->job.indices.size(), 3U);
  EXPECT_EQ(next(sessions_[0])->job.id, id(3));
}

TEST_F(DispatcherTest, AfterStopNobodyGetsWork) {
  add("x.example", 1, 1, "a1");
  work_.stop();
  EXPECT_FALSE(next(sessions_[0]));
}

TEST_F(DispatcherTest, AConnectionThatIsKeptIsNotAtWork) {
  add("x.example", 1, 1, "a1");
  EXPECT_EQ(work_.totals().at_work, 0U) << "it has not asked for its job";
  const auto given = next(sessions_[0]);
  ASSERT_TRUE(given);
  EXPECT_EQ(work_.totals().at_work, 1U);
  work_.hear(sessions_[0], *given, {.took = true}, kStart);
  work_.release(given->lane, given->job.id, given->job.indices, true);
  auto waits = rest(sessions_[0], "a1");
  EXPECT_EQ(work_.totals().sessions, 1U);
  EXPECT_EQ(work_.totals().at_work, 0U);
  EXPECT_EQ(work_.totals().idle, 1U);
  add("x.example", 2, 1, "a1");
  EXPECT_TRUE(has_ended(waits));
  EXPECT_EQ(work_.totals().at_work, 1U);
  EXPECT_EQ(work_.totals().idle, 0U);
  work_.session_ended(sessions_[0]);
  EXPECT_EQ(work_.totals().at_work, 0U) << "also when it ends in the midst of it";
}

TEST_F(DispatcherTest, AnEmptyLaneIsForgotten) {
  add("x.example", 1, 1, "a1");
  deliver(sessions_[0]);
  EXPECT_FALSE(next(sessions_[0]));
  work_.session_ended(sessions_[0]);
  work_.tick(kStart + 10s);
  EXPECT_EQ(work_.totals().lanes, 0U);
  EXPECT_EQ(work_.totals().sessions, 0U);
  EXPECT_EQ(work_.totals().groups, 1U) << "what was learnt of it is kept";
}

}  // namespace
}  // namespace relay::delivery
