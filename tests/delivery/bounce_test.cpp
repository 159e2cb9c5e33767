#include "relay/delivery/bounce.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "relay/mail/author.hpp"
#include "tests/delivery/run_task.hpp"

namespace relay::delivery {
namespace {

using testing::HasSubstr;

const base::WallTime kNow{std::chrono::milliseconds(1'795'500'000'000)};

mail::Mailbox mailbox(const std::string& text) { return *mail::Mailbox::parse(text); }

struct KeepingSigner final : ports::Signer {
  std::string domain_for(const std::string&) const override { return "fwd.example"; }

  base::Task<std::expected<ports::Signatures, ports::SignError>> sign(
      ports::SignRequest request) override {
    asked = std::move(request);
    if (fails) co_return std::unexpected(ports::SignError::CryptoFailed);
    co_return ports::Signatures{.dkim_fields = "DKIM-Signature: x\r\n"};
  }

  ports::SignRequest asked;
  bool fails = false;
};

BounceOrder order(const std::string& sender = "ann@sender.example") {
  BounceOrder made;
  made.original.id = mail::MessageId::generate(kNow);
  made.original.received_at = kNow;
  made.original.reverse_path = mail::ReversePath(mailbox(sender));
  made.header_block = "From: ann@sender.example\r\n";
  made.now = kNow;
  mail::DsnRecipient recipient{
      mail::ForwardPath(mailbox("info@fwd.example")), mailbox("me@mail.example"), {}, false};
  recipient.attempt.code = 550;
  recipient.attempt.status = {5, 1, 1};
  made.recipients.push_back(recipient);
  return made;
}

std::shared_ptr<Policy> policy() {
  return std::make_shared<Policy>(*mail::Domain::parse("mx.fwd.example"));
}

TEST(Bounce, GoesToTheSenderUnderTheNullSenderAndIsWhole) {
  KeepingSigner signer;
  const auto dsn = run_task(make_bounce(order(), policy(), &signer));
  EXPECT_TRUE(dsn.message.reverse_path.is_null());
  ASSERT_EQ(dsn.routes.size(), 1U);
  EXPECT_EQ(dsn.routes[0].target.to_string(), "ann@sender.example");
  EXPECT_TRUE(dsn.routes[0].reverse_path.is_null());
  EXPECT_EQ(dsn.message.size, dsn.last_chunk.size());
  std::string digest(32, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(dsn.last_chunk.data()), dsn.last_chunk.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  EXPECT_EQ(dsn.content_sha256, digest);
  EXPECT_EQ(dsn.message.trace_fields, "DKIM-Signature: x\r\n");
}

/// A DSN is ours: it may be, and must be, signed in our own name.
TEST(Bounce, IsSignedAsAMessageOfThisHost) {
  KeepingSigner signer;
  const auto settings = policy();
  settings->signature_lifetime = std::chrono::days(9);
  run_task(make_bounce(order(), settings, &signer));
  EXPECT_TRUE(signer.asked.own_message);
  EXPECT_EQ(signer.asked.lifetime, std::chrono::days(9));
  EXPECT_EQ(signer.asked.from_domain, "mx.fwd.example");
  EXPECT_EQ(mail::author_domain(signer.asked.header_block)->folded(), "mx.fwd.example");
  EXPECT_EQ(signer.asked.relaxed_body_sha256.size(), 32U);
}

TEST(Bounce, GoesOutUnsignedRatherThanNotAtAll) {
  KeepingSigner broken;
  broken.fails = true;
  EXPECT_EQ(run_task(make_bounce(order(), policy(), &broken)).message.trace_fields, "");
  EXPECT_EQ(run_task(make_bounce(order(), policy(), nullptr)).message.trace_fields, "");
}

/// The sender is one of our own aliases: straight to where it leads, not round through ourselves.
TEST(Bounce, ToAnAddressOfOursGoesToItsTargets) {
  auto own = policy();
  own->own_targets = [](const mail::Mailbox& address) {
    return address.domain().folded() == "sender.example"
               ? std::vector{mailbox("a@x.example"), mailbox("b@y.example")}
               : std::vector<mail::Mailbox>();
  };
  const auto dsn = run_task(make_bounce(order(), own, nullptr));
  ASSERT_EQ(dsn.routes.size(), 2U);
  EXPECT_EQ(dsn.routes[1].target.to_string(), "b@y.example");
  EXPECT_EQ(run_task(make_bounce(order("c@z.example"), own, nullptr)).routes.size(), 1U);
}

TEST(Bounce, ToAnInternationalSenderNeedsSmtpUtf8) {
  EXPECT_TRUE(run_task(make_bounce(order("jürgen@x.example"), policy(), nullptr)).message.smtputf8);
  EXPECT_FALSE(run_task(make_bounce(order(), policy(), nullptr)).message.smtputf8);
}

/// RFC 3834 §2: no human waits for an answer to these.
TEST(Bounce, KnowsAutomaticMail) {
  for (const char* automatic :
       {"Auto-Submitted: auto-replied\r\n", "auto-submitted: auto-generated (x)\r\n",
        "Precedence: bulk\r\n", "Precedence: List\r\n", "Precedence: junk\r\n",
        "List-Id: <x.example>\r\n"}) {
    EXPECT_TRUE(is_automatic(automatic)) << automatic;
  }
  for (const char* human :
       {"", "Auto-Submitted: no\r\n", "Precedence: first-class\r\n", "Subject: List-Id: x\r\n"}) {
    EXPECT_FALSE(is_automatic(human)) << human;
  }
}

}  // namespace
}  // namespace relay::delivery
