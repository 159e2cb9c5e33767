#include "relay/inbound/dns_lists.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/inbound/house.hpp"
#include "tests/support/run_task.hpp"

namespace relay::inbound {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::address;
using boost::asio::ip::make_address;
using boost::asio::ip::make_address_v4;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::UnorderedElementsAre;

DnsList list(const std::string& zone, std::uint32_t weight = 10, bool allows = false) {
  return {.zone = zone, .allows = allows, .weight = weight, .answers = {}};
}

AnswerRange range(const char* first, const char* last) {
  return {make_address_v4(first), make_address_v4(last)};
}

TEST(ListQuery, TurnsTheAddressRound) {  // RFC 5782 §2.1, §2.4
  EXPECT_EQ(list_query(make_address("192.0.2.99"), "bl.example"), "99.2.0.192.bl.example");
  EXPECT_EQ(list_query(make_address("2001:db8:1:2:3:4:567:89ab"), "ugly.example"),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example");
}

struct Answers {
  std::vector<const char*> ranges;  ///< first, last, first, last…
  std::vector<const char*> records;
  ListVerdict verdict;
};

class Judging : public testing::TestWithParam<Answers> {};

TEST_P(Judging, TakesWhatTheListMeans) {
  DnsList asked = list("bl.example");
  for (std::size_t i = 0; i + 1 < GetParam().ranges.size(); i += 2) {
    asked.answers.push_back(range(GetParam().ranges[i], GetParam().ranges[i + 1]));
  }
  std::vector<address> records;
  for (const char* record : GetParam().records) records.push_back(make_address(record));
  EXPECT_EQ(judge(asked, records), GetParam().verdict);
}

INSTANTIATE_TEST_SUITE_P(
    All, Judging,
    testing::Values(Answers{{}, {"127.0.0.2"}, ListVerdict::Listed},
                    Answers{{}, {"127.255.254.9"}, ListVerdict::Listed},
                    Answers{{}, {"127.0.0.0"}, ListVerdict::Listed},
                    Answers{{}, {}, ListVerdict::NotListed},
                    Answers{{}, {"127.255.255.254"}, ListVerdict::Nonsense},
                    Answers{{}, {"127.0.0.2", "127.255.255.252"}, ListVerdict::Nonsense},
                    Answers{{}, {"192.0.2.1"}, ListVerdict::Nonsense},
                    Answers{{}, {"128.0.0.2"}, ListVerdict::Nonsense},
                    Answers{{}, {"2001:db8::1"}, ListVerdict::Nonsense},
                    Answers{{"127.0.0.2", "127.0.0.11"}, {"127.0.0.2"}, ListVerdict::Listed},
                    Answers{{"127.0.0.2", "127.0.0.11"}, {"127.0.0.11"}, ListVerdict::Listed},
                    Answers{{"127.0.0.2", "127.0.0.11"}, {"127.0.0.12"}, ListVerdict::NotListed},
                    Answers{{"127.0.0.2", "127.0.0.2", "127.0.1.4", "127.0.1.6"},
                            {"127.0.0.3", "127.0.1.5"},
                            ListVerdict::Listed}));

class Lists : public testing::Test {
 public:
  void use(std::vector<DnsList> asked) {
    auto made = std::make_shared<DnsListPolicy>();
    made->lists = std::move(asked);
    policy = std::move(made);
  }

  Standing standing(const std::string& client) {
    const base::Deadline deadline{clock.steady() + 1h};
    return support::run_task(io, lists.standing_of(make_address(client), policy, deadline));
  }

  boost::asio::io_context io;
  fakes::FakeClock clock;
  fakes::FakeResolver resolver{clock,
                               "7.2.0.192.bad.example  A 127.0.0.2\n"
                               "7.2.0.192.worse.example A 127.0.0.4\n"
                               "7.2.0.192.good.example A 127.0.5.1\n"
                               "8.2.0.192.good.example A 127.0.5.1\n"
                               "9.2.0.192.bad.example  A 127.255.255.254\n"
                               "10.2.0.192.bad.example SERVFAIL\n"
                               "10.2.0.192.worse.example A 127.0.0.2\n"
                               "11.2.0.192.bad.example NEVER\n"
                               "11.2.0.192.worse.example A 127.0.0.2\n"
                               "12.2.0.192.bad.example EXISTS\n"};
  support::RecordingLog log;
  DnsLists lists{resolver, clock, log};
  std::shared_ptr<const DnsListPolicy> policy = std::make_shared<DnsListPolicy>();
};

TEST_F(Lists, AddUpToAScore) {
  use({list("bad.example", 3), list("worse.example", 6), list("good.example", 4, true)});
  const Standing bad = standing("192.0.2.7");
  EXPECT_EQ(bad.score, 3 + 6 - 4);
  EXPECT_EQ(bad.zone, "worse.example") << "the heaviest is named";
  EXPECT_EQ(standing("192.0.2.8").score, -4);
  EXPECT_EQ(standing("192.0.2.8").zone, "");
  EXPECT_EQ(standing("192.0.2.200").score, 0);
  EXPECT_EQ(standing("192.0.2.12").score, 0);
  EXPECT_EQ(lists.failures(), 0U) << "an address that is not listed is an answer";
}

TEST_F(Lists, AreNotAskedWhenThereAreNone) {
  EXPECT_EQ(standing("192.0.2.7").score, 0);
  EXPECT_THAT(resolver.calls(), SizeIs(0));
  EXPECT_EQ(lists.size(), 0U);
}

TEST_F(Lists, AreAskedOnceForAClientInAWhile) {
  use({list("bad.example"), list("good.example", 1, true)});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(standing("192.0.2.7").score, 9);
  EXPECT_THAT(resolver.calls(), SizeIs(4)) << "and whether they list everybody";
  clock.advance(DnsLists::kMemory);
  EXPECT_EQ(standing("192.0.2.7").score, 9);
  EXPECT_THAT(resolver.calls(), SizeIs(8));
  EXPECT_EQ(lists.size(), 1U);
}

TEST_F(Lists, AreAskedAgainAfterAReload) {
  use({list("bad.example")});
  EXPECT_EQ(standing("192.0.2.7").score, 10);
  use({list("worse.example", 3)});
  EXPECT_EQ(standing("192.0.2.7").score, 3);
}

TEST_F(Lists, ThatComplainOrFailSayNothing) {
  use({list("bad.example"), list("worse.example", 2)});
  EXPECT_EQ(standing("192.0.2.9").score, 0);
  EXPECT_EQ(standing("192.0.2.10").score, 2) << "the other is heard";
  EXPECT_EQ(lists.failures(), 2U);
  ASSERT_THAT(log.lines, SizeIs(1)) << "told once a minute for a zone";
  EXPECT_THAT(log.lines[0], HasSubstr(R"("zone":"bad.example","problem":"answers with an error: )"
                                      "127.255.255.254"));
  clock.advance(DnsLists::kMemoryOfFailure);
  EXPECT_EQ(standing("192.0.2.10").score, 2) << "asked again soon";
  EXPECT_EQ(lists.failures(), 3U);
  EXPECT_THAT(log.lines, SizeIs(2));
}

TEST_F(Lists, ThatListEverybodySayNothing) {  // RFC 5782 §5
  resolver.replace_zone("7.2.0.192.gone.example A 127.0.0.2\n1.0.0.127.gone.example A 127.0.0.2\n");
  use({list("gone.example")});
  EXPECT_EQ(standing("192.0.2.7").score, 0);
  EXPECT_THAT(log.lines, ElementsAre(HasSubstr("lists 127.0.0.1, and so everybody")));
}

TEST_F(Lists, AreWaitedForFiveSecondsInAll) {
  use({list("bad.example"), list("worse.example", 2)});
  std::optional<Standing> found;
  const auto ask = [](Lists& test, std::optional<Standing>& into) -> base::Task<> {
    into = co_await test.lists.standing_of(make_address("192.0.2.11"), test.policy,
                                           base::Deadline{test.clock.steady() + 1h});
  };
  base::spawn_supervised(io.get_executor(), "ask", ask(*this, found));
  clock.run_for(io, DnsLists::kPatience - 1ms);
  EXPECT_FALSE(found);
  EXPECT_THAT(resolver.calls(), SizeIs(3)) << "both at once";
  clock.run_for(io, 2ms);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->score, 2);
}

TEST_F(Lists, WhoseAnswersNeverComeDoNotOutliveTheShard) {
  use({list("bad.example"), list("worse.example", 2)});
  auto other = std::make_unique<boost::asio::io_context>();
  const auto ask = [](Lists& test) -> base::Task<> {
    co_await test.lists.standing_of(make_address("192.0.2.11"), test.policy,
                                    base::Deadline{test.clock.steady() + 1h});
  };
  base::spawn_supervised(other->get_executor(), "ask", ask(*this));
  other->poll();
  const std::weak_ptr<const DnsListPolicy> left = policy;
  policy.reset();
  EXPECT_FALSE(left.expired());
  other.reset();
  EXPECT_TRUE(left.expired()) << "nothing keeps the questions alive";
}

TEST_F(Lists, RememberOnlySoManyClients) {
  use({list("bad.example")});
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    standing(boost::asio::ip::make_address_v4(0x0A000000U + i).to_string());
    if (i % 10'000 == 0) ASSERT_LE(lists.size(), DnsLists::kMaxClients);
  }
  EXPECT_EQ(lists.size(), DnsLists::kMaxClients);
}

}  // namespace
}  // namespace relay::inbound
