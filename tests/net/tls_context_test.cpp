#include "relay/net/tls_context.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/net/certificates.hpp"

namespace relay::net {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(TlsContext, LoadsMatchingPairAndKnowsItsEnd) {
  const TemporaryFolder folder;
  const auto context = TlsContext::server(make_certificate(folder, "mx", "mx.example.org"));
  ASSERT_TRUE(context) << context.error();
  const auto certificate = context->certificate();
  ASSERT_TRUE(certificate);
  const auto left = certificate->ends - std::chrono::system_clock::now();
  EXPECT_GT(left, std::chrono::hours(23));
  EXPECT_LT(left, std::chrono::hours(25));
  EXPECT_LE(certificate->begins, std::chrono::system_clock::now());
  EXPECT_EQ(certificate->names, std::vector<std::string>{"mx.example.org"});
  EXPECT_TRUE(context->is_for("MX.example.org"));
  EXPECT_FALSE(context->is_for("example.org"));
}

TEST(TlsContext, RefusesKeyOfAnotherCertificate) {
  const TemporaryFolder folder;
  const auto one = make_certificate(folder, "one", "mx.example.org");
  const auto two = make_certificate(folder, "two", "mx.example.org");
  const auto context = TlsContext::server({one.chain, two.key});
  ASSERT_FALSE(context);
  EXPECT_THAT(context.error(), AllOf(HasSubstr("two.key"), HasSubstr("one.crt")));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(TlsContext, NamesMissingFile) {
  const TemporaryFolder folder;
  const auto good = make_certificate(folder, "mx", "mx.example.org");
  const auto no_chain = TlsContext::server({folder.path() / "gone.crt", good.key});
  ASSERT_FALSE(no_chain);
  EXPECT_THAT(no_chain.error(), AllOf(HasSubstr("gone.crt"), HasSubstr("No such file")));
  const auto no_key = TlsContext::server({good.chain, folder.path() / "gone.key"});
  ASSERT_FALSE(no_key);
  EXPECT_THAT(no_key.error(), AllOf(HasSubstr("gone.key"), HasSubstr("No such file")));
}

TEST(TlsContext, RefusesFileWithoutCertificate) {
  const TemporaryFolder folder;
  const auto good = make_certificate(folder, "mx", "mx.example.org");
  std::ofstream(folder.path() / "empty.crt") << "not a certificate\n";
  EXPECT_FALSE(TlsContext::server({folder.path() / "empty.crt", good.key}));
}

TEST(TlsContext, RefusesEncryptedKeyInsteadOfAskingOnTheTerminal) {
  const TemporaryFolder folder;
  const auto good = make_certificate(folder, "mx", "mx.example.org");
  const auto context = TlsContext::server({good.chain, make_encrypted_key(folder)});
  ASSERT_FALSE(context);
  EXPECT_THAT(context.error(), HasSubstr("encrypted.key"));
}

TEST(TlsContext, ClientNamesUnusableAuthorities) {
  const TemporaryFolder folder;
  const auto context = TlsContext::client(mail::TlsLevel::Verify, folder.path() / "gone.pem");
  ASSERT_FALSE(context);
  EXPECT_THAT(context.error(), HasSubstr("gone.pem"));
  EXPECT_TRUE(TlsContext::client(mail::TlsLevel::Verify));
  EXPECT_TRUE(TlsContext::client(mail::TlsLevel::May));
}

}  // namespace
}  // namespace relay::net
