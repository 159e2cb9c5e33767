#include "relay/delivery/report_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "relay/mail/author.hpp"
#include "relay/mail/dsn.hpp"
#include "tests/delivery/report_fixture.hpp"

namespace relay::delivery {
namespace {

using mail::End;
using ports::Notify;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class ReportWriter : public ReportFixture {};

struct KeepingSigner final : ports::Signer {
  std::string domain_for(const std::string&) const override { return "fwd.example"; }

  base::Task<std::expected<ports::Signatures, ports::SignError>> sign(
      ports::SignRequest request) override {
    asked.push_back(std::move(request));
    if (fails) co_return std::unexpected(ports::SignError::CryptoFailed);
    co_return ports::Signatures{.dkim_fields = "DKIM-Signature: x\r\n"};
  }

  std::vector<ports::SignRequest> asked;
  bool fails = false;
};

TEST_F(ReportWriter, WritesToTheSenderUnderTheNullSenderAndWhole) {
  failed("info@fwd.example");
  KeepingSigner signer;
  const auto report = written(&signer).report;
  EXPECT_EQ(report.id, order_.notices.queued.message.id);
  EXPECT_THAT(report.notices, ElementsAre(std::pair(std::uint16_t{0}, Notify::OfFailure)));
  ASSERT_THAT(report.dsns, SizeIs(1));
  const ports::NewMessage& dsn = report.dsns[0];
  EXPECT_TRUE(dsn.message.reverse_path.is_null());
  ASSERT_THAT(dsn.routes, SizeIs(1));
  EXPECT_EQ(dsn.routes[0].target.to_string(), "ann@sender.example");
  EXPECT_TRUE(dsn.routes[0].reverse_path.is_null());
  EXPECT_FALSE(dsn.routes[0].held);
  EXPECT_EQ(dsn.message.size, dsn.content.size());
  EXPECT_EQ(dsn.message.message_id, dsn.message.id.to_string() + "@mx.fwd.example");
  EXPECT_THAT(dsn.content, HasSubstr("Message-ID: <" + dsn.message.message_id + ">\r\n"));
  std::string digest(32, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(dsn.content.data()), dsn.content.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  EXPECT_EQ(dsn.content_sha256, digest);
  EXPECT_EQ(dsn.message.trace_fields, "DKIM-Signature: x\r\n");
}

/// A DSN is our own message, so it must be signed in our name.
TEST_F(ReportWriter, SignsAsAMessageOfThisHost) {
  failed("info@fwd.example");
  policy_->signature_lifetime = std::chrono::days(9);
  KeepingSigner signer;
  written(&signer);
  ASSERT_THAT(signer.asked, SizeIs(1));
  EXPECT_TRUE(signer.asked[0].own_message);
  EXPECT_EQ(signer.asked[0].lifetime, std::chrono::days(9));
  EXPECT_EQ(signer.asked[0].from_domain, "mx.fwd.example");
  EXPECT_EQ(mail::author_domain(*signer.asked[0].header)->folded(), "mx.fwd.example");
  EXPECT_EQ(signer.asked[0].relaxed_body_sha256.size(), 32U);
}

TEST_F(ReportWriter, WritesAnUnsignedDsnRatherThanNone) {
  failed("info@fwd.example");
  KeepingSigner broken;
  broken.fails = true;
  EXPECT_EQ(written(&broken).report.dsns.at(0).message.trace_fields, "");
  EXPECT_EQ(written(nullptr).report.dsns.at(0).message.trace_fields, "");
}

/// The sender is one of our own aliases: the DSN goes to its targets, not through this relay again.
TEST_F(ReportWriter, SendsADsnToAnAddressOfOursToItsTargets) {
  failed("info@fwd.example");
  policy_->own_targets = [](const mail::Mailbox& address) {
    return address.domain().folded() == "sender.example"
               ? std::vector{mailbox("a@x.example"), mailbox("b@y.example")}
               : std::vector<mail::Mailbox>();
  };
  const auto report = written().report;
  ASSERT_THAT(report.dsns.at(0).routes, SizeIs(2));
  EXPECT_EQ(report.dsns[0].routes[0].index, 0);
  EXPECT_EQ(report.dsns[0].routes[1].index, 1);
  EXPECT_EQ(report.dsns[0].routes[1].target.to_string(), "b@y.example");
  order_.notices.queued.message.reverse_path = mail::ReversePath(mailbox("c@z.example"));
  EXPECT_THAT(written().report.dsns.at(0).routes, SizeIs(1));
}

TEST_F(ReportWriter, NeedsSmtpUtf8ForAnInternationalSenderOnly) {
  failed("info@fwd.example");
  EXPECT_FALSE(written().report.dsns.at(0).message.smtputf8);
  order_.notices.queued.message.reverse_path = mail::ReversePath(mailbox("jürgen@x.example"));
  EXPECT_TRUE(written().report.dsns.at(0).message.smtputf8);
}

TEST_F(ReportWriter, TellsFailuresAndDelaysOfAMessageInOneDsn) {
  failed("a@fwd.example");
  failed("b@fwd.example", End::Expired);
  delayed("c@fwd.example");
  const auto all = written();
  ASSERT_THAT(all.report.dsns, SizeIs(1));
  EXPECT_THAT(all.report.notices, SizeIs(3));
  const std::string& text = all.report.dsns[0].content;
  EXPECT_THAT(text, HasSubstr("Final-Recipient: rfc822;a@fwd.example\r\nAction: failed\r\n"
                              "Status: 5.1.1\r\n"));
  EXPECT_THAT(text, HasSubstr("Final-Recipient: rfc822;b@fwd.example\r\nAction: failed\r\n"
                              "Status: 5.4.7\r\n"));
  EXPECT_THAT(text, HasSubstr("Final-Recipient: rfc822;c@fwd.example\r\nAction: delayed\r\n"));
  // Five days since it began to wait, not since the message arrived.
  EXPECT_THAT(text, HasSubstr("Will-Retry-Until: Sun, 29 Nov 2026 02:00:00 +0000"));
  ASSERT_THAT(all.notes, SizeIs(1));
  EXPECT_EQ(all.notes[0].id, all.report.dsns[0].message.id);
  EXPECT_EQ(all.notes[0].reason, "");
  EXPECT_EQ(all.notes[0].failed, 2U);
  EXPECT_EQ(all.notes[0].delayed, 1U);
}

TEST_F(ReportWriter, WritesAsManyDsnsAsItTakesToNameEverybody) {
  for (int i = 0; i < 1500; ++i) failed("a" + std::to_string(i) + "@fwd.example");
  const auto all = written();
  ASSERT_GT(all.report.dsns.size(), 1U);
  ASSERT_EQ(all.notes.size(), all.report.dsns.size());
  std::size_t told = 0;
  for (std::size_t i = 0; i < all.notes.size(); ++i) {
    EXPECT_LE(all.report.dsns[i].content.size(), mail::kMaxDsnOctets);
    EXPECT_EQ(all.notes[i].id, all.report.dsns[i].message.id);
    if (i > 0) {
      EXPECT_NE(all.notes[i].id, all.notes[i - 1].id);
    }
    told += all.notes[i].failed;
  }
  EXPECT_EQ(told, 1500U);
}

TEST_F(ReportWriter, TakesItsIdsFromWhoeverGivesThem) {
  failed("info@fwd.example");
  order_.new_id = [] { return mail::MessageId::make(kReportNow, {9}); };
  EXPECT_EQ(written().report.dsns.at(0).message.id, mail::MessageId::make(kReportNow, {9}));
}

}  // namespace
}  // namespace relay::delivery
