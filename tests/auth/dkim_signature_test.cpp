// Goldens: the same message and key give the same octets, now and in ten years. That the signatures
// are right is shown by tests/auth/verify_corpus.py.
#include "relay/auth/dkim_signature.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::auth {
namespace {

using testing::ElementsAre;

std::string file(const std::string& name) {
  std::stringstream text;
  text << std::ifstream(std::string(RELAY_SOURCE_DIR) + "/tests/auth/data/" + name,
                        std::ios::binary)
              .rdbuf();
  return text.str();
}

const std::string kHeader =
    "Received: from x\r\nDKIM-Signature: v=1; d=sender.example\r\n"
    "From: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner\r\n  ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\nX-Other: not signed\r\n";

std::string field(const std::string& key_file, const std::string& header = kHeader) {
  const auto key = DkimKey::parse(file(key_file));
  const auto fields = mail::readable_fields(header);
  const std::string body_hash(32, '\x42');
  return dkim_signature_field({.domain = "fwd.example",
                               .selector = "s2026",
                               .body_hash = body_hash,
                               .now_unix = 1'795'500'000,
                               .fields = fields},
                              *key);
}

/// After a change on purpose: UPDATE_GOLDEN=1 auth_test
void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(RELAY_SOURCE_DIR) + "/tests/auth/data/" + name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << text;
  EXPECT_EQ(text, file(name));
}

TEST(DkimSignature, WithRsaIsAsRecorded) { expect_golden("rsa.golden", field("rsa.pem")); }

TEST(DkimSignature, WithEd25519IsAsRecorded) {
  expect_golden("ed25519.golden", field("ed25519.pem"));
}

TEST(DkimSignature, IsFoldedAndHoldsNothingUnsafe) {
  for (const char* key : {"rsa.pem", "ed25519.pem"}) {
    std::istringstream lines(field(key));
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      ASSERT_TRUE(line.ends_with('\r'));
      EXPECT_LE(line.size(), 79U) << line;
      EXPECT_EQ(line.starts_with('\t'), count > 0) << line;
    }
    EXPECT_EQ(field(key).find("l="), std::string::npos);
    EXPECT_EQ(field(key).find("z="), std::string::npos);
  }
}

TEST(SignedNames, NameEachOccurrenceAndFromOnceMore) {
  EXPECT_THAT(signed_names(mail::readable_fields(kHeader)),
              ElementsAre("From", "From", "Subject", "Date", "Message-ID", "To"));
  EXPECT_THAT(signed_names(mail::readable_fields("to: a\r\nTO: b\r\n")),
              ElementsAre("From", "To", "To"));
  EXPECT_THAT(signed_names({}), ElementsAre("From"));
}

TEST(SignedNames, AreBounded) {
  std::string many = "From: a@b.example\r\n";
  for (int i = 0; i < 900; ++i) many += "To: a@b.example\r\n";
  EXPECT_LE(signed_names(mail::readable_fields(many)).size(), 200U);
}

TEST(DkimSignature, ChangesWithEverySignedFieldAndWithNoOther) {
  const std::string before = field("ed25519.pem");
  std::string changed = kHeader;
  changed.replace(changed.find("dinner"), 6, "supper");
  EXPECT_NE(field("ed25519.pem", changed), before);
  changed = kHeader;
  changed.replace(changed.find("not signed"), 10, "changed at will");
  EXPECT_EQ(field("ed25519.pem", changed), before);
  changed = kHeader;
  changed.replace(changed.find("Is dinner\r\n  ready?"), 19, "Is  dinner ready?");
  EXPECT_EQ(field("ed25519.pem", changed), before) << "white space is relaxed";
}

}  // namespace
}  // namespace relay::auth
