#include "relay/forward/author_rewrite.hpp"

#include <random>

#include <gmock/gmock.h>

#include "relay/mail/author.hpp"
#include "relay/mail/header.hpp"
#include "tests/forward/house.hpp"

namespace relay::forward {
namespace {

const NewAuthor& new_author() {
  static const NewAuthor kAuthor{
      .label = "k3x9", .domain = house::domain("rewritten.example"), .via = "hosted.example"};
  return kAuthor;
}

std::optional<std::string> renewed(const std::string& header) {
  return with_new_author(mail::Header(header), new_author());
}

std::string from_after(const std::string& value) {
  const auto header = renewed("From:" + value + "\r\n");
  if (!header) return "none";
  return mail::unfolded(mail::Header(*header).fields().front().value);
}

TEST(AuthorRewrite, SpeaksForTheAuthorUnderAnAddressOfOurs) {
  EXPECT_EQ(*renewed("Received: x\r\nfrom: Ann Lee <ann@author.example>\r\nTo: b@c.example\r\n"),
            "Received: x\r\n"
            "From: \"Ann Lee via hosted.example\"\r\n <fwd-k3x9@rewritten.example>\r\n"
            "X-Original-From: Ann Lee <ann@author.example>\r\n"
            "Reply-To: Ann Lee <ann@author.example>\r\n"
            "To: b@c.example\r\n");
}

TEST(AuthorRewrite, LeavesAReplyToAlone) {
  const auto header = renewed("From: ann@author.example\r\nREPLY-TO: other@author.example\r\n");
  EXPECT_THAT(*header, testing::HasSubstr("\r\nREPLY-TO: other@author.example\r\n"));
  EXPECT_THAT(*header, testing::Not(testing::HasSubstr("Reply-To:")));
}

TEST(AuthorRewrite, ShowsNamesSafely) {
  const std::string tail = " <fwd-k3x9@rewritten.example>";
  const std::vector<std::pair<std::string, std::string>> table{
      {" ann@author.example", "\"ann via hosted.example\""},
      {" <ann@author.example>", "\"via hosted.example\""},
      {" \"Lee, Ann\" <ann@author.example>", "\"Lee, Ann via hosted.example\""},
      {" \"q\\\"q\\\\\" <ann@author.example>", "\"q\\\"q\\\\ via hosted.example\""},
      {" (boss) Ann (x) <ann@author.example>", "\"Ann via hosted.example\""},
      // A name that is an address would be taken for one.
      {" \"ceo@bank.example\" <ann@author.example>", "\"ceo via hosted.example\""},
      {" \"a <b>\" <ann@author.example>", "\"a b via hosted.example\""},
      {" =?utf-8?q?J=C3=BCrgen?= <j@author.example>",
       "=?utf-8?q?J=C3=BCrgen?= \"via hosted.example\""},
      {" =?utf-8?q?J=C3=BCrgen?= Lee <j@author.example>", "\"Lee via hosted.example\""},
      {" J\xC3\xBCrgen <j@author.example>", "\"J\xC3\xBCrgen via hosted.example\""},
      {" \"\xFF\" <j@author.example>", "\"via hosted.example\""},
      {" " + std::string(63, 'a') + "\xC3\xBC <j@author.example>",
       '"' + std::string(63, 'a') + " via hosted.example\""},
  };
  for (const auto& [value, name] : table) EXPECT_EQ(from_after(value), name + tail) << value;
}

TEST(AuthorRewrite, RefusesWhatHasNotOneAuthor) {
  for (const char* header :
       {"To: a@b.example\r\n", "From: a@b.example\r\nFrom: c@d.example\r\n",
        "From: a@b.example, c@d.example\r\n", "From: group: a@b.example;\r\n", "From: \r\n"}) {
    EXPECT_FALSE(renewed(header)) << header;
  }
}

/// An old claim about the original author cannot stay beside ours.
TEST(AuthorRewrite, TakesTheClaimsOfOthersOut) {
  const auto header = *renewed("X-Original-From: ceo@bank.example\r\nFrom: ann@author.example\r\n");
  EXPECT_THAT(header, testing::Not(testing::HasSubstr("bank.example")));
}

TEST(AuthorRewrite, KeepsLinesWithinTheirLimit) {
  const std::string value = " \"" + std::string(960, 'n') + "\" <a@author.example>";
  const auto header = *renewed("From:" + value + "\r\n");
  std::size_t start = 0;
  for (auto end = header.find("\r\n"); end != std::string::npos; end = header.find("\r\n", start)) {
    EXPECT_LE(end - start, 998U) << header.substr(start, 40);
    start = end + 2;
  }
  EXPECT_EQ(start, header.size());
}

std::string raw_but_for_authors(const std::string& header) {
  std::string rest;
  const mail::Header read(header);
  EXPECT_TRUE(read.unreadable().empty());
  for (const auto& field : read.fields()) {
    const auto called = [&](const char* name) {
      return mail::find_fields({field}, name).size() == 1;
    };
    if (!called("From") && !called("Reply-To") && !called("X-Original-From")) rest += field.raw;
  }
  return rest;
}

/// All other fields stay, octet for octet; there is exactly one new author, in our domain; and the
/// address reveals nothing of the old one.
TEST(AuthorRewrite, ChangesNothingButTheAuthor) {
  std::mt19937 dice(20261124);
  const std::vector<std::string> pieces{"Subject: a\r\n b\r\n\tc\r\n",
                                        "DKIM-Signature: v=1; b=x\r\n",
                                        "X-Original-From: f@g.example\r\n",
                                        "reply-to:r@s.example\r\n",
                                        "To : x@y.example\r\n",
                                        "Content-Type: text/plain\r\n",
                                        "X-8bit: \xFF\xFE\r\n",
                                        "Received: by z\r\n",
                                        "Sender: s@t.example\r\n",
                                        "X-Empty:\r\n"};
  const std::vector<std::string> authors{
      "From: Ann <ann.secret@author.example>\r\n", "FROM:ann.secret@author.example\r\n",
      "From:\r\n \"A \\\" B\"\r\n <ann.secret@author.example> (c)\r\n",
      "From: =?utf-8?b?QW5u?= =?utf-8?b?QW5u?= <ann.secret@author.example>\r\n"};
  for (int round = 0; round < 5000; ++round) {
    std::string header;
    const std::size_t place = dice() % 6;
    for (std::size_t i = 0; i < 6; ++i) {
      header += i == place ? authors[dice() % authors.size()] : pieces[dice() % pieces.size()];
    }
    const auto rewritten = renewed(header);
    ASSERT_TRUE(rewritten) << header;
    ASSERT_EQ(raw_but_for_authors(*rewritten), raw_but_for_authors(header));
    ASSERT_EQ(mail::author_domain(mail::Header(*rewritten)), house::domain("rewritten.example"))
        << *rewritten;
    const mail::Header read(*rewritten);
    const auto from = read.find("From");
    ASSERT_THAT(std::string(from.front().value.substr(from.front().value.rfind('<'))),
                testing::Not(testing::HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace relay::forward
