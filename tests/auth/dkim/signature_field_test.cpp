// The tags of a signature, one mistake at a time.
#include "relay/auth/dkim/signature_field.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::auth::dkim {
namespace {

using testing::ElementsAre;

const std::string kHash = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";  // 32 octets
const std::string kGood =
    " v=1; a=rsa-sha256; d=Example.COM; s=Sel.x; h=From : to:Subject; bh=" + kHash + "; b=Zm9v";

struct Mistake {
  const char* name;
  const char* tag;      ///< replaced, or added when the good value has none
  const char* instead;  ///< nullptr: left out
  SignatureError error;
};

std::string with(const Mistake& mistake) {
  std::string value;
  bool replaced = false;
  for (const auto part : split_value(kGood, ';')) {
    const bool here = part.substr(0, part.find('=')) == mistake.tag;
    replaced = replaced || here;
    if (here && mistake.instead == nullptr) continue;
    value += here ? std::string(mistake.tag) + "=" + mistake.instead : std::string(part);
    value += "; ";
  }
  if (!replaced) value += std::string(mistake.tag) + "=" + mistake.instead;
  return value;
}

TEST(SignatureField, HasTheDefaultsOfRfc6376) {
  const auto field = parse_signature_field(kGood + "\r\n");
  ASSERT_TRUE(field) << describe(field.error());
  EXPECT_EQ(field->key_type, KeyType::Rsa);
  EXPECT_EQ(field->signature, "foo");
  EXPECT_EQ(field->body_hash, "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(field->header_canon, Canon::Simple);
  EXPECT_EQ(field->body_canon, Canon::Simple);
  EXPECT_EQ(field->domain, "example.com");
  EXPECT_EQ(field->selector, "sel.x");
  EXPECT_EQ(field->identity_domain, "example.com");
  EXPECT_THAT(field->signed_names, ElementsAre("From", "to", "Subject"));
  EXPECT_EQ(field->length, std::nullopt);
  EXPECT_EQ(field->signed_at, std::nullopt);
  EXPECT_EQ(field->expires_at, std::nullopt);
}

TEST(SignatureField, ReadsWhatIsOptional) {
  const auto field = parse_signature_field(
      kGood + "; c=relaxed/simple; i=ann@Sub.example.com; l=12; t=1; x=2; q=x : dns/txt; z=From:x");
  ASSERT_TRUE(field) << describe(field.error());
  EXPECT_EQ(field->header_canon, Canon::Relaxed);
  EXPECT_EQ(field->body_canon, Canon::Simple);
  EXPECT_EQ(field->identity_domain, "sub.example.com");
  EXPECT_EQ(field->length, 12U);
  EXPECT_EQ(field->signed_at, 1);
  EXPECT_EQ(field->expires_at, 2);
  const auto relaxed = parse_signature_field(kGood + "; c=relaxed");
  EXPECT_EQ(relaxed->header_canon, Canon::Relaxed);
  EXPECT_EQ(relaxed->body_canon, Canon::Simple);
}

/// Invalid by the ABNF, but written and taken by others: an empty name signs nothing.
TEST(SignatureField, PassesOverEmptyNames) {
  for (const char* names : {"From:To:", ":From:To", "From::To", " From :\r\n : To : "}) {
    const auto field = parse_signature_field(with({"", "h", names, {}}));
    ASSERT_TRUE(field) << names;
    EXPECT_THAT(field->signed_names, ElementsAre("From", "To"));
  }
}

TEST(SignatureField, TakesALengthBeyondAllNumbers) {
  const auto field = parse_signature_field(kGood + "; l=" + std::string(76, '9'));
  ASSERT_TRUE(field);
  EXPECT_EQ(field->length, std::numeric_limits<std::uint64_t>::max());
}

/// RFC 8616 §5.
TEST(SignatureField, ReadsInternationalDomains) {
  std::string value = kGood;
  value.replace(value.find("Example.COM"), 11,
                "b\xC3\xBC"
                "cher.example");
  const auto field = parse_signature_field(value);
  ASSERT_TRUE(field) << describe(field.error());
  EXPECT_EQ(field->domain, "xn--bcher-kva.example");
}

class SignatureMistake : public testing::TestWithParam<Mistake> {};

TEST_P(SignatureMistake, IsFound) {
  const auto field = parse_signature_field(with(GetParam()));
  ASSERT_FALSE(field) << with(GetParam());
  EXPECT_EQ(field.error(), GetParam().error) << describe(field.error());
}

using enum SignatureError;

INSTANTIATE_TEST_SUITE_P(
    Cases, SignatureMistake,
    testing::Values(
        Mistake{"NoVersion", "v", nullptr, MissingTag},
        Mistake{"NoAlgorithm", "a", nullptr, MissingTag},
        Mistake{"NoSignature", "b", nullptr, MissingTag},
        Mistake{"NoBodyHash", "bh", nullptr, MissingTag},
        Mistake{"NoDomain", "d", nullptr, MissingTag}, Mistake{"NoNames", "h", nullptr, MissingTag},
        Mistake{"NoSelector", "s", nullptr, MissingTag},
        Mistake{"Version2", "v", "2", UnknownVersion},
        Mistake{"VersionWithZero", "v", "1.0", UnknownVersion},
        Mistake{"Sha1", "a", "rsa-sha1", HistoricAlgorithm},
        Mistake{"Md5", "a", "rsa-md5", UnknownAlgorithm},
        Mistake{"AlgorithmInUpperCase", "a", "RSA-SHA256", UnknownAlgorithm},
        Mistake{"NoSignatureText", "b", "", BadBase64},
        Mistake{"SignatureJunk", "b", "Zm9v!", BadBase64},
        Mistake{"BodyHashJunk", "bh", "?", BadBase64},
        Mistake{"ShortBodyHash", "bh", "Zm9v", BadBodyHash},
        Mistake{"UnknownCanon", "c", "nofws", BadCanonicalization},
        Mistake{"UnknownBodyCanon", "c", "simple/nofws", BadCanonicalization},
        Mistake{"EmptyBodyCanon", "c", "simple/", BadCanonicalization},
        Mistake{"ThreeCanons", "c", "simple/simple/simple", BadCanonicalization},
        Mistake{"OneLabel", "d", "com", BadDomain}, Mistake{"EmptyDomain", "d", "", BadDomain},
        Mistake{"DomainLiteral", "d", "[192.0.2.1]", BadDomain},
        Mistake{"DomainWithSpace", "d", "exam ple.com", BadDomain},
        Mistake{"DomainWithDotBehind", "d", "example.com.", BadDomain},
        // Such names exist in the DNS, but RFC 5321 §4.1.2 has none, and no mail can be from there.
        Mistake{"LabelEndsInHyphen", "d", "sub-.example.com", BadDomain},
        Mistake{"LabelBeginsInHyphen", "d", "-sub.example.com", BadDomain},
        Mistake{"DomainWithComment", "d", "(x)example.com", BadDomain},
        Mistake{"EmptySelector", "s", "", BadSelector},
        Mistake{"SelectorWithSlash", "s", "a/b", BadSelector},
        Mistake{"SelectorWithEmptyLabel", "s", "a..b", BadSelector},
        Mistake{"EmptyNames", "h", "", FromNotSigned},
        Mistake{"ColonAlone", "h", ":", FromNotSigned},
        Mistake{"NameWithSpace", "h", "From:Reply To", BadSignedNames},
        Mistake{"FromLeftOut", "h", "To:Subject:Resent-From", FromNotSigned},
        Mistake{"IdentityWithoutAt", "i", "example.com", BadIdentity},
        Mistake{"IdentityWithoutDomain", "i", "ann@", BadIdentity},
        Mistake{"EncodedAt", "i", "ann=40example.com", BadIdentity},
        Mistake{"OtherDomain", "i", "ann@example.org", IdentityOutside},
        Mistake{"ParentDomain", "i", "ann@com.com", IdentityOutside},
        Mistake{"SimilarDomain", "i", "@badexample.com", IdentityOutside},
        Mistake{"TwoAts", "i", "@example.com@example.org", IdentityOutside},
        Mistake{"NegativeLength", "l", "-1", BadNumber},
        Mistake{"LengthOfTooManyDigits", "l",
                "99999999999999999999999999999999999999999999999999999999999999999999999999999",
                BadNumber},
        Mistake{"EmptyLength", "l", "", BadNumber}, Mistake{"HexTime", "t", "0x10", BadNumber},
        Mistake{"TimeOfThirteenDigits", "t", "1000000000000", BadNumber},
        Mistake{"ExpiryInWords", "x", "tomorrow", BadNumber},
        Mistake{"OtherQuery", "q", "http/txt", UnknownQuery},
        Mistake{"EmptyQuery", "q", "", UnknownQuery}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(SignatureField, ExpiresAfterItWasMade) {
  EXPECT_EQ(parse_signature_field(kGood + "; t=5; x=5").error(), ExpiresTooSoon);
  EXPECT_EQ(parse_signature_field(kGood + "; t=5; x=4").error(), ExpiresTooSoon);
  EXPECT_TRUE(parse_signature_field(kGood + "; t=5; x=6"));
  EXPECT_TRUE(parse_signature_field(kGood + "; x=4"));
}

TEST(SignatureField, IsATagList) {
  EXPECT_EQ(parse_signature_field(kGood + "; d=example.com").error(), BadTagList) << "twice";
  EXPECT_EQ(parse_signature_field("").error(), BadTagList);
  EXPECT_EQ(parse_signature_field(kGood + ";;").error(), BadTagList);
}

TEST(DescribeField, SaysWhatCanBeRead) {
  const auto verdict = describe_field(kGood + "9vYmFyYmF6; i=ann@sub.example.com");
  EXPECT_EQ(verdict.domain, "example.com");
  EXPECT_EQ(verdict.selector, "sel.x");
  EXPECT_EQ(verdict.algorithm, "rsa-sha256");
  EXPECT_EQ(verdict.identity, "ann@sub.example.com");
  EXPECT_EQ(verdict.signature_head, "") << "not base64";
  EXPECT_EQ(describe_field(kGood).identity, "@example.com");
  EXPECT_EQ(describe_field(" b= Zm9v\r\n Zm9vZm9v").signature_head, "Zm9vZm9v");
}

TEST(DescribeField, RepeatsNothingStrange) {
  const auto verdict =
      describe_field("d=(x) example.com; s=\"x\"; a=rsa sha\"; i=no identity; b=!!!!!!!!!!");
  EXPECT_EQ(verdict.domain, "");
  EXPECT_EQ(verdict.selector, "");
  EXPECT_EQ(verdict.algorithm, "");
  EXPECT_EQ(verdict.identity, "");
  EXPECT_EQ(verdict.signature_head, "");
  EXPECT_EQ(describe_field("no tag list").domain, "");
}

}  // namespace
}  // namespace relay::auth::dkim
