// Records as they are published.
#include "relay/auth/dmarc/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::auth::dmarc {
namespace {

using mail::DmarcPolicy;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kNone = DmarcPolicy::None;
constexpr auto kQuarantine = DmarcPolicy::Quarantine;
constexpr auto kReject = DmarcPolicy::Reject;

Record read(const std::string& text) {
  const auto record = parse_record(text);
  EXPECT_TRUE(record) << text;
  return record.value_or(Record{});
}

TEST(Record, HoldsEveryTag) {
  const Record record = read(
      "v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=s; psd=n; t=y; fo=1:d:s; "
      "rua=mailto:a@x.example,mailto:b@y.example!10m; ruf=https://x.example/report");
  EXPECT_EQ(record.policy, kReject);
  EXPECT_EQ(record.subdomain_policy, kQuarantine);
  EXPECT_EQ(record.non_existent_policy, kNone);
  EXPECT_EQ(record.dkim_mode, AlignmentMode::Strict);
  EXPECT_EQ(record.spf_mode, AlignmentMode::Strict);
  EXPECT_EQ(record.public_suffix, PublicSuffix::No);
  EXPECT_TRUE(record.testing);
  EXPECT_EQ(record.failure_options, "1:d:s");
  EXPECT_THAT(record.aggregate_reports, ElementsAre("mailto:a@x.example", "mailto:b@y.example"));
  EXPECT_THAT(record.failure_reports, ElementsAre("https://x.example/report"));
  EXPECT_TRUE(record.applies);
}

TEST(Record, HasDefaults) {
  const Record record = read("v=DMARC1;p=quarantine");
  EXPECT_EQ(record, (Record{.policy = kQuarantine}));
  EXPECT_EQ(record.dkim_mode, AlignmentMode::Relaxed);
  EXPECT_EQ(record.public_suffix, PublicSuffix::Unsaid);
  EXPECT_FALSE(record.testing);
  EXPECT_EQ(record.failure_options, "0");
}

TEST(Record, IsOneOnlyWithItsVersionInFront) {
  for (const char* text :
       {"", "v", "v=", "v=DMARC1 p=none", "v=DMARC2; p=none", "v=dmarc1; p=none",
        "v=DMARC10; p=none", "v=DMARC; p=none", "p=none; v=DMARC1", "; v=DMARC1; p=none",
        " v=DMARC1; p=none", "\tv=DMARC1; p=none", "v=spf1 -all", "DMARC1; p=none", "vDMARC1",
        "\"v=DMARC1; p=none\"", "v=DMARC1, p=none", "v=D MARC1; p=none", "vv=DMARC1; p=none"}) {
    EXPECT_FALSE(parse_record(text)) << text;
  }
}

struct RecordCase {
  const char* name;
  std::string text;
  Record record;
};

void PrintTo(const RecordCase& one, std::ostream* out) { *out << one.name; }

class RecordForm : public testing::TestWithParam<RecordCase> {};

TEST_P(RecordForm, IsReadAsMeant) { EXPECT_EQ(read(GetParam().text), GetParam().record); }

const Record kRejecting{.policy = kReject};
const Record kVoid{.applies = false};

Record reporting(Record record) {
  record.aggregate_reports = {"mailto:a@x.example"};
  return record;
}

constexpr const char* kRua = "; rua=mailto:a@x.example";

const auto kCaseName = [](const auto& info) { return std::string(info.param.name); };

INSTANTIATE_TEST_SUITE_P(
    Spelling, RecordForm,
    testing::Values(
        RecordCase{"NoSpaces", "v=DMARC1;p=reject", kRejecting},
        RecordCase{"Separator", "v=DMARC1;p=reject;", kRejecting},
        RecordCase{"ManySeparators", "v=DMARC1;;; ;p=reject;;", kRejecting},
        RecordCase{"Blanks", "v = DMARC1\t;  p\t=  reject  ;\t", kRejecting},
        RecordCase{"UpperValue", "v=DMARC1; p=REJECT", kRejecting},
        RecordCase{"UpperTag", "V=DMARC1; P=Reject", kRejecting},
        RecordCase{"AnyOrder", "v=DMARC1; t=n; p=reject", kRejecting},
        RecordCase{"UnknownTags", "v=DMARC1; x=1; p=reject; foo=bar; ppp=none", kRejecting},
        RecordCase{"Obsolete", "v=DMARC1; p=reject; pct=50; rf=afrf; ri=1", kRejecting},
        RecordCase{"PercentTwice", "v=DMARC1; p=reject; pct=0; pct=0", kRejecting},
        RecordCase{
            "ForNone", "v=DMARC1; p=reject; pct=0", {.policy = kReject, .is_for_none = true}},
        RecordCase{"NoEquals", "v=DMARC1; junk; p=reject; more junk", kRejecting},
        RecordCase{"SecondVersion", "v=DMARC1; p=reject; v=DMARC2", kRejecting},
        RecordCase{"NamelessTag", "v=DMARC1; =none; p=reject", kRejecting},
        RecordCase{"EqualsInValue", "v=DMARC1; x=a=b; p=reject", kRejecting}),
    kCaseName);

INSTANTIATE_TEST_SUITE_P(
    Malformed, RecordForm,
    testing::Values(RecordCase{"Mode", "v=DMARC1; p=reject; adkim=x; aspf=strict", kRejecting},
                    RecordCase{"Testing", "v=DMARC1; p=reject; t=yes", kRejecting},
                    RecordCase{"Suffix", "v=DMARC1; p=reject; psd=yes", kRejecting},
                    RecordCase{"SuffixUnsaid", "v=DMARC1; p=reject; psd=u", kRejecting},
                    RecordCase{"Options", "v=DMARC1; p=reject; fo=2", kRejecting},
                    RecordCase{"OptionsBoth", "v=DMARC1; p=reject; fo=0:1", kRejecting},
                    RecordCase{"OptionsTwice", "v=DMARC1; p=reject; fo=d:d", kRejecting},
                    RecordCase{"OptionsColon", "v=DMARC1; p=reject; fo=1:", kRejecting},
                    RecordCase{"NoScheme", "v=DMARC1; p=reject; rua=a@x.example", kRejecting},
                    RecordCase{"Control", "v=DMARC1; p=reject; adkim=s\x01", kRejecting},
                    RecordCase{"TwiceMode", "v=DMARC1; p=reject; adkim=s; adkim=s", kRejecting},
                    RecordCase{"TwiceTesting", "v=DMARC1; p=reject; t=y; t=y", kRejecting},
                    RecordCase{"TwiceSuffix", "v=DMARC1; p=reject; psd=n; PSD=n; psd=n",
                               kRejecting},
                    RecordCase{"TwiceReports",
                               "v=DMARC1; p=reject; rua=mailto:a@x.example; rua=mailto:a@x.example",
                               kRejecting}),
    kCaseName);

// RFC 9989 §4.10.1: p=none when there is somewhere to report to, else no DMARC at all.
INSTANTIATE_TEST_SUITE_P(
    Policy, RecordForm,
    testing::Values(
        RecordCase{"Missing", "v=DMARC1", kVoid},
        RecordCase{"MissingReporting", std::string("v=DMARC1") + kRua, reporting({})},
        RecordCase{"Empty", "v=DMARC1; p=", kVoid},
        RecordCase{"Wrong", "v=DMARC1; p=rejected", kVoid},
        RecordCase{"WrongReporting", std::string("v=DMARC1; p=rejected") + kRua, reporting({})},
        RecordCase{"WrongUri", "v=DMARC1; p=rejected; rua=a@x.example, b@x.example", kVoid},
        RecordCase{"TwoWords", "v=DMARC1; p=none reject", kVoid},
        RecordCase{"Twice", "v=DMARC1; p=reject; p=reject", kVoid},
        RecordCase{"TwiceReporting", std::string("v=DMARC1; p=none; p=reject") + kRua,
                   reporting({})},
        RecordCase{"SubdomainWrong", "v=DMARC1; p=reject; sp=x", kVoid},
        RecordCase{"SubdomainWrongReporting", std::string("v=DMARC1; p=reject; sp=x") + kRua,
                   reporting({})},
        RecordCase{"NonExistentWrong", std::string("v=DMARC1; p=reject; sp=none; np=x") + kRua,
                   reporting({})},
        RecordCase{
            "OthersStand", std::string("v=DMARC1; p=x; adkim=s; psd=y") + kRua,
            reporting({.dkim_mode = AlignmentMode::Strict, .public_suffix = PublicSuffix::Yes})},
        RecordCase{"SubdomainOnly", "v=DMARC1; sp=reject", kVoid}),
    kCaseName);

TEST(Record, KeepsTheUrisThatAreSome) {
  const Record record = read(
      "v=DMARC1; p=none; rua= mailto:a@x.example!5G , , x, :x, 1a:b, mailto:, mailto:a b, "
      "https://[2001:db8::1]/?a=%20,");
  EXPECT_THAT(record.aggregate_reports,
              ElementsAre("mailto:a@x.example", "https://[2001:db8::1]/?a=%20"));
}

/// However long it is, it is the policy.
TEST(Record, MayBeLong) {
  std::string text = "v=DMARC1; p=reject; rua=mailto:a0@x.example";
  for (int i = 1; i < 2000; ++i) text += ",mailto:a" + std::to_string(i) + "@x.example";
  const Record record = read(text + "; adkim=s");
  EXPECT_EQ(record.policy, mail::DmarcPolicy::Reject);
  EXPECT_EQ(record.dkim_mode, AlignmentMode::Strict);
  EXPECT_EQ(record.aggregate_reports.size(), kMaxReportUris);
}

TEST(Record, IsChosenWhenThereIsOne) {
  EXPECT_FALSE(select_record({}));
  EXPECT_FALSE(select_record({"v=spf1 -all", "p=reject"}));
  EXPECT_EQ(select_record({"v=spf1 -all", "v=DMARC1; p=reject", "", "v=DMARC2"}), kRejecting);
}

/// RFC 9989 §4.10: they are all discarded, even when they say the same.
TEST(Record, IsNotChosenAmongSeveral) {
  EXPECT_FALSE(select_record({"v=DMARC1; p=reject", "v=DMARC1; p=none"}));
  EXPECT_FALSE(select_record({"v=DMARC1; p=reject", "v=DMARC1; p=reject"}));
  EXPECT_FALSE(select_record({"v=DMARC1; p=reject", "v=DMARC1"}));
  EXPECT_FALSE(select_record({"v=DMARC1; p=reject", "v=DMARC1; p=none", "v=DMARC1; p=none"}));
}

}  // namespace
}  // namespace relay::auth::dmarc
