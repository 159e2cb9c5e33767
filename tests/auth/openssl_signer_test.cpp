#include "relay/auth/openssl_signer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/auth/dkim/body_hashes.hpp"
#include "tests/auth/arc/checked.hpp"
#include "tests/controls/broken_signatures.hpp"
#include "tests/support/run_task.hpp"

namespace relay::auth {
namespace {

using testing::HasSubstr;
using testing::Not;

std::shared_ptr<const SigningKeys> keys(const std::string& domain) {
  static const auto rsa = *dkim::PrivateKey::generate(dkim::KeyType::Rsa);
  static const auto ed25519 = *dkim::PrivateKey::generate(dkim::KeyType::Ed25519);
  auto made = std::make_shared<SigningKeys>();
  made->domains.push_back({domain, {{"e", ed25519}, {"r", rsa}}});
  made->sealer = arc::SealingKey{"seal." + domain, "a", rsa};
  return made;
}

mail::HeaderPtr header_of(std::string block) {
  return std::make_shared<const mail::Header>(std::move(block));
}

ports::SignRequest request(const std::string& from = "sender.com") {
  return {.header = header_of("From: ann@" + from + "\r\nSubject: x\r\n"),
          .relaxed_body_sha256 = std::string(32, 'h'),
          .from_domain = from,
          .now_unix = 1'795'500'000};
}

class SignerTest : public testing::Test {
 protected:
  template <class T>
  T run(base::Task<T> task) {
    return support::run_task(io_, std::move(task));
  }

  boost::asio::io_context io_;
  base::Published<SigningKeys> keys_{keys("fwd.com")};
  std::vector<SelfCheckFault> faults_;  ///< written by one signing thread at a time
  OpensslSigner signer_{keys_, 2, {.every = 1, .on_fault = [this](const SelfCheckFault& fault) {
                                     faults_.push_back(fault);
                                   }}};
};

TEST_F(SignerTest, MakesOneFieldPerKeyInTheirOrder) {
  const auto signatures = run(signer_.sign(request()));
  ASSERT_TRUE(signatures);
  const std::string& fields = signatures->dkim_fields;
  const auto ed = fields.find("a=ed25519-sha256");
  const auto rsa = fields.find("a=rsa-sha256");
  ASSERT_NE(ed, std::string::npos);
  ASSERT_NE(rsa, std::string::npos);
  EXPECT_LT(ed, rsa);
  EXPECT_THAT(fields, HasSubstr("d=fwd.com;"));
  EXPECT_TRUE(fields.ends_with("\r\n"));
  EXPECT_EQ(signatures->arc_fields, "");
}

TEST_F(SignerTest, LeavesMailAloneThatItMustNotSign) {
  EXPECT_EQ(run(signer_.sign(request("fwd.com"))).value().dkim_fields, "");
  EXPECT_EQ(run(signer_.sign(request(""))).value().dkim_fields, "");
}

TEST_F(SignerTest, SealsAloneWhereNoSignatureIsWanted) {
  auto sealed = request();
  sealed.seal = {"mx.fwd.com; dmarc=pass header.from=sender.com", mail::ArcResult::None};
  sealed.unsigned_dkim = true;
  const auto alone = run(signer_.sign(sealed)).value();
  EXPECT_EQ(alone.dkim_fields, "");
  EXPECT_THAT(alone.arc_fields, HasSubstr("cv=none;"));
}

TEST_F(SignerTest, TellsWhoWouldSign) {
  EXPECT_EQ(signer_.domain_for("sender.com"), "fwd.com");
  EXPECT_EQ(signer_.domain_for("mail.fwd.com"), "");
}

TEST_F(SignerTest, SignsWithTheKeysOfTheMoment) {
  keys_.publish(keys("new.com"));
  EXPECT_THAT(run(signer_.sign(request())).value().dkim_fields, HasSubstr("d=new.com;"));
  keys_.publish(std::make_shared<const SigningKeys>());
  EXPECT_EQ(run(signer_.sign(request())).value().dkim_fields, "");
}

/// Signatures end; and where the line that follows our fields would become part of them, there are
/// none.
TEST_F(SignerTest, LimitsItsSignaturesAndSignsFieldsOnly) {
  auto asked = request();
  EXPECT_THAT(run(signer_.sign(asked)).value().dkim_fields, Not(HasSubstr("x=")));
  asked.lifetime = std::chrono::days{7};
  EXPECT_THAT(run(signer_.sign(asked)).value().dkim_fields,
              HasSubstr("t=1795500000; x=1796104800;"));
  const std::string usual = run(signer_.sign(asked)).value().dkim_fields;
  asked.header = header_of("\tgoes on\r\n" + asked.header->block());
  EXPECT_EQ(run(signer_.sign(asked)).value().dkim_fields, usual)
      << "what belongs to no field is not signed";
}

/// Each in debug builds, elsewhere one in so many.
TEST_F(SignerTest, ChecksEachMessageOrOneInSoMany) {
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(run(signer_.sign(request())));
  EXPECT_TRUE(run(signer_.sign(request("fwd.com")))) << "nothing signed, nothing to check";
  EXPECT_EQ(signer_.self_checks().done, 50U);
  EXPECT_EQ(signer_.self_checks().failed, 0U);
  OpensslSigner seldom(keys_, 2, {.every = 1000, .on_fault = {}});
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(run(seldom.sign(request())));
  EXPECT_EQ(seldom.self_checks().done, 1U);
  EXPECT_TRUE(run(seldom.sign(request())));
  EXPECT_EQ(seldom.self_checks().done, 2U);
  EXPECT_EQ(seldom.self_checks().failed, 0U);
  EXPECT_THAT(faults_, testing::IsEmpty());
}

/// The negative control: one wrong bit, and nothing is handed out.
TEST_F(SignerTest, HandsOutNothingThatDoesNotHold) {
  controls::break_signatures(true);
  auto sealed = request("fwd.com");
  sealed.seal = {"mx.fwd.com; dmarc=pass header.from=fwd.com", mail::ArcResult::None};
  const auto signature = run(signer_.sign(request()));
  const auto seal = run(signer_.sign(sealed));
  controls::break_signatures(false);
  ASSERT_FALSE(signature);
  EXPECT_EQ(signature.error(), ports::SignError::SelfCheckFailed);
  ASSERT_FALSE(seal);
  EXPECT_EQ(seal.error(), ports::SignError::SelfCheckFailed);
  EXPECT_EQ(signer_.self_checks().failed, 2U);
  ASSERT_EQ(faults_.size(), 2U);
  EXPECT_EQ(faults_[0].domain + ' ' + faults_[0].selector, "fwd.com e");
  EXPECT_EQ(faults_[1].domain + ' ' + faults_[1].selector, "seal.fwd.com a");
}

class SealTest : public SignerTest {
 protected:
  /// The message as it leaves: our fields on top of `header` and a body.
  std::string sent(const std::string& header, mail::ArcResult chain) {
    dkim::BodyHashes hashes;
    const auto wish = hashes.want(dkim::Canon::Relaxed);
    hashes.update("Hello\r\n");
    hashes.finish();
    auto asked = request();
    asked.header = header_of(header);
    asked.relaxed_body_sha256 = hashes.digest(wish);
    asked.seal = ports::SealRequest{"mx.fwd.com;\r\n\tdmarc=pass header.from=sender.com", chain};
    const auto made = run(signer_.sign(asked)).value();
    last_ = made;
    return made.arc_fields + made.dkim_fields + header + "\r\nHello\r\n";
  }

  /// The key that seals, as its domain publishes it.
  std::string zone() const {
    const auto sealer = keys_.get()->sealer.value();
    return arc::key_line(sealer.selector + "._domainkey." + sealer.domain, sealer.key.dns_record());
  }

  ports::Signatures last_;
};

TEST_F(SealTest, CoversTheSignaturesMadeWithIt) {
  const std::string message = sent("From: ann@sender.com\r\n", mail::ArcResult::None);
  EXPECT_THAT(last_.arc_fields, HasSubstr("i=1; mx.fwd.com;"));
  EXPECT_THAT(last_.arc_fields, HasSubstr("DKIM-Signature:DKIM-Signature"));
  EXPECT_EQ(arc::checked(message, zone()).result, mail::ArcResult::Pass);
  std::string changed = message;
  changed.replace(changed.find("d=fwd.com;\r\n\ts=e"), 10, "d=foe.com;");  // of a DKIM-Signature
  EXPECT_EQ(arc::checked(changed, zone()).result, mail::ArcResult::Fail);
}

TEST_F(SealTest, GoesOnWithAChainAndMarksABrokenOne) {
  const std::string once = sent("From: ann@sender.com\r\n", mail::ArcResult::None);
  const std::string header = once.substr(0, once.find("\r\n\r\n") + 2);
  EXPECT_EQ(arc::checked(sent(header, mail::ArcResult::Pass), zone()).result,
            mail::ArcResult::Pass);
  sent(header, mail::ArcResult::Fail);
  EXPECT_THAT(last_.arc_fields, HasSubstr("cv=fail;"));
  sent(header, mail::ArcResult::TempError);
  EXPECT_EQ(last_.arc_fields, "");
  EXPECT_NE(last_.dkim_fields, "");
}

/// A seal is no identifier of DMARC: where alignment forbids a signature it is still right.
TEST_F(SealTest, IsMadeWhereNoSignatureMayBe) {
  keys_.publish(keys("sender.com"));
  const std::string message = sent("From: ann@sender.com\r\n", mail::ArcResult::None);
  EXPECT_EQ(last_.dkim_fields, "");
  EXPECT_EQ(arc::checked(message, zone()).result, mail::ArcResult::Pass);
}

TEST_F(SealTest, IsNotMadeWithoutAKeyForIt) {
  auto made = *keys("fwd.com");
  made.sealer.reset();
  keys_.publish(std::make_shared<const SigningKeys>(std::move(made)));
  sent("From: ann@sender.com\r\n", mail::ArcResult::None);
  EXPECT_NE(last_.dkim_fields, "");
  EXPECT_EQ(last_.arc_fields, "");
}

TEST_F(SealTest, NeedsNoDomainThatSigns) {
  auto made = *keys("fwd.com");
  made.domains.clear();
  keys_.publish(std::make_shared<const SigningKeys>(std::move(made)));
  const std::string message = sent("From: ann@sender.com\r\n", mail::ArcResult::None);
  EXPECT_EQ(last_.dkim_fields, "");
  EXPECT_EQ(arc::checked(message, zone()).result, mail::ArcResult::Pass);
}

TEST_F(SignerTest, ServesManyAtOnce) {
  std::vector<std::future<std::expected<ports::Signatures, ports::SignError>>> all;
  for (int i = 0; i < 200; ++i) {
    all.push_back(boost::asio::co_spawn(io_, signer_.sign(request()), boost::asio::use_future));
  }
  const auto guard = boost::asio::make_work_guard(io_);
  for (auto& one : all) {
    while (one.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      io_.run_one_for(std::chrono::milliseconds(20));
    }
    EXPECT_TRUE(one.get());
  }
}

}  // namespace
}  // namespace relay::auth
