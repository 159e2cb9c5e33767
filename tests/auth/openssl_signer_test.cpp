#include "relay/auth/openssl_signer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::auth {
namespace {

using testing::HasSubstr;

std::shared_ptr<const SigningKeys> keys(const std::string& domain) {
  auto made = std::make_shared<SigningKeys>();
  made->sealer = {"seal.com", "a", *dkim::PrivateKey::generate(dkim::KeyType::Rsa)};
  made->domains.push_back({domain,
                   {{"e", *dkim::PrivateKey::generate(dkim::KeyType::Ed25519)},
                    {"r", *dkim::PrivateKey::generate(dkim::KeyType::Rsa)}}});
  return made;
}

ports::SignRequest request(const std::string& from = "sender.com") {
  return {.header_block = "From: ann@" + from + "\r\nSubject: x\r\n",
          .relaxed_body_sha256 = std::string(32, 'h'),
          .from_domain = from,
          .now_unix = 1'795'500'000};
}

class SignerTest : public testing::Test {
 protected:
  template <class T>
  T run(base::Task<T> task) {
    io_.restart();
    auto result = boost::asio::co_spawn(io_, std::move(task), boost::asio::use_future);
    const auto guard = boost::asio::make_work_guard(io_);
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      io_.run_one_for(std::chrono::milliseconds(20));
    }
    return result.get();
  }

  boost::asio::io_context io_;
  base::Published<SigningKeys> keys_{keys("fwd.com")};
  OpensslSigner signer_{keys_, 2};
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

TEST_F(SignerTest, SealsWhereAskedAndThereIsAKey) {
  auto sealed = request();
  sealed.seal = {"mx.fwd.com; dmarc=pass header.from=sender.com", mail::ArcResult::None};
  const auto both = run(signer_.sign(sealed));
  ASSERT_TRUE(both);
  EXPECT_THAT(both->arc_fields, HasSubstr("d=seal.com;"));
  EXPECT_THAT(both->arc_fields, HasSubstr("dkim-signature"));  // h= covers what we just signed
  EXPECT_THAT(both->dkim_fields, HasSubstr("d=fwd.com;"));

  sealed.unsigned_dkim = true;
  const auto alone = run(signer_.sign(sealed));
  EXPECT_EQ(alone->dkim_fields, "");
  EXPECT_THAT(alone->arc_fields, HasSubstr("cv=none;"));

  auto without = std::make_shared<SigningKeys>(*keys("fwd.com"));
  without->sealer.reset();
  keys_.publish(without);
  EXPECT_EQ(run(signer_.sign(sealed))->arc_fields, "");
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
