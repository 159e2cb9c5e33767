// Results of sealers about an author, in the spelling of large mail systems. Every chain here is a
// real one, which passes.
#include "relay/auth/arc/sealed_verdict.hpp"

#include <gtest/gtest.h>

#include "tests/auth/arc/checked.hpp"
#include "tests/auth/arc/hops.hpp"

namespace relay::auth::arc {
namespace {

constexpr const char* kAuthor = "sender.example";  // of plain_message()

bool vouches(const std::string& message, std::string_view author = kAuthor) {
  const auto verdict = checked(message, key_line(sealing_key()));
  EXPECT_EQ(verdict.result, mail::ArcResult::Pass) << verdict.problem;
  const std::size_t header = mail::header_length(message).value_or(message.size());
  return newest_set_vouches_for(mail::Header(message.substr(0, header)), author);
}

struct Words {
  const char* name;
  std::string results;
};

void PrintTo(const Words& one, std::ostream* out) { *out << one.name; }

constexpr auto kName = [](const auto& info) { return std::string(info.param.name); };

/// The same words for mail that failed, and for another author.
std::string with(std::string results, std::string_view old_text, std::string_view new_text) {
  for (std::size_t at = 0; (at = results.find(old_text, at)) != std::string::npos;) {
    results.replace(at, old_text.size(), new_text);
    at += new_text.size();
  }
  return results;
}

class OfBigSealers : public testing::TestWithParam<Words> {};

TEST_P(OfBigSealers, CountsForItsAuthorAlone) {
  const std::string& results = GetParam().results;
  const std::string message = sealed_with(plain_message(), results);
  EXPECT_TRUE(vouches(message));
  EXPECT_FALSE(vouches(message, "victim.example"));
  EXPECT_FALSE(vouches(message, "mail.sender.example"));
  EXPECT_FALSE(vouches(message, "example"));
  EXPECT_FALSE(vouches(message, ""));
  const std::string spoof = with(results, "sender.example", "attack.example");
  EXPECT_FALSE(vouches(sealed_with(plain_message(), spoof)));
  const std::string failed = with(results, "dmarc=pass", "dmarc=fail");
  EXPECT_FALSE(vouches(sealed_with(plain_message(), failed)));
  EXPECT_FALSE(vouches(sealed_with(plain_message(), results, {"To", "Subject", "Reply-To"})))
      << "From is not signed";
  EXPECT_TRUE(vouches(sealed_with(plain_message(), results, {"to", "from"})));
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, OfBigSealers,
    testing::Values(
        Words{
            "Microsoft",
            "mx.microsoft.com 1; spf=pass smtp.mailfrom=sender.example;\r\n dmarc=pass action=none "
            "header.from=sender.example;\r\n dkim=pass header.d=sender.example; arc=none"},
        Words{
            "MicrosoftAsSecondHop",
            "mx.microsoft.com 1; spf=pass (sender ip is 192.0.2.7) smtp.rcpttodomain=fwd.example "
            "smtp.mailfrom=sender.example;\r\n dmarc=pass (p=reject sp=reject pct=100) action=none "
            "header.from=sender.example;\r\n dkim=pass (signature was verified) "
            "header.d=sender.example; arc=pass (0 oda=1 ltdi=1 spf=[1,1,smtp.mailfrom=a.example] "
            "dkim=[1,1,header.d=a.example] dmarc=[1,1,header.from=a.example])"},
        Words{
            "Fastmail",
            "mx1.messagingengine.example; x-csa=none; x-me-sender=none; x-ptr=pass "
            "smtp.helo=mx.sender.example policy.ptr=mx.sender.example;\r\n bimi=skipped (DMARC did "
            "not pass); arc=none (no signatures found); dkim=pass (2048-bit rsa key sha256) "
            "header.d=sender.example header.i=@sender.example header.b=Ab/+dEf= "
            "header.a=rsa-sha256 header.s=fm1 x-bits=2048;\r\n dmarc=pass "
            "policy.published-domain-policy=reject policy.applied-disposition=none "
            "policy.evaluated-disposition=none (p=reject,d=none,d.eval=none) policy.policy-from=p "
            "header.from=sender.example; iprev=pass smtp.remote-ip=192.0.2.7 "
            "(mx.sender.example); spf=pass smtp.mailfrom=ann@sender.example "
            "smtp.helo=mx.sender.example"},
        Words{"Google",
              "mx.google.example; dkim=pass header.i=@sender.example header.s=s1 "
              "header.b=\"aB/cD+eF\";\r\n spf=pass (google.example: domain of ann@sender.example "
              "designates 192.0.2.7 as permitted sender; so it is) "
              "smtp.mailfrom=ann@sender.example;\r\n dmarc=pass (p=REJECT sp=REJECT dis=NONE) "
              "header.from=sender.example; dara=pass header.i=@fwd.example"},
        Words{
            "Zoho",
            "mx.zohomail.example; dkim=pass; spf=pass (zohomail.example: domain of sender.example "
            "designates 192.0.2.7 as permitted sender)  smtp.mailfrom=ann@sender.example;\r\n "
            "dmarc=pass(p=reject dis=none)  header.from=<ann@sender.example>"},
        Words{"FinalSemicolon", "mx.hop.example; dmarc=pass header.from=sender.example;"},
        Words{
            "OddWords",
            "mx.hop.example; client-ip=192.0.2.7; x-tls.subject=\"/CN=a;b\"; dmarc=pass policy.x= "
            "header.from=sender.example; spf=pass client-ip=192.0.2.7"},
        Words{"NoName", "dmarc=pass header.from=sender.example; spf=none"},
        Words{"InQuotes", "mx.hop.example; dmarc=pass header.from=\"sender.example\""}),
    kName);

class NoVoucher : public testing::TestWithParam<Words> {};

TEST_P(NoVoucher, IsWhatLeavesADoubt) {
  EXPECT_FALSE(vouches(sealed_with(plain_message(), GetParam().results)));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, NoVoucher,
    testing::Values(
        Words{"NoResults", "mx.hop.example; none"},
        Words{"NoDmarc", "mx.hop.example; spf=pass header.from=sender.example"},
        Words{"NoAuthor", "mx.hop.example; dmarc=pass"},
        Words{"EmptyAuthor", "mx.hop.example; dmarc=pass header.from="},
        Words{"EmptyAuthorAndMore", "mx.hop.example; dmarc=pass header.from= policy.dmarc=reject"},
        Words{"FailBeside",
              "mx.hop.example; dmarc=pass header.from=sender.example; dmarc=fail "
              "header.from=sender.example"},
        Words{"FailBefore",
              "mx.hop.example; dmarc=fail action=oreject header.from=sender.example; dmarc=pass "
              "header.from=sender.example"},
        Words{"Twice",
              "mx.hop.example; dmarc=pass header.from=sender.example; dmarc=pass "
              "header.from=sender.example"},
        Words{"OtherFailed",
              "mx.hop.example; dmarc=pass header.from=sender.example; dmarc=fail "
              "header.from=attack.example"},
        Words{"FailInPlaceOfTheName",
              "dmarc=fail header.from=sender.example; dmarc=pass header.from=sender.example"},
        Words{"TwoAuthors",
              "mx.hop.example; dmarc=pass header.from=sender.example header.from=attack.example"},
        Words{"TheOtherFirst",
              "mx.hop.example; dmarc=pass header.from=attack.example header.from=sender.example"},
        Words{"BestGuess", "mx.hop.example; dmarc=bestguesspass header.from=sender.example"},
        Words{"InAComment", "mx.hop.example; (; dmarc=pass header.from=sender.example) spf=none"},
        Words{"InAQuotedString",
              "mx.hop.example; spf=pass smtp.mailfrom=\"; dmarc=pass "
              "header.from=sender.example;\"@attack.example"},
        Words{"BehindAnOpenComment",
              "mx.hop.example; dmarc=pass header.from=sender.example; spf=none (; dmarc=fail"},
        Words{"BehindAnOpenQuote",
              "mx.hop.example; dmarc=pass header.from=sender.example; spf=none \"; dmarc=fail"},
        Words{"OtherMethod", "mx.hop.example; x-dmarc=pass header.from=sender.example"},
        Words{"OtherProperty", "mx.hop.example; dmarc=pass smtp.from=sender.example"},
        Words{"LocalPartAlone",
              "mx.hop.example; dmarc=pass header.from=sender.example@attack.example"},
        Words{"Literal", "mx.hop.example; dmarc=pass header.from=[sender.example]"}),
    kName);

/// The ";" that ends the instance is not the one in a comment.
TEST(SealedVerdict, IsBehindTheInstance) {
  const std::string results = "mx.hop.example; dmarc=pass header.from=sender.example";
  std::string message = sealed_with(plain_message(), results);
  message = replaced(message, "Results: i=1;", "Results: (a;b) i=1 (dmarc=fail; c) ;");
  EXPECT_TRUE(vouches(signed_again(message, sealing_key())));
  message = sealed_with(plain_message(), "mx.hop.example; dmarc=fail header.from=sender.example");
  message = replaced(message, "Results: i=1;",
                     "Results: i=1 (; dmarc=pass header.from=sender.example;) ;");
  EXPECT_FALSE(vouches(signed_again(message, sealing_key())));
}

TEST(SealedVerdict, IsReadWithoutCase) {
  EXPECT_TRUE(vouches(sealed_with(plain_message(), "a; DMARC=Pass Header.From=Sender.EXAMPLE")));
}

/// An earlier hop is not the one whom the operator trusts.
TEST(SealedVerdict, IsOfTheNewestSet) {
  const std::string pass = "mx.hop.example; dmarc=pass header.from=sender.example";
  const std::string fail = "mx.hop.example; dmarc=fail header.from=sender.example";
  EXPECT_FALSE(vouches(sealed_with(sealed_with(plain_message(), pass), fail)));
  EXPECT_TRUE(vouches(sealed_with(sealed_with(plain_message(), fail), pass)));
}

TEST(SealedVerdict, IsNoneWithoutAChain) {
  EXPECT_FALSE(newest_set_vouches_for(mail::Header(""), kAuthor));
  EXPECT_FALSE(newest_set_vouches_for(mail::Header("From: ann@sender.example\r\n"), kAuthor));
  const std::string message =
      sealed_with(plain_message(), "a; dmarc=pass header.from=sender.example");
  auto fields = fields_of(message);
  fields.erase(fields.begin());  // the seal
  const std::string broken = joined(fields, "\r\n\r\n");
  EXPECT_FALSE(newest_set_vouches_for(mail::Header(broken), kAuthor));
}

}  // namespace
}  // namespace relay::auth::arc
