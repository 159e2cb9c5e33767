#include "relay/auth/dkim/verifier.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/auth/dkim/verifier_fixture.hpp"

namespace relay::auth::dkim {
namespace {

using mail::DkimResult;
using mail::DkimVerdict;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(Verifier, SaysNothingOfAnUnsignedMessage) {
  EXPECT_THAT(judged(kMessage, dns_), IsEmpty());
  EXPECT_THAT(dns_.asked(), IsEmpty());
}

TEST_F(Verifier, PassesOurOwnSignatures) {
  const auto rsa = only_verdict(by_us(rsa_, "r"));
  EXPECT_EQ(rsa.result, DkimResult::Pass) << rsa.problem;
  EXPECT_EQ(rsa.domain, "x.example");
  EXPECT_EQ(rsa.selector, "r");
  EXPECT_EQ(rsa.identity, "@x.example");
  EXPECT_EQ(rsa.algorithm, "rsa-sha256");
  EXPECT_EQ(rsa.key_bits, 2048);
  EXPECT_FALSE(rsa.testing);
  EXPECT_EQ(rsa.problem, "");
  EXPECT_THAT(rsa.signature_head, SizeIs(8));
  EXPECT_THAT(by_us(rsa_, "r"), testing::HasSubstr("b=" + rsa.signature_head));
  const auto ed25519 = only_verdict(by_us(ed25519_, "e"));
  EXPECT_EQ(ed25519.result, DkimResult::Pass) << ed25519.problem;
  EXPECT_EQ(ed25519.key_bits, 256);
}

TEST_F(Verifier, PassesEveryCanonicalization) {
  for (const char* canon : {"simple", "relaxed", "simple/simple", "simple/relaxed",
                            "relaxed/simple", "relaxed/relaxed"}) {
    EXPECT_EQ(verdict_with("c", canon).result, DkimResult::Pass) << canon;
  }
}

TEST_F(Verifier, FailsWhatHasBeenChanged) {
  const std::string good = by_us(rsa_, "r");
  EXPECT_EQ(only_verdict(changed(good, "lost", "won ")).problem, "body hash did not verify");
  EXPECT_EQ(only_verdict(changed(good, "dinner", "supper")).problem, "signature did not verify");
  EXPECT_EQ(only_verdict(changed(good, "t=1795500000", "t=1795500001")).result, DkimResult::Fail)
      << "the signature field is signed, too";
  EXPECT_EQ(only_verdict(changed(good, "We  lost the game. ", "We\tlost  the game.")).result,
            DkimResult::Pass)
      << "relaxed";
  for (const char* octet : {"\n", "\r"}) {
    const auto bare =
        only_verdict(changed(good, "Is dinner", "Is" + std::string(octet) + "dinner"));
    EXPECT_EQ(bare.result, DkimResult::Fail) << "no white space (RFC 6376 §3.4.2)";
  }
  const std::string simple = signed_with(kMessage, rsa_, tags_with("c", "simple/simple"));
  EXPECT_EQ(only_verdict(changed(simple, "We  lost", "We lost")).result, DkimResult::Fail);
  EXPECT_EQ(only_verdict(changed(simple, "Is dinner", "Is  dinner")).result, DkimResult::Fail);
  EXPECT_EQ(only_verdict(changed(simple, "Date:", "date:")).result, DkimResult::Fail);
}

/// On our own signature, for each field a reader or a parser goes by.
TEST_F(Verifier, FailsWhenASecondFieldIsPutOnTop) {
  for (const char* name : {"From", "To", "Cc", "Subject", "Date", "Reply-To", "Message-ID",
                           "MIME-Version", "Content-Type"}) {
    const auto verdict = only_verdict(std::string(name) + ": x\r\n" + by_us(rsa_, "r"));
    EXPECT_EQ(verdict.result, DkimResult::Fail) << name;
  }
  EXPECT_EQ(only_verdict("X-Other: x\r\n" + by_us(rsa_, "r")).result, DkimResult::Pass);
  // The control: not oversigned, as most signers do it.
  const std::string usual = "Subject: x\r\n" + signed_with(kMessage, rsa_, kTags);
  EXPECT_EQ(only_verdict(usual).result, DkimResult::Pass);
}

/// Anybody can change the part of the body outside of l=.
TEST_F(Verifier, DoesNotPassWhatLeavesOctetsUnsigned) {
  const auto body_octets = std::string("Hi.\r\n\r\nWe lost the game.\r\n").size();
  const std::string exact = std::to_string(body_octets);
  EXPECT_EQ(verdict_with("l", exact).result, DkimResult::Pass);
  const std::string message = signed_with(kMessage, rsa_, tags_with("l", exact));
  const auto appended = only_verdict(message + "<a href=...>\r\n");
  EXPECT_EQ(appended.result, DkimResult::Policy);
  EXPECT_EQ(appended.key_bits, 2048) << "it was verified";
  EXPECT_EQ(verdict_with("l", "0").result, DkimResult::Policy);
  EXPECT_EQ(only_verdict(changed(message, "lost", "kept")).result, DkimResult::Fail);
  EXPECT_EQ(verdict_with("l", std::to_string(body_octets + 1)).result, DkimResult::PermError);
}

/// A signature that oversigns DKIM-Signature never counts itself, and wants no other on top.
TEST_F(Verifier, PassesOverTheSignatureItselfInItsOwnNames) {
  std::string message = signed_with(kMessage, rsa_, kTags);
  message = signed_with(message, rsa_, tags_with("h", "From:DKIM-Signature:DKIM-Signature"));
  EXPECT_EQ(judged(message, dns_).at(0).result, DkimResult::Pass);
  message = signed_with(message, rsa_, kTags);
  const auto verdicts = judged(message, dns_);
  EXPECT_EQ(verdicts.at(0).result, DkimResult::Pass);
  EXPECT_EQ(verdicts.at(1).result, DkimResult::Fail);
}

TEST_F(Verifier, HoldsSignaturesToTheirTimes) {
  const auto at = [](std::int64_t offset) { return std::to_string(kTestNow + offset); };
  EXPECT_EQ(verdict_with("x", at(1)).result, DkimResult::Pass);
  EXPECT_EQ(verdict_with("x", at(-kClockSkewSeconds)).result, DkimResult::Pass);
  EXPECT_EQ(verdict_with("x", at(-kClockSkewSeconds - 1)).result, DkimResult::PermError);
  EXPECT_EQ(verdict_with("t", at(86'401)).result, DkimResult::PermError);
  EXPECT_TRUE(verdict_with("t", "0").vouches());
  EXPECT_TRUE(verdict_with("x", "999999999999").vouches());
}

/// Clocks differ by minutes, which means nothing; a signature dated further ahead is one that a
/// verifier may ignore (RFC 6376 §3.5), and is no reason to refuse.
TEST_F(Verifier, PassesSignaturesDatedAheadWithReservation) {
  const auto dated = [&](std::int64_t offset) {
    return verdict_with("t", std::to_string(kTestNow + offset));
  };
  EXPECT_TRUE(dated(kClockSkewSeconds).vouches());
  for (const std::int64_t ahead : {kClockSkewSeconds + 1, std::int64_t{86'400}}) {
    const auto verdict = dated(ahead);
    EXPECT_EQ(verdict.result, DkimResult::Pass);
    EXPECT_TRUE(verdict.dated_ahead);
    EXPECT_FALSE(verdict.vouches());
  }
}

TEST_F(Verifier, HoldsKeysToWhatTheyAreFor) {
  const std::string record = rsa_.dns_record();
  EXPECT_EQ(verdict_with_record(record + "; s=other").problem, "key is not for mail");
  EXPECT_EQ(verdict_with_record(record + "; h=sha1").problem, "key is not for sha256");
  EXPECT_EQ(verdict_with_record(ed25519_.dns_record()).problem, "key of another algorithm");
  EXPECT_EQ(verdict_with_record(record + "; s=email; h=sha256; n=x; g=").result, DkimResult::Pass);
  const auto testing = verdict_with_record(record + "; t=y");
  EXPECT_EQ(testing.result, DkimResult::Pass);
  EXPECT_TRUE(testing.testing);
  const std::string below = tags_with("i", "ann@a.x.example");
  EXPECT_EQ(verdict_with_record(record, below).result, DkimResult::Pass);
  EXPECT_EQ(verdict_with_record(record, below).identity, "ann@a.x.example");
  EXPECT_EQ(verdict_with_record(record + "; t=s", below).result, DkimResult::PermError);
  EXPECT_EQ(verdict_with_record(record + "; t=s", tags_with("i", "a@X.example")).result,
            DkimResult::Pass);
  EXPECT_EQ(verdict_with_record("v=DKIM1; p=").problem, "key is revoked");
}

/// 1024 bits may pass, below that nothing is computed.
TEST_F(Verifier, RefusesKeysThatAreTooShort) {
  const std::string short_key =  // RSA of 512 bits, from the vectors of Mail::DKIM
      "v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALgSoqXVSEmfcIsOzw7oRuCCOwsmtX/"
      "SJnTWxYyj2leFxfS/AVJ+dYfY+hXqMsT7l+MZvvh/R1WzN4MO/kI/7XsCAwEAAQ==";
  const auto verdict = verdict_with_record(short_key);
  EXPECT_EQ(verdict.result, DkimResult::PermError);
  EXPECT_EQ(verdict.problem, "RSA key below 1024 bits");
}

TEST_F(Verifier, NeverPassesSha1) {
  EXPECT_EQ(verdict_with("a", "rsa-sha1").result, DkimResult::PermError);
  EXPECT_THAT(dns_.asked(), IsEmpty());
}

TEST_F(Verifier, TriesTheKeysOfANameThatHasSeveral) {
  const auto other = PrivateKey::generate(KeyType::Rsa);
  dns_.set("r._domainkey.x.example",
           {{other->dns_record(), "v=spf1 -all", rsa_.dns_record(), "v=DKIM1; p="}});
  EXPECT_EQ(only_verdict(signed_with(kMessage, rsa_, kTags)).result, DkimResult::Pass);
  dns_.set("r._domainkey.x.example", {{other->dns_record()}});
  EXPECT_EQ(only_verdict(signed_with(kMessage, rsa_, kTags)).result, DkimResult::Fail);
}

/// Mail whose key cannot be looked up for now is put off; a key that does not exist is a failure.
TEST_F(Verifier, TellsTemporaryFromPermanentErrors) {
  const std::string message = signed_with(kMessage, rsa_, kTags);
  using ports::DnsError;
  for (const auto error :
       {DnsError::Temporary, DnsError::Bogus, DnsError::Timeout, DnsError::Malformed}) {
    dns_.set("r._domainkey.x.example", std::unexpected(error));
    EXPECT_EQ(only_verdict(message).result, DkimResult::TempError);
  }
  for (const auto error : {DnsError::NoSuchName, DnsError::NoData}) {
    dns_.set("r._domainkey.x.example", std::unexpected(error));
    EXPECT_EQ(only_verdict(message).result, DkimResult::PermError);
  }
}

TEST_F(Verifier, IsUndecidedWithoutItsKeys) {
  const std::string message = signed_with(kMessage, rsa_, kTags);
  BodyHashes hashes;
  Verification verification(mail::Header(message), hashes);
  hashes.update(body_of(message));
  hashes.finish();
  EXPECT_EQ(verification.finish(hashes, at_unix(kTestNow)).at(0).result, DkimResult::TempError);
}

}  // namespace
}  // namespace relay::auth::dkim
