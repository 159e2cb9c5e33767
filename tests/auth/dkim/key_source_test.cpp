#include "relay/auth/dkim/key_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

namespace relay::auth::dkim {
namespace {

using testing::ElementsAre;

constexpr const char* kZone = R"(
  good._domainkey.x.example        TXT   "v=DKIM1; " "p=Zg=="
  testing._domainkey.x.example     TXT   "p=Zg==; t=y"
  alias._domainkey.x.example       CNAME good._domainkey.x.example
  empty._domainkey.x.example       EXISTS
  revoked._domainkey.x.example     TXT   "v=DKIM1; p="
  junk._domainkey.x.example        TXT   "hello"
  type._domainkey.x.example        TXT   "k=dsa; p=Zg=="
  broken._domainkey.x.example      SERVFAIL
  bogus._domainkey.x.example       BOGUS
  malformed._domainkey.x.example   MALFORMED
  mixed._domainkey.x.example       TXT   "v=spf1 -all"
  mixed._domainkey.x.example       TXT   "p=Zm9v"
  mixed._domainkey.x.example       TXT   "p="
  mixed._domainkey.x.example       TXT   "p=YmFy"
  two-bad._domainkey.x.example     TXT   "hello"
  two-bad._domainkey.x.example     TXT   "p="
)";

class KeySource : public testing::Test {
 protected:
  std::expected<FetchedKey, KeyProblem> fetch(const std::string& selector) {
    return relay::support::run_task(io_,
                                    fetch_key(dns_, selector, "x.example", relay::support::soon()));
  }

  boost::asio::io_context io_;
  fakes::FakeClock clock_;
  fakes::FakeResolver dns_{clock_, kZone};
};

TEST_F(KeySource, FetchesTheRecordOfTheSelector) {
  const auto key = fetch("good");
  ASSERT_TRUE(key) << key.error().text;
  ASSERT_EQ(key->records.size(), 1U);
  EXPECT_EQ(key->records.front().key, "f");
  EXPECT_THAT(dns_.calls(), ElementsAre("txt good._domainkey.x.example"));
  EXPECT_TRUE(fetch("alias"));
  EXPECT_TRUE(fetch("testing")->records.front().testing);
}

/// Errors that may go away, and errors that may not.
TEST_F(KeySource, TellsTemporaryFromPermanent) {
  for (const char* selector : {"broken", "bogus", "malformed"}) {
    const auto key = fetch(selector);
    ASSERT_FALSE(key) << selector;
    EXPECT_TRUE(key.error().temporary) << selector;
    EXPECT_FALSE(key.error().text.empty());
  }
  for (const char* selector : {"absent", "empty", "revoked", "junk", "type", "two-bad"}) {
    const auto key = fetch(selector);
    ASSERT_FALSE(key) << selector;
    EXPECT_FALSE(key.error().temporary) << selector;
    EXPECT_FALSE(key.error().text.empty());
  }
  EXPECT_EQ(fetch("revoked").error().text, "key is revoked");
  EXPECT_EQ(fetch("two-bad").error().text, "key is revoked");
}

/// The record and everything else at its name: those that are keys, whatever the order.
TEST_F(KeySource, TakesTheKeysAmongSeveralRecords) {
  const auto key = fetch("mixed");
  ASSERT_TRUE(key);
  ASSERT_EQ(key->records.size(), 2U);
  EXPECT_EQ(key->records[0].key, "bar");
  EXPECT_EQ(key->records[1].key, "foo");
}

TEST(SelectKeyRecords, IsBounded) {
  std::vector<std::string> many(64, "p=Zg==");
  EXPECT_EQ(select_key_records(many)->records.size(), kMaxKeyRecords);
  EXPECT_FALSE(select_key_records({}));
}

}  // namespace
}  // namespace relay::auth::dkim
