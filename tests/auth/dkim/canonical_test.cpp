#include "relay/auth/dkim/canonical.hpp"

#include <gtest/gtest.h>

namespace relay::auth::dkim {
namespace {

/// RFC 6376 §3.4.2 and the example of §3.4.5.
TEST(RelaxedField, FollowsTheRfc) {
  EXPECT_EQ(relaxed_field("A", " X\r\n"), "a:X");
  EXPECT_EQ(relaxed_field("B ", " Y\t\r\n\tZ  \r\n"), "b:Y Z");
  EXPECT_EQ(relaxed_field("SUBJECT", "  two  spaces\t \r\n and folded \r\n"),
            "subject:two spaces and folded");
  EXPECT_EQ(relaxed_field("X", "\r\n"), "x:");
  EXPECT_EQ(relaxed_field("X", " \r\n \r\n"), "x:");
  EXPECT_EQ(relaxed_field("X", "Caf\xC3\xA9: \"A  b\"\r\n"), "x:Caf\xC3\xA9: \"A b\"");
  EXPECT_EQ(relaxed_field("X", "no line end"), "x:no line end");
}

/// RFC 6376 §3.4.2: white space is SP and HTAB, and only a CRLF before it folds.
TEST(RelaxedField, LeavesBareLineEndsAlone) {
  for (const char* octets : {"\r", "\n", "\n\r", "\r\r", "\n ", " \n", "\r\t", "\t\r", "\r\r\n "}) {
    const std::string value = "one" + std::string(octets) + "two";
    EXPECT_NE(relaxed_field("Subject", value), "subject:one two") << testing::PrintToString(octets);
  }
  EXPECT_EQ(relaxed_field("X", "a \n\t b\r\n"), "x:a \n b");
  EXPECT_EQ(relaxed_field("X", " \n\r\n"), "x:\n");
  EXPECT_EQ(relaxed_field("X", "a\r\r\n"), "x:a\r");
  EXPECT_EQ(relaxed_field("X", "a\r\r\n\tb"), "x:a\r b");
  EXPECT_EQ(relaxed_field("X\n", "a"), "x\n:a");
}

/// The steps of the RFC, one after the other.
std::string by_the_book(std::string value) {
  for (std::size_t at = 0; (at = value.find("\r\n")) != std::string::npos;) {
    value.replace(at, 2, " ");  // at the end, or before white space
  }
  for (char& c : value) {
    if (c == '\t') c = ' ';
  }
  for (std::size_t at = 0; (at = value.find("  ")) != std::string::npos;) value.erase(at, 1);
  if (value.ends_with(' ')) value.pop_back();
  if (value.starts_with(' ')) value.erase(0, 1);
  return "x:" + value;
}

TEST(RelaxedField, IsThatOfTheRfcForEveryShortValue) {
  constexpr std::string_view kOctets = "a \t\r\n";
  for (std::size_t number = 0; number < 97'656; ++number) {  // up to six octets, and some of seven
    std::string value;
    for (std::size_t rest = number; rest > 0; rest /= 5) value += kOctets[rest % 5];
    const std::string once = relaxed_field("X", value);
    ASSERT_EQ(once, by_the_book(value)) << testing::PrintToString(value);
    ASSERT_EQ(relaxed_field("X", once.substr(2)), once) << testing::PrintToString(value);
  }
}

/// Only SP and HTAB are WSP, and a CRLF folds: a CR or LF alone takes the place of no blank.
TEST(RelaxedField, KeepsBareLineEnds) {
  EXPECT_EQ(relaxed_field("X", " one\ntwo\r\n"), "x:one\ntwo");
  EXPECT_EQ(relaxed_field("X", " one\rtwo\r\n"), "x:one\rtwo");
  EXPECT_EQ(relaxed_field("X", " \none \r two\n\r\n"), "x:\none \r two\n");
  EXPECT_EQ(relaxed_field("X", "a\r\r\n\tb\n\r"), "x:a\r b\n\r");
}

mail::HeaderField only_field(std::string_view block) { return mail::readable_fields(block).at(0); }

TEST(CanonicalField, IsUntouchedWhenSimple) {
  EXPECT_EQ(canonical_field(only_field("A: X\r\n"), Canon::Simple), "A: X");
  EXPECT_EQ(canonical_field(only_field("B : Y\t\r\n\tZ  \r\n"), Canon::Simple), "B : Y\t\r\n\tZ  ");
  EXPECT_EQ(canonical_field(only_field("A:X"), Canon::Simple), "A:X") << "the last of a message";
  EXPECT_EQ(canonical_field(only_field("B : Y\t\r\n\tZ  \r\n"), Canon::Relaxed), "b:Y Z");
}

constexpr std::string_view kHeader =
    "To: 1\r\nFrom: 2\r\nto: 3\r\nX: 4\r\nTO:\r\n 5\r\nSubject: 6\r\n";

std::string chosen(const std::vector<std::string>& names, Canon canon = Canon::Relaxed) {
  return canonical_header(mail::readable_fields(kHeader), names, canon);
}

/// RFC 6376 §5.4.2.
TEST(CanonicalHeader, TakesRepeatedFieldsFromTheBottomUp) {
  EXPECT_EQ(chosen({"To"}), "to:5\r\n");
  EXPECT_EQ(chosen({"to", "TO"}), "to:5\r\nto:3\r\n");
  EXPECT_EQ(chosen({"to", "From", "to", "to", "to", "To"}), "to:5\r\nfrom:2\r\nto:3\r\nto:1\r\n");
  EXPECT_EQ(chosen({"to", "X", "to"}, Canon::Simple), "TO:\r\n 5\r\nX: 4\r\nto: 3\r\n");
}

TEST(CanonicalHeader, PassesOverWhatIsNotThere) {
  EXPECT_EQ(chosen({}), "");
  EXPECT_EQ(chosen({"Cc", "Subject", "Subject"}), "subject:6\r\n");
}

/// A signature that names DKIM-Signature in h= covers others, wherever they stand.
TEST(CanonicalHeader, PassesOverTheSignatureItself) {
  constexpr std::string_view header = "D: 1\r\nD: 2\r\nD: 3\r\n";
  const auto fields = mail::readable_fields(header);
  const std::vector<std::string> names = {"D", "D", "D"};
  EXPECT_EQ(canonical_header(fields, names, Canon::Relaxed, &fields[0]), "d:3\r\nd:2\r\n");
  EXPECT_EQ(canonical_header(fields, names, Canon::Relaxed, &fields[1]), "d:3\r\nd:1\r\n");
  EXPECT_EQ(canonical_header(fields, names, Canon::Relaxed, &fields[2]), "d:2\r\nd:1\r\n");
}

struct SignatureCase {
  const char* name;
  std::string_view field;
  const char* relaxed;
  const char* simple;
};

class SignatureText : public testing::TestWithParam<SignatureCase> {};

/// RFC 6376 §3.7: b= goes with the white space around it, and only b=.
TEST_P(SignatureText, IsWithoutItsSignature) {
  const auto field = only_field(GetParam().field);
  EXPECT_EQ(canonical_signature_field(field, Canon::Relaxed), GetParam().relaxed);
  EXPECT_EQ(canonical_signature_field(field, Canon::Simple), GetParam().simple);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, SignatureText,
    testing::Values(SignatureCase{"AtTheEnd", "D: v=1; b=abc\r\n", "d:v=1; b=", "D: v=1; b="},
                    SignatureCase{"InTheMiddle", "D: v=1; b=a\r\n b= ; bh=b\r\n", "d:v=1; b=; bh=b",
                                  "D: v=1; b=; bh=b"},
                    SignatureCase{"AtTheBeginning", "D:b=abc;v=1\r\n", "d:b=;v=1", "D:b=;v=1"},
                    SignatureCase{"WithSpaceAround", "D: v=1;\r\n\tb \t=\r\n abc ;x=y\r\n",
                                  "d:v=1; b =;x=y", "D: v=1;\r\n\tb \t=;x=y"},
                    SignatureCase{"BodyHashAlone", "D: bh=b; ab=b; B=b\r\n", "d:bh=b; ab=b; B=b",
                                  "D: bh=b; ab=b; B=b"},
                    SignatureCase{"SemicolonBehind", "D: v=1; b=abc;\r\n", "d:v=1; b=;",
                                  "D: v=1; b=;"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace relay::auth::dkim
