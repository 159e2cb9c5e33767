// What the hash of an address is bound to, and which keys take it.
#include "srs/authenticator.hpp"

#include <gtest/gtest.h>

namespace srs {
namespace {

constexpr std::int64_t kNow = 1'795'500'000;  // 2026-11-24
constexpr std::int64_t kDay = 86'400;
constexpr const char* kToday = "JN";  // the stamp of kNow

Key key(const char* id, const char* secret) { return {id, secret, std::nullopt}; }

const Key kFirst = key("first", "q8Zr1x0PvYbN3mKd7TgWc5Ls9HfJe2Ua");
const Key kSecond = key("second", "Lk2Vw9XeR4tYuI7oPaSdFgHjKl3ZxCvB");

Authenticator with(std::vector<Key> keys, const char* domain = "srs.example",
                   Options options = {}) {
  return {KeyRing::unchecked(std::move(keys)), domain, options};
}

Claim claim(std::string_view hash, std::string_view kind = "SRS0",
            std::string_view local_part = "ann", std::int64_t now = kNow) {
  return {kind, hash, {kToday, "example.org", local_part}, now};
}

TEST(Authenticator, BindsAStrongHashToAllThatItSpeaksFor) {
  const Authenticator ours = with({kFirst});
  const std::string hash = ours.strong_hash("SRS0", {"example.org", "ann"}, kNow).substr(0, 8);
  const auto verified = ours.verify(claim(hash));
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->family, Family::Strong);
  EXPECT_EQ(verified->key_id, "first");
  EXPECT_FALSE(verified->weak);
  EXPECT_EQ(verified->stamp, kToday);

  EXPECT_FALSE(ours.verify(claim(hash, "SRST")));
  EXPECT_FALSE(ours.verify(claim(hash, "SRS0", "bob")));
  EXPECT_FALSE(with({kFirst}, "other.example").verify(claim(hash)));
  EXPECT_FALSE(with({kSecond}).verify(claim(hash)));
  EXPECT_FALSE(ours.verify(claim(hash, "SRS0", "ann", kNow + 1024 * kDay)));  // the stamp wraps
  EXPECT_FALSE(ours.verify(claim(hash.substr(0, 7))));
}

TEST(Authenticator, SurvivesAServerThatChangesCase) {
  const Authenticator ours = with({kFirst}, "SRS.Example");
  const std::string hash = ours.strong_hash("SRS0", {"Example.ORG", "Ann"}, kNow).substr(0, 8);
  EXPECT_TRUE(with({kFirst}).verify(claim(hash)));
}

TEST(Authenticator, TriesEveryKeyThatIsNotRetired) {
  const std::string hash =
      with({kSecond}).strong_hash("SRS0", {"example.org", "ann"}, kNow).substr(0, 8);
  Key retiring = kSecond;
  retiring.verify_until = kNow;
  const Authenticator ours = with({kFirst, retiring});
  ASSERT_TRUE(ours.verify(claim(hash)));
  EXPECT_EQ(ours.verify(claim(hash))->key_id, "second");
  EXPECT_FALSE(ours.verify(claim(hash, "SRS0", "ann", kNow + 1)));
}

TEST(Authenticator, TakesShortHashesOnlyWhileAKeyIsForThem) {
  EXPECT_FALSE(with({kFirst}).takes_short_hashes(kNow));
  Key old = kSecond;
  old.classic_until = kNow;
  const Authenticator ours = with({kFirst, old});
  EXPECT_TRUE(ours.takes_short_hashes(kNow));
  EXPECT_FALSE(ours.takes_short_hashes(kNow + 1));

  const std::string text = std::string(kToday) + "example.org" + "ann";
  const std::string hash = with({kSecond}).classic_hash(text);
  EXPECT_EQ(hash.size(), Options().classic_hash_length);
  ASSERT_TRUE(ours.verify(claim(hash)));
  EXPECT_EQ(ours.verify(claim(hash))->family, Family::Classic);
  EXPECT_FALSE(ours.verify(claim(hash, "SRST")));
  EXPECT_FALSE(with({kFirst, kSecond}).verify(claim(hash)));
}

TEST(Authenticator, KeepsDigestsOfDifferentUsesApart) {
  const Authenticator ours = with({kFirst});
  EXPECT_EQ(ours.digest("log", {"a", "b"}), ours.digest("log", {"a", "b"}));
  EXPECT_EQ(ours.digest("log", {"a", "b"}).size(), 16U);
  EXPECT_NE(ours.digest("log", {"a", "b"}), ours.digest("token", {"a", "b"}));
  EXPECT_NE(ours.digest("log", {"a", "b"}), ours.digest("log", {"ab", ""}));
  EXPECT_NE(ours.digest("log", {"a", "b"}), with({kSecond}).digest("log", {"a", "b"}));
}

}  // namespace
}  // namespace srs
