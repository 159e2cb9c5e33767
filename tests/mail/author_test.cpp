// Who the author is, as DMARC and signing need it. The forged forms are those of Chen et al.,
// "Composition Kills" (espoofer), and their kin.
#include "relay/mail/author.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/mail/header.hpp"

namespace relay::mail {
namespace {

using Problem = AuthorProblem;

std::string author(const std::string& block) {
  const auto domain = author_domain(Header(block));
  return domain ? domain->folded() : "";
}

TEST(Author, IsTheDomainOfTheOneMailboxInTheOneFrom) {
  EXPECT_EQ(author("From: ann@X.Example\r\n"), "x.example");
  EXPECT_EQ(author("from: Ann <ann@x.example>\r\n"), "x.example");
  EXPECT_EQ(author("FROM: \"B, A\" (c@evil.example)\r\n <ann@x.example>\r\n"), "x.example");
  EXPECT_EQ(author("From: \"<a@evil.example>\" <ann@x.example>\r\n"), "x.example");
  EXPECT_EQ(author("From: =?utf-8?q?a=40evil?= <ann@x.example>\r\n"), "x.example");
  EXPECT_EQ(author("From: \"a b\"@x.example\r\n"), "x.example");
  EXPECT_EQ(author("From: (nested (comment)) ann@x.example (tail)\r\n"), "x.example");
}

/// An unclear author is none.
TEST(Author, IsNobodyWhenUnclear) {
  for (const char* block :
       {"", "Subject: x\r\n", "From:\r\n", "From: ann\r\n", "From: <>\r\n",
        "From: a@x.example\r\nFrom: b@y.example\r\n", "From: a@x.example, b@y.example\r\n",
        "From: a@x.example b@y.example\r\n", "From: <a@x.example> <b@y.example>\r\n",
        "From: friends: a@x.example;\r\n", "From: <a@x.example\r\n", "From: a@x.example>\r\n",
        "From: \"open <a@x.example>\r\n", "From: (open a@x.example\r\n", "From: a@b@x.example\r\n",
        "From: <@r.example:a@x.example>\r\n", "From: a@x..example\r\n",
        "From: a@x.example (open\r\n"}) {
    EXPECT_EQ(author(block), "") << block;
  }
}

/// "x.example y.example", or what describe() says of the problem.
std::string authors(std::string_view block) {
  const auto domains = author_domains(Header(std::string(block)));
  if (!domains) return "! " + std::string(describe(domains.error()));
  std::string names;
  for (const Domain& domain : *domains) names += (names.empty() ? "" : " ") + domain.folded();
  return names;
}

std::string problem(Problem one) { return "! " + std::string(describe(one)); }

struct FromCase {
  const char* name;
  std::string_view block;
  std::string authors;
};

void PrintTo(const FromCase& one, std::ostream* out) { *out << one.name; }

class Authors : public testing::TestWithParam<FromCase> {};

TEST_P(Authors, AreAllThatAReaderCouldSee) {
  EXPECT_EQ(authors(GetParam().block), GetParam().authors) << GetParam().block;
}

using namespace std::string_view_literals;

const auto kCaseName = [](const auto& info) { return std::string(info.param.name); };

INSTANTIATE_TEST_SUITE_P(
    Plain, Authors,
    testing::Values(
        FromCase{"Bare", "From: ann@X.Example\r\n", "x.example"},
        FromCase{"Bracketed", "From: <ann@x.example>\r\n", "x.example"},
        FromCase{"DisplayName", "From: Ann B. Cee <ann@x.example>\r\n", "x.example"},
        FromCase{"NoSpaces", "From:Ann<ann@x.example>\r\n", "x.example"},
        FromCase{"Folded", "From: Ann\r\n\t<ann\r\n @x.example>\r\n", "x.example"},
        FromCase{"FoldedFirst", "From:\r\n ann@x.example\r\n", "x.example"},
        FromCase{"SpaceBeforeColon", "From : ann@x.example\r\n", "x.example"},
        FromCase{"TabBeforeColon", "From\t: ann@x.example\r\n", "x.example"},
        FromCase{"OddCase", "fROM: ann@x.example\r\n", "x.example"},
        FromCase{"QuotedLocalPart", "From: \"a>, b@y.example\"@x.example\r\n", "x.example"},
        FromCase{"CommentInDomain", "From: ann@x(y.example).example\r\n", "x.example"},
        FromCase{"SpacesAroundDots", "From: ann@x . example\r\n", "x.example"},
        FromCase{"Utf8Domain",
                 "From: ann@b\xC3\xBC"
                 "cher.example\r\n",
                 "xn--bcher-kva.example"},
        FromCase{"ALabel", "From: ann@XN--BCHER-KVA.example\r\n", "xn--bcher-kva.example"},
        FromCase{"RawLatin1Name", "From: J\xFCrgen <a@x.example>\r\n", "x.example"},
        FromCase{"SubdomainIsItself", "From: a@mail.x.example\r\n", "mail.x.example"},
        FromCase{"SingleLabel", "From: root@localhost\r\n", "localhost"},
        FromCase{"JunkLineElsewhere",
                 "From a@x.example Thu Jan  1 10:00:00 1970\r\nFrom: a@x.example\r\njunk\r\n",
                 "x.example"},
        FromCase{"BodyIsNoHeader", "From: a@x.example\r\n\r\nFrom: b@y.example\r\n", "x.example"},
        FromCase{"FoldedElsewhere", "From: a@x.example\r\nSubject: Re\r\n From: b@y\r\n",
                 "x.example"}),
    kCaseName);

INSTANTIATE_TEST_SUITE_P(
    Several, Authors,
    testing::Values(
        FromCase{"TwoMailboxes", "From: <a@x.example>, <b@y.example>\r\n", "x.example y.example"},
        FromCase{"BareThenBracketed", "From: a@y.example,<b@x.example>\r\n", "y.example x.example"},
        FromCase{"OneDomainTwice", "From: a@x.example, b@X.EXAMPLE\r\n", "x.example"},
        FromCase{"Group", "From: All: a@x.example, B <b@y.example>;\r\n", "x.example y.example"},
        FromCase{"GroupAmongMailboxes", "From: a@x.example, G: b@y.example;, c@z.example\r\n",
                 "x.example y.example z.example"},
        FromCase{"EmptyGroupAndMailbox", "From: G:;, a@x.example\r\n", "x.example"},
        FromCase{"AddressAsDisplayName", "From: a@y.example <b@x.example>\r\n",
                 "y.example x.example"},
        FromCase{"OwnAddressAsDisplayName", "From: a@x.example <a@x.example>\r\n", "x.example"},
        FromCase{"AtTheCap", "From: a@a.ex, a@b.ex, a@c.ex, a@d.ex, b@a.ex\r\n",
                 "a.ex b.ex c.ex d.ex"},
        FromCase{"OverTheCap", "From: a@a.ex, a@b.ex, a@c.ex, a@d.ex, a@e.ex\r\n",
                 problem(Problem::TooManyDomains)}),
    kCaseName);

// Shown to people, no address to any reader: DMARC cannot help (RFC 9989 §11.4).
INSTANTIATE_TEST_SUITE_P(
    DisplayNames, Authors,
    testing::Values(
        FromCase{"QuotedAddress", "From: \"admin@bank.example\" <evil@x.example>\r\n", "x.example"},
        FromCase{"QuotedBrackets", "From: \"<admin@bank.example>\" <evil@x.example>\r\n",
                 "x.example"},
        FromCase{"QuotedQuote", "From: \"a\\\" <admin@bank.example>\" <evil@x.example>\r\n",
                 "x.example"},
        FromCase{"EncodedWord", "From: =?utf-8?q?admin=40bank.example?= <evil@x.example>\r\n",
                 "x.example"},
        FromCase{"Comment", "From: (admin@bank.example) evil@x.example\r\n", "x.example"},
        FromCase{"CommentBehind", "From: evil@x.example (<admin@bank.example>)\r\n", "x.example"},
        FromCase{"QuotedGroupName", "From: \"admin@bank.example\": evil@x.example;\r\n",
                 "x.example"},
        FromCase{"SenderAndResent",
                 "Sender: admin@bank.example\r\nResent-From: admin@bank.example\r\n"
                 "From: evil@x.example\r\nReply-To: admin@bank.example\r\n",
                 "x.example"}),
    kCaseName);

INSTANTIATE_TEST_SUITE_P(
    NoneOrSeveralFields, Authors,
    testing::Values(
        FromCase{"Nothing", "", problem(Problem::Nobody)},
        FromCase{"OtherFields", "Subject: x\r\n", problem(Problem::Nobody)},
        FromCase{"SenderOnly", "Sender: a@x.example\r\n", problem(Problem::NoField)},
        FromCase{"ResentOnly", "Resent-From: a@x.example\r\n", problem(Problem::NoField)},
        FromCase{"LooksLikeFrom", "From-: a@x.example\r\n", problem(Problem::Nobody)},
        FromCase{"InTheBody", "Subject: x\r\n\r\nFrom: a@x.example\r\n", problem(Problem::Nobody)},
        FromCase{"Two", "From: a@x.example\r\nFrom: b@y.example\r\n",
                 problem(Problem::SeveralFields)},
        FromCase{"TwoAlike", "From: a@x.example\r\nFrom: a@x.example\r\n",
                 problem(Problem::SeveralFields)},
        FromCase{"OddCase", "From: a@x.example\r\nfrOM: b@y.example\r\n",
                 problem(Problem::SeveralFields)},
        FromCase{"SpaceInFront", " From: a@x.example\r\nFrom: b@y.example\r\n",
                 problem(Problem::SeveralFields)},
        FromCase{"SpaceBeforeColon", "From: a@x.example\r\nFrom : b@y.example\r\n",
                 problem(Problem::SeveralFields)},
        FromCase{"FoldBeforeColon", "From\r\n : a@x.example\r\nFrom: b@y.example\r\n",
                 problem(Problem::SeveralFields)},
        FromCase{"FoldBeforeColonAlone", "From\r\n : a@x.example\r\n",
                 problem(Problem::SeveralFields)},
        FromCase{"SpaceInside", "Fr om: a@x.example\r\nFrom: b@y.example\r\n",
                 problem(Problem::SeveralFields)},
        FromCase{"ControlInside", "Fr\x01om: a@x.example\r\nFrom: b@y.example\r\n",
                 problem(Problem::SeveralFields)},
        FromCase{"ByteOrderMark",
                 "\xEF\xBB\xBF"
                 "From: a@x.example\r\nFrom: b@y.example\r\n",
                 problem(Problem::SeveralFields)},
        FromCase{"BehindJunk", "junk\r\n From: a@x.example\r\nFrom: b@y.example\r\n",
                 problem(Problem::SeveralFields)},
        FromCase{"BareLineFeed", "Subject: x\nFrom: a@x.example\r\nFrom: b@y.example\r\n",
                 problem(Problem::UnreadableHeader)},
        FromCase{"BareReturn", "Subject: x\rFrom: a@x.example\r\nFrom: b@y.example\r\n",
                 problem(Problem::UnreadableHeader)},
        FromCase{"Nul", "From: b@y.example\0.x.example\r\n"sv, problem(Problem::UnreadableHeader)}),
    kCaseName);

/// No address list, but a person sees who is meant; and whoever could be seen counts.
INSTANTIATE_TEST_SUITE_P(
    Sloppy, Authors,
    testing::Values(
        FromCase{"Comma", "From: Smith, Ann <ann@x.example>\r\n", "x.example"},
        FromCase{"Brackets", "From: Acme [Support] <help@x.example>\r\n", "x.example"},
        FromCase{"AtInTheName", "From: Deals@Acme <deals@x.example>\r\n", "x.example"},
        FromCase{"LonelyAt", "From: Ann @ Acme <ann@x.example>\r\n", "x.example"},
        FromCase{"Colon", "From: Acme: Support <help@x.example>\r\n", "x.example"},
        FromCase{"SemicolonBehind", "From: Ann <ann@x.example>;\r\n", "x.example"},
        FromCase{"NameBehind", "From: <ann@x.example>Ann\r\n", "x.example"},
        FromCase{"TrailingComma", "From: a@x.example,\r\n", "x.example"},
        FromCase{"NoLocalPart", "From: @x.example\r\n", "x.example"},
        FromCase{"TwoAts", "From: a@b@x.example\r\n", "x.example"},
        FromCase{"OpenBracket", "From: <a@x.example\r\n", "x.example"},
        FromCase{"CloseBracket", "From: a@x.example>\r\n", "x.example"},
        FromCase{"NestedBrackets", "From: <<a@x.example>>\r\n", "x.example"},
        FromCase{"OpenQuote", "From: \"open <a@x.example>\r\n", "x.example"},
        FromCase{"OpenComment", "From: Ann (ACME <a@x.example>\r\n", "x.example"},
        FromCase{"OpenGroup", "From: G: a@x.example\r\n", "x.example"},
        FromCase{"NamelessGroup", "From: :a@x.example;\r\n", "x.example"},
        FromCase{"BadSecond", "From: a@x.example, admin\r\n", "x.example"},
        FromCase{"TwiceTheSame", "From: <a@x.example> <b@X.example>\r\n", "x.example"},
        FromCase{"TwoBrackets", "From: <a@x.example> <b@y.example>\r\n", "x.example y.example"},
        FromCase{"TwoWithoutComma", "From: a@x.example b@y.example\r\n", "x.example y.example"},
        FromCase{"BehindBrackets", "From: <evil@x.example>admin@y.example\r\n",
                 "x.example y.example"},
        FromCase{"QuotedAddress", "From: \"admin@y.example\" <evil@x.example>,\r\n",
                 "y.example x.example"},
        FromCase{"SpacesAroundDots", "From: admin@y (c) . example <evil@x.example>,\r\n",
                 "y.example x.example"},
        FromCase{"Route", "From: <@x.example,@any.example:admin@y.example>\r\n",
                 "x.example any.example y.example"},
        FromCase{"QuotedComma", "From: <admin@y.example>\\,<b@x.example>\r\n",
                 "y.example x.example"},
        FromCase{"Semicolon", "From: a@x.example; b@y.example\r\n", "x.example y.example"},
        FromCase{"EmptyElement", "From: a@x.example,,b@y.example\r\n", "x.example y.example"}),
    kCaseName);

INSTANTIATE_TEST_SUITE_P(Unclear, Authors, testing::ValuesIn([] {
                           std::vector<FromCase> cases;
                           const auto add = [&](const char* name, std::string_view block,
                                                Problem what = Problem::UnreadableField) {
                             cases.push_back({name, block, problem(what)});
                           };
                           add("Empty", "From:\r\n", Problem::Nobody);
                           add("Spaces", "From:  \r\n \t\r\n", Problem::Nobody);
                           add("NameOnly", "From: ann\r\n", Problem::Nobody);
                           add("EmptyBrackets", "From: MAILER-DAEMON <>\r\n", Problem::Nobody);
                           add("NoDomain", "From: ann@\r\n", Problem::Nobody);
                           add("DotlessDomain", "From: Ann <root@localhost>,\r\n", Problem::Nobody);
                           add("FullWidthAt", "From: a\xEF\xBC\xA0x.example\r\n");
                           // It is unclear how readers show encoded words outside of a name.
                           add("EncodedAddress",
                               "From: =?utf-8?B?PGFkbWluQHkuZXhhbXBsZT4=?=,<b@x.example>\r\n");
                           add("OnlyInAComment", "From: (a@x.example)\r\n");
                           add("OnlyInAName", "From: Boss \"a@x.example\" (b@y.example)\r\n");
                           add("EncodedDomain", "From: a@=?utf-8?q?x.example?=\r\n");
                           add("DoubleDot", "From: a@x..example\r\n");
                           add("HyphenFirst", "From: a@-x.example\r\n");
                           add("Quote", "From: a@x.example'y.example\r\n");
                           add("Escape", "From: a@x.example\x1B[1m\r\n");
                           add("ControlInName", "From: A\x07nn <a@x.example>\r\n");
                           add("Delete", "From: a@x.example\x7F\r\n");
                           add("BadUtf8", "From: a@x\xFF.example\r\n");
                           return cases;
                         }()),
                         kCaseName);

TEST(Authors, HaveNoDomainInAnEmptyGroupOrAnAddressLiteral) {
  EXPECT_EQ(authors("From: Nobody:;\r\n"), problem(Problem::Nobody));
  EXPECT_EQ(authors("From: Nobody: (nobody) ; (at all)\r\n"), problem(Problem::Nobody));
  EXPECT_EQ(authors("From: A:;, B:;\r\n"), problem(Problem::Nobody));
  EXPECT_EQ(authors("From: root@[192.0.2.1]\r\n"), problem(Problem::Nobody));
  EXPECT_EQ(authors("From: a@x.example, root@[192.0.2.1]\r\n"), problem(Problem::Nobody));
}

/// Then anybody may be shown as the author, and not nobody.
TEST(Authors, AreNotNobodyWhileAnotherFieldSaysWhoWrote) {
  for (const char* other : {"Sender", "Resent-From", "Resent-Sender", "reply-to"}) {
    const std::string field = std::string(other) + ": a@x.example\r\n";
    EXPECT_EQ(authors(field), problem(Problem::NoField));
    EXPECT_EQ(authors("From: Boss\r\n" + field), problem(Problem::NoDomain));
  }
}

/// Bounded, and linear in what is given.
TEST(Authors, AreNotCountedForever) {
  std::string many = "From: ";
  for (int i = 0; i < 60'000; ++i) many += "@(";
  EXPECT_EQ(authors(many + "\r\n"), problem(Problem::Nobody));
  std::string nested = "From: ";
  nested.append(60'000, '(').append(60'000, ')');
  EXPECT_EQ(authors(nested + " a@x.example\r\n"), "x.example");
}

/// The author for signing is one of those that DMARC asks about.
TEST(Authors, ContainTheOneAuthor) {
  for (const char* block : {"From: ann@X.Example\r\n", "From: \"B, A\" (c) <ann@x.example>\r\n"}) {
    EXPECT_EQ(authors(block), author(block));
  }
}

}  // namespace
}  // namespace relay::mail
