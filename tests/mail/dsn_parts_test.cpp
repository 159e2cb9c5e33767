// Entries that do not fit into one DSN go into others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/mail/dsn.hpp"
#include "tests/mail/dsn_fixture.hpp"

namespace relay::mail {
namespace {

using testing::HasSubstr;

/// As many aliases as it takes, each refused with a reply of its own.
DsnRequest of_many(std::size_t recipients, std::size_t octets) {
  DsnRequest many = dsn_request();
  many.recipients.clear();
  for (std::size_t i = 0; i < recipients; ++i) {
    const std::string number = std::to_string(i);
    many.recipients.push_back(
        refused("alias" + number + "@fwd.example", 't' + number + "@mail.example"));
    auto& text = many.recipients.back().attempt.text;
    text = "5.1.1 ";
    while (text.size() < octets) text += "words ";
    text += '#' + number;
  }
  return many;
}

/// Nobody who did not get the message is left out, however many there are.
TEST(DsnParts, NameEverybodyOnce) {
  const auto dsns = build_dsns(of_many(400, 900));
  ASSERT_GT(dsns.size(), 2U);
  std::string all;
  std::size_t failed = 0;
  for (std::size_t i = 0; i < dsns.size(); ++i) {
    EXPECT_LE(dsns[i].content.size(), kMaxDsnOctets);
    EXPECT_THAT(dsns[i].content,
                HasSubstr("part " + std::to_string(i + 1) + " of " + std::to_string(dsns.size())));
    EXPECT_EQ(count_of(dsns[i].content, "\r\nReporting-MTA: "), 1U);
    EXPECT_EQ(count_of(dsns[i].content, "\r\nAction: failed"), dsns[i].failed);
    EXPECT_EQ(count_of(dsns[i].content, "\r\n--=_" + dsns[i].id.to_string()), 4U);
    expect_sound(dsns[i].content);
    all += dsns[i].content;
    failed += dsns[i].failed;
  }
  EXPECT_EQ(failed, 400U);
  for (int i = 0; i < 400; ++i) {
    const std::string alias = "alias" + std::to_string(i) + "@fwd.example";
    EXPECT_EQ(count_of(all, "  <" + alias + ">\r\n"), 1U);
    EXPECT_EQ(count_of(all, "Final-Recipient: rfc822;" + alias + "\r\n"), 1U);
  }
}

TEST(DsnParts, AreEachCompleteInThemselves) {
  DsnRequest request = of_many(151, 900);
  std::size_t fits = 110;  // as many as fill one, and two more
  while (build_dsns(of_many(fits + 1, 900)).size() == 1) ++fits;
  request.recipients.resize(fits + 2, request.recipients.back());
  const auto dsns = build_dsns(request);
  ASSERT_EQ(dsns.size(), 2U);
  EXPECT_EQ(dsns[0].failed, fits);
  EXPECT_GT(dsns[0].content.size(), kMaxDsnOctets - 8192) << "none is begun before it must be";
  EXPECT_THAT(dsns[0].content, HasSubstr("This is part 1 of 2"));
  expect_golden("part_2_of_2.eml", dsns[1].content);
}

/// The longest of everything there is, in each of the sections.
TEST(DsnParts, AreNeverLongerThanTheyMayBe) {
  DsnRequest request = of_many(3000, 100);
  const std::string name(62, '+');
  const std::string host = std::string(60, 'd') + '.' + std::string(60, 'd') + ".example";
  request.addressee = dsn_mailbox("ü" + name + '@' + host);
  request.sender = request.addressee;
  request.hide_targets = false;
  request.original_header = "Message-ID: <" + std::string(200, 'i') + "@x.example>\r\n";
  while (request.original_header.size() < kMaxReturnedHeader) {
    request.original_header += "X: " + std::string(2000, 'x') + "\r\n";
  }
  for (std::size_t i = 0; i < request.recipients.size(); ++i) {
    auto& recipient = request.recipients[i];
    recipient.one_of_several = i % 2 == 0;
    if (i % 4 > 1) recipient.kind = DsnKind::Delayed;
    recipient.retry_until = kDsnNow + std::chrono::hours(i);
    if (i % 100 == 0) recipient.attempt.text = std::string(1024, '\xFF');
    if (i % 100 == 1) {
      recipient.attempt.text.clear();
      while (recipient.attempt.text.size() < 1023) recipient.attempt.text += "a\n";
    }
  }
  for (const Dsn& dsn : build_dsns(request)) EXPECT_LE(dsn.content.size(), kMaxDsnOctets);
}

}  // namespace
}  // namespace relay::mail
