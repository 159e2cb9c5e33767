#include "relay/auth/openssl_signer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::auth {
namespace {

using testing::HasSubstr;

std::shared_ptr<const SigningDomains> keys(const std::string& domain) {
  auto made = std::make_shared<SigningDomains>();
  made->push_back(
      {domain,
       {{"e", *dkim::PrivateKey::generate(dkim::KeyType::Ed25519)}, {"r", *dkim::PrivateKey::generate(dkim::KeyType::Rsa)}}});
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
  base::Published<SigningDomains> domains_{keys("fwd.com")};
  OpensslSigner signer_{domains_, 2};
};

TEST_F(SignerTest, MakesOneFieldPerKeyInTheirOrder) {
  const auto fields = run(signer_.sign(request()));
  ASSERT_TRUE(fields);
  const auto ed = fields->find("a=ed25519-sha256");
  const auto rsa = fields->find("a=rsa-sha256");
  ASSERT_NE(ed, std::string::npos);
  ASSERT_NE(rsa, std::string::npos);
  EXPECT_LT(ed, rsa);
  EXPECT_THAT(*fields, HasSubstr("d=fwd.com;"));
  EXPECT_TRUE(fields->ends_with("\r\n"));
}

TEST_F(SignerTest, LeavesMailAloneThatItMustNotSign) {
  EXPECT_EQ(run(signer_.sign(request("fwd.com"))).value(), "");
  EXPECT_EQ(run(signer_.sign(request(""))).value(), "");
}

TEST_F(SignerTest, SignsWithTheKeysOfTheMoment) {
  domains_.publish(keys("new.com"));
  EXPECT_THAT(run(signer_.sign(request())).value(), HasSubstr("d=new.com;"));
  domains_.publish(std::make_shared<const SigningDomains>());
  EXPECT_EQ(run(signer_.sign(request())).value(), "");
}

TEST_F(SignerTest, ServesManyAtOnce) {
  std::vector<std::future<std::expected<std::string, ports::SignError>>> all;
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
