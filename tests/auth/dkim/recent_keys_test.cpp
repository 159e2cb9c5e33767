#include "relay/auth/dkim/recent_keys.hpp"

#include <gtest/gtest.h>

#include "relay/auth/dkim/key_record.hpp"
#include "relay/auth/dkim/private_key.hpp"
#include "relay/base/sha256.hpp"

namespace relay::auth::dkim {
namespace {

struct Pair {
  PrivateKey secret = *PrivateKey::generate(KeyType::Ed25519);
  std::string octets = parse_key_record(secret.dns_record())->key;
};

TEST(RecentKeys, VerifyEachWithItsOwnKeyHoweverManyThereAre) {
  const std::string hash = base::sha256("header");
  const std::vector<Pair> pairs(kMaxRecentKeys + 10);
  for (int round = 0; round < 2; ++round) {
    for (const Pair& pair : pairs) {
      const auto key = recent_key(KeyType::Ed25519, pair.octets);
      ASSERT_TRUE(key);
      EXPECT_TRUE(key->verify_hash(hash, pair.secret.sign_hash(hash)));
      EXPECT_FALSE(key->verify_hash(hash, Pair().secret.sign_hash(hash)));
    }
  }
}

TEST(RecentKeys, AreThoseOfTheirTypeOnly) {
  const Pair pair;
  ASSERT_TRUE(recent_key(KeyType::Ed25519, pair.octets));
  EXPECT_EQ(recent_key(KeyType::Rsa, pair.octets).error(), KeyFault::Malformed);
  EXPECT_EQ(recent_key(KeyType::Rsa, pair.octets).error(), KeyFault::Malformed) << "and again";
}

}  // namespace
}  // namespace relay::auth::dkim
