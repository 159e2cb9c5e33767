// Goldens: the same message and key give the same octets, now and in ten years. That the signatures
// are right is shown by tests/auth/dkim/verify_corpus.py.
#include "relay/auth/dkim/signature_maker.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/auth/dkim/signature_field.hpp"
#include "tests/support/golden.hpp"

namespace relay::auth::dkim {
namespace {

using testing::ElementsAre;

std::string file(const std::string& name) {
  return support::read_source("tests/auth/dkim/data/" + name);
}

const std::string kHeader =
    "Received: from x\r\nDKIM-Signature: v=1; d=sender.example\r\n"
    "From: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner\r\n  ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\nX-Other: not signed\r\n";

std::string field(const std::string& key_file, const std::string& header = kHeader) {
  const auto key = PrivateKey::parse(file(key_file));
  const auto fields = mail::readable_fields(header);
  const std::string body_hash(32, '\x42');
  return make_signature_field({.domain = "fwd.example",
                               .selector = "s2026",
                               .body_hash = body_hash,
                               .now_unix = 1'795'500'000,
                               .expires_unix = 1'796'104'800,
                               .fields = fields},
                              *key);
}

void expect_golden(const std::string& name, const std::string& text) {
  support::expect_golden("tests/auth/dkim/data/" + name, text);
}

TEST(SignatureMaker, WithRsaIsAsRecorded) { expect_golden("rsa.golden", field("rsa.pem")); }

TEST(SignatureMaker, WithEd25519IsAsRecorded) {
  expect_golden("ed25519.golden", field("ed25519.pem"));
}

TEST(SignatureMaker, IsFoldedAndHoldsNothingUnsafe) {
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

/// A signature that never expires can be replayed for ever, so x= is left out only on request.
TEST(SignatureMaker, SaysHowLongTheSignatureHolds) {
  const auto parsed = parse_signature_field(field("rsa.pem").substr(15));
  ASSERT_TRUE(parsed) << describe(parsed.error());
  EXPECT_EQ(parsed->signed_at, 1'795'500'000);
  EXPECT_EQ(parsed->expires_at, 1'796'104'800);
  const std::string body_hash(32, '\x42');
  const std::string for_ever = make_signature_field({.domain = "fwd.example",
                                                     .selector = "s2026",
                                                     .body_hash = body_hash,
                                                     .now_unix = 1'795'500'000,
                                                     .fields = {}},
                                                    *PrivateKey::parse(file("ed25519.pem")));
  EXPECT_EQ(for_ever.find("x="), std::string::npos);
}

TEST(SignedNames, NameEachOccurrence) {
  EXPECT_THAT(
      signed_names(mail::readable_fields(kHeader)),
      ElementsAre("From", "From", "Reply-To", "Subject", "Subject", "Date", "Date", "Message-ID",
                  "Message-ID", "To", "To", "Cc", "MIME-Version", "Content-Type"));
  EXPECT_EQ(std::ranges::count(signed_names(mail::readable_fields("to: a\r\nTO: b\r\n")), "To"), 3);
  EXPECT_EQ(std::ranges::count(signed_names(mail::readable_fields("List-ID: <a>\r\n")), "List-Id"),
            1);
}

/// No field that readers or parsers rely on can be added on top of a signed message.
TEST(SignedNames, OversignWhatAReaderGoesBy) {
  EXPECT_THAT(signed_names({}), ElementsAre("From", "Reply-To", "Subject", "Date", "Message-ID",
                                            "To", "Cc", "MIME-Version", "Content-Type"));
}

TEST(SignedNames, AreBounded) {
  std::string many = "From: a@b.example\r\n";
  for (int i = 0; i < 900; ++i) many += "To: a@b.example\r\n";
  EXPECT_LE(signed_names(mail::readable_fields(many)).size(), 200U);
}

TEST(SignatureMaker, ChangesWithEverySignedFieldAndWithNoOther) {
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
}  // namespace relay::auth::dkim
