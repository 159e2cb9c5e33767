#include "relay/auth/dkim/key_record.hpp"

#include <gtest/gtest.h>

namespace relay::auth::dkim {
namespace {

struct Good {
  const char* name;
  const char* text;
  KeyRecord record;
};

class KeyRecordText : public testing::TestWithParam<Good> {};

TEST_P(KeyRecordText, IsReadAsRfc6376Says) {
  const auto record = parse_key_record(GetParam().text);
  ASSERT_TRUE(record) << describe(record.error());
  EXPECT_EQ(*record, GetParam().record);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, KeyRecordText,
    testing::Values(
        Good{"Smallest", "p=Zg==", {.key = "f"}},
        Good{"WithVersion", "v=DKIM1; p=Zg==", {.key = "f"}},
        Good{"Rsa", "v=DKIM1; k=rsa; p=Zg==", {.type = KeyType::Rsa, .key = "f"}},
        Good{"Ed25519", "v=DKIM1; k=ed25519; p=Zg==", {.type = KeyType::Ed25519, .key = "f"}},
        Good{"Folded", "v=DKIM1 ; p=Zm9v Ym Fy ;", {.key = "foobar"}},
        Good{"Revoked", "v=DKIM1; p=", {}}, Good{"RevokedByWhiteSpace", "v=DKIM1; p= ;", {}},
        Good{"HashNamed", "p=Zg==; h=sha1 : sha256", {.key = "f"}},
        Good{"OtherHash", "p=Zg==; h=sha1", {.key = "f", .for_sha256 = false}},
        Good{"NoHash", "p=Zg==; h=", {.key = "f", .for_sha256 = false}},
        Good{"AnyService", "p=Zg==; s=*", {.key = "f"}},
        Good{"EmailAmongServices", "p=Zg==; s=web:email:x", {.key = "f"}},
        Good{"OtherService", "p=Zg==; s=other", {.key = "f", .for_email = false}},
        Good{"Testing", "p=Zg==; t=y", {.key = "f", .testing = true}},
        Good{"SameDomain", "p=Zg==; t=s", {.key = "f", .same_domain_only = true}},
        Good{"Flags",
             "p=Zg==; t=y : s:new",
             {.key = "f", .testing = true, .same_domain_only = true}},
        Good{"UnknownFlag", "p=Zg==; t=Y", {.key = "f"}},
        Good{"EmptyTag", "k=rsa;; p=Zg==", {.key = "f"}},
        Good{"EmptyTags", "; v=DKIM1; ;\tp=Zg== ;; ", {.key = "f"}},
        Good{"NotesAndUnknownTags", "n=a note=20; g=*; x1=y; p=Zg==", {.key = "f"}}),
    [](const auto& info) { return std::string(info.param.name); });

struct Bad {
  const char* name;
  const char* text;
  KeyRecordError error;
};

class BadKeyRecord : public testing::TestWithParam<Bad> {};

TEST_P(BadKeyRecord, IsRefused) {
  const auto record = parse_key_record(GetParam().text);
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error(), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadKeyRecord,
    testing::Values(Bad{"Empty", "", KeyRecordError::BadTagList},
                    Bad{"EmptyTagsAlone", ";; ;", KeyRecordError::BadTagList},
                    Bad{"TagTwiceAroundAnEmptyOne", "p=Zg==;;p=Zg==", KeyRecordError::BadTagList},
                    Bad{"SomethingElse", "google-site-verification", KeyRecordError::BadTagList},
                    Bad{"TagTwice", "p=Zg==; p=Zg==", KeyRecordError::BadTagList},
                    Bad{"OtherVersion", "v=DKIM2; p=Zg==", KeyRecordError::WrongVersion},
                    Bad{"VersionInLowerCase", "v=dkim1; p=Zg==", KeyRecordError::WrongVersion},
                    Bad{"Spf", "v=spf1 -all", KeyRecordError::WrongVersion},
                    Bad{"VersionNotFirst", "p=Zg==; v=DKIM1", KeyRecordError::WrongVersion},
                    Bad{"NoKey", "v=DKIM1; k=rsa", KeyRecordError::NoKey},
                    Bad{"KeyInUpperCase", "v=DKIM1; P=Zg==", KeyRecordError::NoKey},
                    Bad{"NotBase64", "p=Zg!=", KeyRecordError::BadKey},
                    Bad{"UnpaddedBase64", "p=Zg", KeyRecordError::BadKey},
                    Bad{"OtherType", "k=dsa; p=Zg==", KeyRecordError::UnknownKeyType},
                    Bad{"TypeInUpperCase", "k=RSA; p=Zg==", KeyRecordError::UnknownKeyType}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(KeyRecord, RefusesAKeyLongerThanAnyOfUse) {
  const std::string longest(kMaxKeyText, 'A');
  EXPECT_TRUE(parse_key_record("p=" + longest));
  EXPECT_EQ(parse_key_record("p=" + longest + "A===").error(), KeyRecordError::LongKey);
  EXPECT_TRUE(parse_key_record("n=" + std::string(20'000, 'x') + "; p=Zg=="))
      << "notes may be long";
}

}  // namespace
}  // namespace relay::auth::dkim
