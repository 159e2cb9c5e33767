// RFC 8617 §5.2, and what it may cost. ValiMail's suite: vectors_test.cpp.
#include "relay/auth/arc/verifier.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/auth/arc/checked.hpp"
#include "tests/auth/arc/hops.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace relay::auth::arc {
namespace {

using mail::ArcResult;
using testing::HasSubstr;
using testing::SizeIs;

class ArcVerification : public testing::Test {
 protected:
  fakes::FakeClock clock_;
  fakes::FakeResolver resolver_{clock_, key_line(sealing_key())};
};

TEST_F(ArcVerification, PassesForUpToFiftySetsWithOneKey) {
  std::string message = plain_message();
  for (unsigned i = 1; i <= kMaxInstances; ++i) {
    message = sealed(std::move(message), 1);
    if (i != 1 && i != 2 && i != 7 && i != 11 && i != 12 && i != 50) continue;
    const auto verdict = checked(message, resolver_);
    ASSERT_EQ(verdict.result, ArcResult::Pass) << i << ": " << verdict.problem;
    EXPECT_EQ(verdict.instances, i);
    EXPECT_EQ(verdict.last_sealer, "hop.example");
    // Ten older message signatures are looked at; of those beyond nothing is claimed.
    EXPECT_EQ(verdict.oldest_pass, i <= kMaxOlderSignatures + 1 ? 0U : i - kMaxOlderSignatures);
  }
  EXPECT_THAT(resolver_.calls(), SizeIs(6));  // one for each message looked at
}

TEST_F(ArcVerification, FailsWhenAnythingSealedIsChanged) {
  const std::string message = sealed(plain_message(), 3);
  const auto fails_with = [&](const std::string& changed, const char* problem) {
    const auto verdict = checked(changed, resolver_);
    EXPECT_EQ(verdict.result, ArcResult::Fail) << problem;
    EXPECT_THAT(verdict.problem, HasSubstr(problem));
  };
  fails_with(replaced(message, "pay", "buy"), "message signature 3: body hash does not match");
  fails_with(replaced(message, "an invoice", "a bill"), "message signature 3: ");
  fails_with("Subject: another one on top\r\n" + message, "message signature 3: ");
  fails_with(replaced(message, "dmarc=pass", "dmarc=fail"), "seal 3: ");
  auto fields = fields_of(message);
  fields.at(8) = replaced(fields.at(8), "dmarc=pass", "dmarc=fail");
  fails_with(joined(fields, message), "seal 3: ");  // the oldest results are under every seal
  fields = fields_of(message);
  fields.at(3) = replaced(fields.at(3), "t=1", "t=2");
  fails_with(joined(fields, message), "seal 3: ");
}

/// §5.2 step 5: a hop that changes the message breaks the signatures below its own.
TEST_F(ArcVerification, TellsHowFarBackTheMessageIsUnchanged) {
  std::string message = sealed(plain_message(), 2);
  message = replaced(message, "Subject: an invoice", "Subject: [list] an invoice");
  message.insert(0, set_for(message, sealing_key(), ArcResult::Pass));
  auto verdict = checked(message, resolver_);
  EXPECT_EQ(verdict.result, ArcResult::Pass) << verdict.problem;
  EXPECT_EQ(verdict.oldest_pass, 3U);
  message = sealed(message, 1);
  verdict = checked(message, resolver_);
  EXPECT_EQ(verdict.result, ArcResult::Pass);
  EXPECT_EQ(verdict.oldest_pass, 3U);
  EXPECT_EQ(verdict.instances, 4U);
}

TEST_F(ArcVerification, LooksUpTwelveKeysButNotThirteen) {
  std::string zone;
  std::string message = plain_message();
  for (std::size_t i = 0; i <= kMaxKeyLookups; ++i) {
    const SealingKey key = sealing_key("hop.example", "s" + std::to_string(i));
    zone += key_line(key);
    message = sealed(std::move(message), 1, key);
    fakes::FakeResolver resolver(clock_, zone);
    const auto verdict = checked(message, resolver);
    const bool allowed = i < kMaxKeyLookups;
    EXPECT_EQ(verdict.result, allowed ? ArcResult::Pass : ArcResult::Fail) << i << verdict.problem;
    EXPECT_THAT(resolver.calls(), SizeIs(std::min(i + 1, kMaxKeyLookups)));
    if (!allowed) EXPECT_EQ(verdict.problem, "more than 12 keys");
  }
}

TEST_F(ArcVerification, WaitsForKeysThatCannotBeHadJustNow) {
  const SealingKey other = sealing_key("other.example");
  const std::string message = sealed(sealed(plain_message(), 1, other), 1);
  const std::string servfail = "s1._domainkey.other.example SERVFAIL\n" + key_line(sealing_key());
  const auto verdict = checked(message, servfail);
  EXPECT_EQ(verdict.result, ArcResult::TempError);
  EXPECT_THAT(verdict.problem, HasSubstr("seal 1: "));
  EXPECT_EQ(checked(message, "s1._domainkey.hop.example SERVFAIL\n").result, ArcResult::TempError);
  // A chain that is certainly invalid is not deferred.
  EXPECT_EQ(checked(replaced(message, "pay", "buy"), servfail).result, ArcResult::Fail);
}

TEST_F(ArcVerification, FailsForKeysThatMustNotBeUsed) {
  const std::string message = sealed(plain_message(), 1);
  const std::string name = "s1._domainkey.hop.example";
  const std::string record = sealing_key().key.dns_record();
  EXPECT_EQ(checked(message, "hop.example EXISTS\n").result, ArcResult::Fail);
  EXPECT_EQ(checked(message, name + " EXISTS\n").result, ArcResult::Fail);
  EXPECT_EQ(checked(message, key_line(name, "v=DKIM1; p=")).result, ArcResult::Fail);
  EXPECT_EQ(checked(message, key_line(name, "junk")).result, ArcResult::Fail);
  EXPECT_EQ(checked(message, key_line(name, replaced(record, "k=rsa", "k=rsa; h=sha1"))).result,
            ArcResult::Fail);
  EXPECT_EQ(checked(message, key_line(name, replaced(record, "k=rsa", "k=ed25519"))).result,
            ArcResult::Fail);
  EXPECT_EQ(checked(message, key_line(name, record)).result, ArcResult::Pass);  // the control
}

TEST_F(ArcVerification, TakesNoPartOfTheBodyAndNoExpiredSignature) {
  const SealingKey key = sealing_key();
  const std::string message = sealed(plain_message(), 1);
  const auto with_tag = [&](const std::string& tag) {
    return signed_again(replaced(message, "c=relaxed", tag + "; c=relaxed"), key);
  };
  EXPECT_EQ(checked(with_tag("z=none"), resolver_).result, ArcResult::Pass);  // the control
  EXPECT_EQ(checked(with_tag("x=1795488900"), resolver_).result, ArcResult::Pass);
  EXPECT_THAT(checked(with_tag("x=1795488899"), resolver_).problem, HasSubstr("expired"));
  EXPECT_THAT(checked(with_tag("l=5"), resolver_).problem, HasSubstr("l= is not the whole body"));
  EXPECT_THAT(checked(with_tag("l=5000"), resolver_).problem, HasSubstr("l= is not the whole"));
  EXPECT_THAT(checked(replaced(message, "c=relaxed", "l=x; c=relaxed"), resolver_).problem,
              HasSubstr("bad l= or x="));
}

TEST_F(ArcVerification, TakesEd25519) {
  const SealingKey key{"ed.example", "e", *dkim::PrivateKey::generate(dkim::KeyType::Ed25519)};
  EXPECT_EQ(checked(sealed(plain_message(), 2, key), key_line(key)).result, ArcResult::Pass);
}

TEST_F(ArcVerification, WithoutKeysFetchedClaimsNothing) {
  const std::string message = sealed(plain_message(), 1);
  dkim::BodyHashes hashes;
  const Verification verification(mail::Header(message), hashes);
  hashes.update("Please pay  at once.\r\n\r\n");
  hashes.finish();
  EXPECT_EQ(verification.finish(hashes, fakes::FakeClock::kStart).result, ArcResult::TempError);
}

/// Fifty sets in the largest header that is accepted.
TEST_F(ArcVerification, OfTheWorstChainEndsInTime) {
  std::string message = sealed(plain_message(), kMaxInstances);
  const std::size_t room = mail::kMaxHeaderOctets - *mail::header_length(message);
  const std::string padding = "Subject: " + std::string(900, 'x') + "\r\n";
  for (std::size_t used = padding.size(); used < room; used += padding.size()) {
    message.insert(message.find("Received:"), padding);
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(checked(message, resolver_).result, ArcResult::Fail);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

}  // namespace
}  // namespace relay::auth::arc
