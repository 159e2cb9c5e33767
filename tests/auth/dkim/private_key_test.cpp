#include "relay/auth/dkim/private_key.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/read_file.hpp"

namespace relay::auth::dkim {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string file(const std::string& name) {
  return support::read_source("tests/auth/dkim/data/" + name);
}

TEST(PrivateKey, PublishesTheKeyOfRfc8463) {
  const auto key = PrivateKey::parse(file("ed25519.pem"));
  ASSERT_TRUE(key) << key.error();
  EXPECT_EQ(key->type(), KeyType::Ed25519);
  EXPECT_EQ(key->dns_record(),
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
}

TEST(PrivateKey, RefusesWhatReceiversRefuse) {
  EXPECT_TRUE(PrivateKey::parse(file("rsa.pem")));
  EXPECT_THAT(PrivateKey::parse(file("rsa-1024.pem")).error(), HasSubstr("2048"));
  EXPECT_FALSE(PrivateKey::parse(file("ec.pem")));
  EXPECT_FALSE(PrivateKey::parse(""));
  EXPECT_FALSE(PrivateKey::parse("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
  const std::string whole = file("rsa.pem");
  for (const std::size_t part : {10UL, 100UL, whole.size() / 2}) {
    EXPECT_FALSE(PrivateKey::parse(whole.substr(0, part)));
  }
}

TEST(PrivateKey, GeneratedKeysCanBeReadAgainAndSign) {
  for (const KeyType type : {KeyType::Rsa, KeyType::Ed25519}) {
    const auto made = PrivateKey::generate(type);
    ASSERT_TRUE(made);
    const auto again = PrivateKey::parse(made->private_pem());
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(again->dns_record(), made->dns_record());
    const std::string hash(32, 'h');
    EXPECT_EQ(made->sign_hash(hash), again->sign_hash(hash)) << "both algorithms are deterministic";
    EXPECT_EQ(made->sign_hash(hash).size(), type == KeyType::Rsa ? 256U : 64U);
    EXPECT_NE(made->sign_hash(hash), made->sign_hash(std::string(32, 'i')));
  }
}

TEST(PrivateKey, AZoneLineCutsLongRecordsIntoStrings) {
  const auto key = PrivateKey::parse(file("rsa.pem"));
  const std::string line = zone_line("s._domainkey.x.example", key->dns_record());
  EXPECT_THAT(line, StartsWith("s._domainkey.x.example"));
  std::string joined;
  std::size_t strings = 0;
  for (std::size_t open = line.find('"'); open != std::string::npos;) {
    const std::size_t close = line.find('"', open + 1);
    ASSERT_NE(close, std::string::npos);
    EXPECT_LE(close - open - 1, 255U);
    joined += line.substr(open + 1, close - open - 1);
    ++strings;
    open = line.find('"', close + 1);
  }
  EXPECT_EQ(joined, key->dns_record());
  EXPECT_GT(strings, 1U);
}

}  // namespace
}  // namespace relay::auth::dkim
