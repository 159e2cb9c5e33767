#include "relay/smtp/command.hpp"

#include <string>

#include <gtest/gtest.h>

namespace relay::smtp {
namespace {

struct LineCase {
  const char* name;
  std::string line;
  int code;                   ///< 0: parses
  std::string enhanced = "";  ///< of the refusal
};

void PrintTo(const LineCase& c, std::ostream* out) { *out << c.line; }

class CommandLine : public testing::TestWithParam<LineCase> {};

TEST_P(CommandLine, ParsesOrIsRefusedWithItsCode) {
  const auto parsed = parse_command(GetParam().line);
  ASSERT_EQ(parsed.has_value(), GetParam().code == 0)
      << (parsed ? "parsed" : parsed.error().reply.wire());
  if (parsed) return;
  EXPECT_EQ(parsed.error().reply.code(), GetParam().code);
  if (!GetParam().enhanced.empty()) {
    EXPECT_EQ(parsed.error().reply.status().to_string(), GetParam().enhanced);
  }
}

std::string name_of(const testing::TestParamInfo<LineCase>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Hello, CommandLine,
    testing::Values(LineCase{"Name", "EHLO mx.example.org", 0},
                    LineCase{"LowerCase", "ehlo mx.example.org", 0},
                    LineCase{"Literal", "HELO [192.0.2.1]", 0},
                    LineCase{"LiteralV6", "EHLO [IPv6:2001:db8::1]", 0},
                    LineCase{"SingleLabel", "HELO localhost", 0},
                    LineCase{"Underscore", "HELO my_pc.example", 0},
                    LineCase{"RootedName", "HELO mx.example.", 0}, LineCase{"Missing", "EHLO", 501},
                    LineCase{"OnlySpace", "EHLO  ", 501},
                    // No name by RFC 5321 §4.1.1.1, and taken by choice:
                    // §4.1.4 lets nobody be refused for a name.
                    LineCase{"TwoWords", "EHLO a b", 0},
                    LineCase{"BadLiteral", "EHLO [999.0.2.1]", 0},
                    LineCase{"BareV6", "EHLO [::1]", 0}, LineCase{"None", "HELO (none)", 0},
                    LineCase{"Apostrophe", "EHLO ann's-pc", 0}, LineCase{"OnlyADot", "EHLO .", 0},
                    LineCase{"EightBit", "EHLO m\xc3\xbc.example", 0},
                    LineCase{"TooLong", "EHLO " + std::string(300, 'a'), 0}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    S12_Parameters, CommandLine,
    testing::Values(
        LineCase{"None", "MAIL FROM:<a@b.example>", 0},
        LineCase{"All", "MAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME SMTPUTF8", 0},
        LineCase{"AnyCase", "mail from:<a@b.example> size=1 body=7bit smtputf8", 0},
        LineCase{"SizeZero", "MAIL FROM:<a@b.example> SIZE=0", 0},
        LineCase{"SizeSaturates", "MAIL FROM:<a@b.example> SIZE=99999999999999999999", 0},
        LineCase{"SizeTooManyDigits", "MAIL FROM:<a@b.example> SIZE=000000000000000000001", 501},
        LineCase{"SizeNegative", "MAIL FROM:<a@b.example> SIZE=-1", 501},
        LineCase{"SizeEmpty", "MAIL FROM:<a@b.example> SIZE=", 501},
        LineCase{"SizeMissing", "MAIL FROM:<a@b.example> SIZE", 501},
        LineCase{"SizeTwice", "MAIL FROM:<a@b.example> SIZE=1 SIZE=2", 501},
        LineCase{"BodyTwice", "MAIL FROM:<a@b.example> BODY=7BIT BODY=7BIT", 501},
        LineCase{"Utf8Twice", "MAIL FROM:<a@b.example> SMTPUTF8 SMTPUTF8", 501},
        LineCase{"BodyBinary", "MAIL FROM:<a@b.example> BODY=BINARYMIME", 501},
        LineCase{"Utf8WithValue", "MAIL FROM:<a@b.example> SMTPUTF8=1", 501},
        LineCase{"Ret", "MAIL FROM:<a@b.example> RET=HDRS", 555, "5.5.4"},
        LineCase{"Envid", "MAIL FROM:<a@b.example> ENVID=x+00", 555, "5.5.4"},
        LineCase{"Auth", "MAIL FROM:<a@b.example> AUTH=<>", 555},
        LineCase{"HugeValue", "MAIL FROM:<a@b.example> ENVID=" + std::string(129, 'x'), 501},
        LineCase{"HugeKeyword", "MAIL FROM:<a@b.example> " + std::string(33, 'X'), 501},
        LineCase{"NotAKeyword", "MAIL FROM:<a@b.example> -X=1", 501},
        LineCase{"Glued", "MAIL FROM:<a@b.example>SIZE=1", 501},
        LineCase{"RcptNotify", "RCPT TO:<a@b.example> NOTIFY=NEVER", 555, "5.5.4"},
        LineCase{"RcptOrcpt", "RCPT TO:<a@b.example> ORCPT=rfc822;a+00b", 555},
        LineCase{"RcptJunk", "RCPT TO:<a@b.example> ==", 501}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    S11_Paths, CommandLine,
    testing::Values(
        LineCase{"Null", "MAIL FROM:<>", 0},
        LineCase{"SpaceAfterColon", "MAIL FROM: <a@b.example>", 0},
        LineCase{"QuotedBracket", "MAIL FROM:<\"a>b\"@b.example> SIZE=1", 0},
        LineCase{"QuotedEscape", "RCPT TO:<\"a\\\"b\"@b.example>", 0},
        LineCase{"Postmaster", "RCPT TO:<postmaster>", 0},
        // RFC 5321 §4.1.2 has brackets, and a local part of 64 octets, and refuses no
        // source route (§3.3, Appendix C): taken by choice.
        LineCase{"NoBrackets", "MAIL FROM:a@b.example", 0},
        LineCase{"NoBracketsSpace", "MAIL FROM: a@b.example", 0},
        LineCase{"NoBracketsParameter", "MAIL FROM:a@b.example SIZE=1", 0},
        LineCase{"NoBracketsRecipient", "RCPT TO:a@b.example", 0},
        LineCase{"NoBracketsQuoted", "RCPT TO: \"a b\"@b.example", 0},
        LineCase{"NoBracketsPostmaster", "RCPT TO:postmaster", 0},
        LineCase{"NoBracketsBadParameter", "MAIL FROM:a@b.example RET=HDRS", 555},
        LineCase{"NoBracketsNotify", "RCPT TO:a@b.example NOTIFY=NEVER", 555},
        LineCase{"NoBracketsUtf8", "MAIL FROM:\xc3\xa9@b.example", 553, "5.6.7"},
        LineCase{"NoAddress", "MAIL FROM:", 501}, LineCase{"NoAddressRecipient", "RCPT TO: ", 501},
        LineCase{"NoAddressButSize", "MAIL FROM:SIZE=1", 501},
        LineCase{"ClosedOnly", "MAIL FROM:a@b.example>", 501},
        LineCase{"NameAndAddress", "MAIL FROM:Ann <a@b.example>", 501},
        LineCase{"TwoAddresses", "RCPT TO:a@b.example,c@d.example", 501},
        LineCase{"TwoWordsNoBrackets", "RCPT TO:a@b.example c@d.example", 501},
        LineCase{"UnterminatedQuoteNoBrackets", "MAIL FROM:\"a b@c.example", 501},
        LineCase{"Unterminated", "MAIL FROM:<a@b.example", 501},
        LineCase{"UnterminatedQuote", "MAIL FROM:<\"a@b.example>", 501},
        LineCase{"NullRecipient", "RCPT TO:<>", 501, "5.1.3"},
        LineCase{"SourceRoute", "RCPT TO:<@a.example:b@c.example>", 0},
        LineCase{"SourceRouteNoBrackets", "RCPT TO:@a.example:b@c.example", 0},
        LineCase{"LongLocalPart", "MAIL FROM:<" + std::string(65, 'a') + "@b.example>", 0},
        LineCase{"LongestPath", "MAIL FROM:<" + std::string(244, 'a') + "@b.example>", 0},
        LineCase{"OverlongPath", "MAIL FROM:<" + std::string(245, 'a') + "@b.example>", 501,
                 "5.1.7"},
        LineCase{"Dots", "MAIL FROM:<a..b.@c.example>", 0},
        LineCase{"RootedDomain", "RCPT TO:<a@b.example.>", 0},
        LineCase{"LongPath", "MAIL FROM:<a@" + std::string(300, 'b') + ">", 501},
        LineCase{"TwoPaths", "RCPT TO:<a@b.example><c@d.example>", 501},
        LineCase{"Utf8Asked", "MAIL FROM:<\xc3\xa9@b.example> SMTPUTF8", 0},
        LineCase{"Utf8NotAsked", "MAIL FROM:<\xc3\xa9@b.example>", 553, "5.6.7"},
        LineCase{"Utf8Domain",
                 "MAIL FROM:<a@b\xc3\xbc"
                 "cher.example>",
                 553, "5.6.7"},
        LineCase{"NotUtf8", "MAIL FROM:<\xff@b.example> SMTPUTF8", 553, "5.6.7"},
        LineCase{"MailWithoutFrom", "MAIL <a@b.example>", 501},
        LineCase{"SendmailDebug", "MAIL FROM:|/bin/sh", 501}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Verbs, CommandLine,
    testing::Values(LineCase{"Data", "DATA", 0}, LineCase{"DataSpace", "DATA ", 0},
                    LineCase{"DataArgument", "DATA x", 501}, LineCase{"Rset", "RSET", 0},
                    LineCase{"RsetArgument", "RSET x", 501},
                    LineCase{"NoopText", "NOOP some text", 0}, LineCase{"Quit", "QUIT", 0},
                    LineCase{"StartTls", "STARTTLS", 0},
                    LineCase{"StartTlsArgument", "STARTTLS now", 501},
                    LineCase{"Help", "HELP MAIL", 0}, LineCase{"Vrfy", "VRFY ann", 0},
                    LineCase{"VrfyOfNobody", "VRFY", 501}, LineCase{"Etrn", "ETRN x", 502},
                    LineCase{"Auth", "AUTH PLAIN xyz", 502}, LineCase{"Turn", "TURN", 502},
                    LineCase{"Bdat", "BDAT 10 LAST", 502}, LineCase{"Empty", "", 500},
                    LineCase{"Unknown", "XYZZY", 500}, LineCase{"LeadingSpace", " NOOP", 500}),
    name_of);

TEST(Command, RefusesControlOctetsAtEveryOffset) {
  const std::string good = "MAIL FROM:<ann@example.org> SIZE=1";
  for (const char bad : {'\0', '\r', '\n', '\t', '\x1b', '\x7f'}) {
    for (std::size_t at = 0; at <= good.size(); ++at) {
      std::string line = good;
      line.insert(at, 1, bad);
      const auto parsed = parse_command(line);
      ASSERT_FALSE(parsed.has_value()) << at;
      EXPECT_EQ(parsed.error().reply.code(), 501) << at;
    }
  }
}

TEST(Command, KeepsWhatMailSaid) {
  const auto parsed = parse_command("MAIL FROM:<Ann@Example.org> SIZE=42 BODY=8BITMIME SMTPUTF8");
  ASSERT_TRUE(parsed.has_value());
  const auto& mail = std::get<MailFrom>(*parsed);
  EXPECT_EQ(mail.reverse_path.to_string(), "Ann@Example.org");
  EXPECT_EQ(mail.declared_size, 42U);
  EXPECT_EQ(mail.body, mail::BodyType::EightBitMime);
  EXPECT_TRUE(mail.smtputf8);
}

std::string path_in(const std::string& line) {
  const auto parsed = parse_command(line);
  if (!parsed) return parsed.error().reply.wire();
  const auto* mail = std::get_if<MailFrom>(&*parsed);
  return mail != nullptr ? mail->reverse_path.to_string()
                         : std::get<RcptTo>(*parsed).forward_path.to_string();
}

TEST(Command, ReadsOneAddressHoweverItIsWritten) {
  for (const char* line :
       {"MAIL FROM:<a@b.example>", "MAIL FROM: <a@b.example>", "MAIL FROM:a@b.example",
        "MAIL FROM: a@b.example", "MAIL FROM:a@b.example SIZE=1", "MAIL FROM:a@b.example  SIZE=1",
        "MAIL FROM:<a@b.example.>", "MAIL FROM:<@r.example:a@b.example> SIZE=1",
        "MAIL FROM:@r.example,@[IPv6:::1]:a@b.example", "RCPT TO:a@b.example"}) {
    EXPECT_EQ(path_in(line), "a@b.example") << line;
  }
  EXPECT_EQ(path_in("MAIL FROM:\"a > b\"@c.example SIZE=1"), "\"a > b\"@c.example");
  EXPECT_EQ(path_in("RCPT TO:a..b@c.example"), "\"a..b\"@c.example");
  EXPECT_EQ(path_in("RCPT TO:Postmaster"), "postmaster");
}

TEST(Command, KeepsWhatHelloSaidAsPrintableAscii) {
  const auto name_in = [](const std::string& line) {
    return std::get<Hello>(parse_command(line).value()).name;
  };
  EXPECT_EQ(name_in("EHLO mx.example.org."), "mx.example.org");
  EXPECT_EQ(name_in("EHLO  my pc  "), "my pc");
  EXPECT_EQ(name_in("EHLO ."), ".");
  EXPECT_EQ(name_in("EHLO m\xc3\xbc.example"), "m??.example");
  EXPECT_EQ(name_in("EHLO " + std::string(2000, 'a')), std::string(255, 'a'));
}

TEST(Command, SaturatesSizeInsteadOfWrapping) {
  const auto parsed = parse_command("MAIL FROM:<a@b.example> SIZE=18446744073709551616");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(std::get<MailFrom>(*parsed).declared_size, UINT64_MAX);
}

TEST(Command, KnowsOtherProtocols) {
  EXPECT_TRUE(looks_like_other_protocol("GET / HTTP/1.1"));
  EXPECT_TRUE(looks_like_other_protocol("post /x HTTP/1.1"));
  EXPECT_TRUE(looks_like_other_protocol("SSH-2.0-OpenSSH_9.2"));
  EXPECT_TRUE(looks_like_other_protocol(std::string_view("\x16\x03\x01\x02\x00", 5)));
  EXPECT_FALSE(looks_like_other_protocol("EHLO get.example"));
  EXPECT_FALSE(looks_like_other_protocol(""));
}

}  // namespace
}  // namespace relay::smtp
