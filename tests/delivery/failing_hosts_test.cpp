#include "relay/delivery/failing_hosts.hpp"

#include <set>

#include <gtest/gtest.h>

#include "tests/delivery/a_host_list.hpp"

namespace relay::delivery {
namespace {

using namespace std::chrono_literals;
using Failure = FailingHosts::Failure;

const base::SteadyTime kStart{std::chrono::hours(100)};

class FailingHostsTest : public testing::Test {
 protected:
  std::string order(const HostList& list, base::SteadyTime now) {
    return names_in(list, failing_.order_of(list, now));
  }

  Dice dice_{1};
  FailingHosts failing_{dice_};
};

TEST_F(FailingHostsTest, ByPreferenceWhenNothingIsKnown) {
  EXPECT_EQ(order(a_host_list("a1 b2 c3"), kStart), "a1 b2 c3 ");
}

TEST_F(FailingHostsTest, EqualPreferencesAreShuffled) {
  const HostList list = a_host_list("a1 b2 c3", true);
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(order(list, kStart));
  EXPECT_EQ(seen.size(), 6U);
}

TEST_F(FailingHostsTest, AFailingHostIsAskedLastForTenMinutes) {
  const HostList list = a_host_list("a1 b2 c3");
  failing_.failed(list.hosts[0], Failure::Session, kStart);
  EXPECT_EQ(order(list, kStart + 1s), "b2 c3 a1 ");
  failing_.took(list.hosts[1], kStart + 2s);
  failing_.took(list.hosts[2], kStart + 3s);
  EXPECT_EQ(order(list, kStart + 9min), "b2 c3 a1 ");
  EXPECT_EQ(order(list, kStart + 11min), "a1 b2 c3 ");
}

/// "No PTR" is about our address of one family; that of the other family may have one.
TEST_F(FailingHostsTest, WhoThrottlesOneFamilyIsAskedByTheOther) {
  HostList list = a_host_list("a1 b2 c3");
  list.hosts[1].host = "a1";
  list.hosts[1].preference = list.hosts[0].preference;
  list.hosts[0].endpoint.address = boost::asio::ip::make_address("2001:db8::1");
  EXPECT_EQ(failing_.order_of(list, kStart).front(), 0U);
  failing_.throttled(list.hosts[0], list, kStart);
  EXPECT_EQ(failing_.order_of(list, kStart + 1s), (std::vector<std::size_t>{1, 2, 0}));
  failing_.throttled(list.hosts[1], list, kStart + 1s);
  EXPECT_EQ(failing_.order_of(list, kStart + 2s).front(), 1U) << "and not by its backup";
  const HostList single = a_host_list("d4 e5");
  failing_.throttled(single.hosts[0], single, kStart);
  EXPECT_EQ(order(single, kStart + 1s), "d4 e5 ");
}

TEST_F(FailingHostsTest, AFailingHostStaysLastUntilEveryOtherOneWasAsked) {
  const HostList list = a_host_list("a1 b2 c3");
  failing_.failed(list.hosts[0], Failure::Session, kStart);
  failing_.failed(list.hosts[1], Failure::Session, kStart + 1s);
  EXPECT_EQ(order(list, kStart + 5h), "c3 a1 b2 ") << "however long it takes";
  failing_.failed(list.hosts[2], Failure::Session, kStart + 5h);
  EXPECT_EQ(order(list, kStart + 5h + 1s), "a1 b2 c3 ") << "its ten minutes are long over";
}

/// A backup that takes nothing, and does not fail, makes the others wait for ten minutes only.
TEST_F(FailingHostsTest, AHostThatSaidNoWasAsked) {
  const HostList list = a_host_list("a1 b2");
  failing_.failed(list.hosts[0], Failure::Session, kStart);
  failing_.asked(list.hosts[1], kStart + 1s);
  EXPECT_EQ(order(list, kStart + 9min), "b2 a1 ");
  EXPECT_EQ(order(list, kStart + 11min), "a1 b2 ");
  EXPECT_TRUE(failing_.is_best(list.hosts[0], list, kStart + 11min));
}

/// Hosts behind a backup that answers everything are not tried.
TEST_F(FailingHostsTest, AHostDoesNotWaitForThoseBehindOneThatAnswers) {
  const HostList list = a_host_list("a1 b2 c3");
  failing_.failed(list.hosts[0], Failure::Session, kStart);
  failing_.asked(list.hosts[1], kStart + 1s);
  EXPECT_EQ(order(list, kStart + 9min), "b2 c3 a1 ");
  EXPECT_EQ(order(list, kStart + 11min), "a1 b2 c3 ");
  failing_.failed(list.hosts[0], Failure::Session, kStart + 12min);
  failing_.failed(list.hosts[1], Failure::Session, kStart + 12min);
  EXPECT_EQ(order(list, kStart + 5h), "c3 a1 b2 ") << "what it said before counts no longer";
}

TEST_F(FailingHostsTest, AHostThatFailsAndIsAskedGoesOnFailing) {
  const HostList list = a_host_list("a1 b2");
  failing_.failed(list.hosts[0], Failure::Session, kStart);
  failing_.asked(list.hosts[0], kStart + 1s);
  EXPECT_EQ(order(list, kStart + 2s), "b2 a1 ");
}

/// So the other hosts have a turn before it has a second one.
TEST_F(FailingHostsTest, TheFailingAddressesOfAHostHaveOneTurn) {
  HostList list = a_host_list("a1 a2 b3 c4");
  list.hosts[0].host = list.hosts[1].host = "a";
  failing_.failed(list.hosts[0], Failure::Session, kStart);
  failing_.failed(list.hosts[2], Failure::Session, kStart + 1s);
  failing_.failed(list.hosts[3], Failure::Session, kStart + 2s);
  EXPECT_EQ(order(list, kStart + 3s), "a a b3 c4 ") << "its other address is not failing";
  failing_.failed(list.hosts[1], Failure::Session, kStart + 3s);
  EXPECT_EQ(order(list, kStart + 4s), "b3 c4 a a ");
}

TEST_F(FailingHostsTest, AHostThatPutOffARecipientComesBackAsSoonAsTheOthersWereAsked) {
  const HostList list = a_host_list("a1 b2");
  failing_.failed(list.hosts[0], Failure::Mail, kStart);
  EXPECT_EQ(order(list, kStart + 1s), "b2 a1 ");
  failing_.took(list.hosts[1], kStart + 2s);
  EXPECT_EQ(order(list, kStart + 3s), "a1 b2 ");
}

TEST_F(FailingHostsTest, WhoTakesAMessageIsNotFailing) {
  const HostList list = a_host_list("a1 b2");
  failing_.failed(list.hosts[0], Failure::Session, kStart);
  failing_.took(list.hosts[0], kStart + 1s);
  EXPECT_EQ(order(list, kStart + 2s), "a1 b2 ");
}

/// Two domains share hosts in other orders: both use what one attempt has learnt.
TEST_F(FailingHostsTest, AnAddressFailsForEveryListThatHoldsIt) {
  failing_.failed(a_host_list("a1 b2").hosts[0], Failure::Session, kStart);
  EXPECT_EQ(order(a_host_list("a1 c3"), kStart + 1s), "c3 a1 ");
}

TEST_F(FailingHostsTest, AKeptConnectionServesOnlyListsInWhichItsHostIsTheBestUntried) {
  const HostList list = a_host_list("a1 b2 c3");
  EXPECT_TRUE(failing_.is_best(list.hosts[0], list, kStart));
  EXPECT_FALSE(failing_.is_best(list.hosts[1], list, kStart));
  EXPECT_FALSE(failing_.is_best(list.hosts[0], a_host_list("d4 a1"), kStart));
  EXPECT_FALSE(failing_.is_best(list.hosts[0], a_host_list("d4"), kStart)) << "of somebody else";
  failing_.failed(list.hosts[0], Failure::Session, kStart);
  EXPECT_TRUE(failing_.is_best(list.hosts[1], list, kStart + 1s));
  EXPECT_FALSE(failing_.is_best(list.hosts[0], list, kStart + 1s));
  HostList other = a_host_list("b2");
  other.hosts[0].demand.level = mail::TlsLevel::Verify;
  EXPECT_FALSE(failing_.is_best(list.hosts[1], other, kStart)) << "its peer was not checked";
}

TEST_F(FailingHostsTest, RemembersABoundedNumber) {
  HostList list = a_host_list("a1 b2");
  failing_.failed(list.hosts[0], Failure::Session, kStart);
  for (std::size_t i = 0; i < FailingHosts::kMaxKnown; ++i) {
    Candidate other = list.hosts[0];
    other.endpoint.address =
        boost::asio::ip::make_address_v4(static_cast<unsigned>(0x0A000000 + i));
    failing_.failed(other, Failure::Session, kStart);
  }
  EXPECT_EQ(order(list, kStart + 1s), "a1 b2 ")
      << "the one that was quiet for longest is forgotten";
}

}  // namespace
}  // namespace relay::delivery
