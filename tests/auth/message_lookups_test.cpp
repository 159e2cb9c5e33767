#include "relay/auth/message_lookups.hpp"

#include <memory>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

namespace relay::auth {
namespace {

using namespace std::chrono_literals;
using ports::DnsError;
using testing::ElementsAre;
using testing::IsEmpty;

class MessageLookupsTest : public testing::Test {
 protected:
  static std::string zone() {
    std::string text =
        "author.example TXT \"v=spf1 mx -all\"\n"
        "author.example MX 10 mx.author.example\n"
        "mx.author.example A 192.0.2.1\n"
        "192.0.2.1 PTR mx.author.example\n"
        "broken.example SERVFAIL\n"
        "slow.example NEVER\n";
    for (int i = 0; i < 5; ++i) {
      text += "big" + std::to_string(i) + ".example TXT \"" + std::string(60'000, 'x') + "\"\n";
    }
    return text;
  }

  auto txt(ports::Resolver& resolver, const std::string& name) {
    return support::run_task(io_, resolver.txt(name, support::soon()));
  }

  fakes::FakeClock clock_;
  fakes::FakeResolver resolver_{clock_, zone()};
  boost::asio::io_context io_;
  MessageLookups lookups_{resolver_, clock_, {}};
};

TEST_F(MessageLookupsTest, AsksEachQuestionOnce) {
  for (const std::string name : {"author.example", "AUTHOR.example", "author.example"}) {
    const auto found = txt(lookups_, name);
    ASSERT_TRUE(found);
    EXPECT_THAT(found->records, ElementsAre("v=spf1 mx -all"));
  }
  EXPECT_TRUE(support::run_task(io_, lookups_.mx("author.example", support::soon())));
  EXPECT_TRUE(support::run_task(io_, lookups_.addresses("mx.author.example", support::soon())));
  EXPECT_TRUE(support::run_task(
      io_, lookups_.addresses_of("mx.author.example", ports::IpFamily::V4, support::soon())));
  EXPECT_FALSE(support::run_task(
      io_, lookups_.addresses_of("mx.author.example", ports::IpFamily::V6, support::soon())));
  EXPECT_EQ(lookups_.asked(), 5U) << "types and families are questions of their own";
}

TEST_F(MessageLookupsTest, WhatIsUnderWayIsWaitedFor) {
  std::vector<std::string> heard;
  const auto ask = [&](std::string name) -> base::Task<> {
    const auto found = co_await lookups_.txt(std::move(name), lookups_.end());
    heard.push_back(found ? found->records.front().substr(0, 6) : "nothing");
  };
  for (const char* name : {"author.example", "Author.example", "nobody.example", "author.example",
                           "nobody.example", "slow.example", "slow.example"}) {
    base::spawn_supervised(io_.get_executor(), "asker", ask(name));
  }
  clock_.run_for(io_, 6s);
  EXPECT_THAT(heard, testing::UnorderedElementsAre("v=spf1", "v=spf1", "v=spf1", "nothing",
                                                   "nothing", "nothing", "nothing"));
  EXPECT_EQ(lookups_.asked(), 3U);
  EXPECT_EQ(resolver_.calls().size(), 3U);
}

/// Answers too large to be kept are looked up by each caller in turn.
TEST_F(MessageLookupsTest, WhoWaitsForWhatIsNotKeptAsksAgain) {
  for (int i = 0; i < 4; ++i) txt(lookups_, "big" + std::to_string(i) + ".example");
  int heard = 0;
  const auto ask = [&]() -> base::Task<> {
    const auto found = co_await lookups_.txt("big4.example", lookups_.end());
    heard += found ? 1 : 0;
  };
  for (int i = 0; i < 3; ++i) base::spawn_supervised(io_.get_executor(), "asker", ask());
  clock_.run_for(io_, 1s);
  EXPECT_EQ(heard, 3);
  EXPECT_EQ(lookups_.asked(), 4U + 3U);
}

/// Answers in an hour, which no shard of this test sees.
class SlowResolver final : public fakes::FakeResolver {
 public:
  using FakeResolver::FakeResolver;

  base::Task<std::expected<ports::DnsAnswer<std::string>, DnsError>> txt(
      std::string /*name*/, base::Deadline /*deadline*/) override {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 1h);
    co_await timer.async_wait(base::use_task);
    co_return std::unexpected(DnsError::Timeout);
  }
};

/// When a shard ends, the task that asks and the tasks that wait are destroyed.
TEST_F(MessageLookupsTest, EndsWithTheShardWhileSomebodyWaits) {
  SlowResolver slow(clock_, "");
  const auto lookups = std::make_shared<MessageLookups>(slow, clock_, LookupLimits{});
  {
    boost::asio::io_context shard;
    const auto ask = [](std::shared_ptr<MessageLookups> own) -> base::Task<> {
      co_await own->txt("slow.example", own->end());
    };
    for (int i = 0; i < 3; ++i) base::spawn_supervised(shard.get_executor(), "asker", ask(lookups));
    shard.poll();
    EXPECT_EQ(lookups->asked(), 1U);
    EXPECT_GE(lookups.use_count(), 4);
  }
  EXPECT_EQ(lookups.use_count(), 1) << "nobody is left";
}

TEST_F(MessageLookupsTest, KeepsWhatWentWrong) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(txt(lookups_, "broken.example").error(), DnsError::Temporary);
    EXPECT_EQ(txt(lookups_, "nobody.example").error(), DnsError::NoSuchName);
  }
  EXPECT_EQ(resolver_.calls().size(), 2U);
}

TEST_F(MessageLookupsTest, NobodyWaitsForLongerThanOneAnswerMayTake) {
  std::vector<DnsError> heard;
  const auto ask = [&]() -> base::Task<> {
    const auto found = co_await lookups_.txt("slow.example", lookups_.end());
    heard.push_back(found ? DnsError::NoData : found.error());
  };
  for (int i = 0; i < 3; ++i) base::spawn_supervised(io_.get_executor(), "asker", ask());
  clock_.run_for(io_, 4s);
  EXPECT_THAT(heard, IsEmpty());
  clock_.run_for(io_, 2s);
  EXPECT_THAT(heard, ElementsAre(DnsError::Timeout, DnsError::Timeout, DnsError::Timeout));
}

TEST_F(MessageLookupsTest, MemoryIsBounded) {
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5; ++i) {
      const auto found = txt(lookups_, "big" + std::to_string(i) + ".example");
      ASSERT_TRUE(found);
      EXPECT_EQ(found->records.front().size(), 60'000U);
    }
  }
  EXPECT_EQ(lookups_.asked(), 6U) << "the fifth was not kept";
}

TEST_F(MessageLookupsTest, WhatIsKnownIsToldWithoutAsking) {
  KnownAnswers known(lookups_);
  EXPECT_EQ(txt(known, "author.example").error(), DnsError::Temporary);
  EXPECT_THAT(resolver_.calls(), IsEmpty());
  txt(lookups_, "author.example");
  EXPECT_TRUE(txt(known, "Author.example"));
  EXPECT_FALSE(support::run_task(io_, known.mx("author.example", support::soon())));
  const auto client = boost::asio::ip::make_address("192.0.2.1");
  EXPECT_FALSE(support::run_task(io_, known.names(client, support::soon())));
  EXPECT_TRUE(support::run_task(io_, lookups_.names(client, support::soon())));
  EXPECT_TRUE(support::run_task(io_, known.names(client, support::soon())));
  EXPECT_EQ(lookups_.asked(), 2U);
}

}  // namespace
}  // namespace relay::auth
