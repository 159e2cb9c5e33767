#include "relay/base/pem.hpp"

#include <string>

#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace relay::base {
namespace {

// An Ed25519 key made for this test and used nowhere (RFC 8410 §10.3).
const std::string kKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
    "-----END PRIVATE KEY-----\n";

std::string with_crlf(std::string text) {
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2)) {
    text.insert(at, 1, '\r');
  }
  return text;
}

TEST(Pem, FindsThePrivateKeyWhateverStandsAroundIt) {
  const std::string parameters =
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  for (const std::string& text :
       {kKey, with_crlf(kKey), "subject: x\n" + kKey + "more\n", parameters + kKey, kKey + kKey}) {
    const auto key = private_key_of(text);
    ASSERT_TRUE(key) << text;
    EXPECT_TRUE(EVP_PKEY_is_a(key.get(), "ED25519"));
  }
}

TEST(Pem, TakesNothingElseForAKey) {
  const auto changed = [](const std::string& what, const std::string& into) {
    std::string text = kKey;
    return text.replace(text.find(what), what.size(), into);
  };
  for (const std::string& text :
       {std::string(), std::string("-----BEGIN "), kKey.substr(0, kKey.size() - 20), "x" + kKey,
        changed("MC4C", "MC4"), changed("MC4C", "M*4C"), changed("MC4C", "===="),
        changed("END PRIVATE", "END RSA PRIVATE"),
        changed("MC4C", "Proc-Type: 4,ENCRYPTED\n\nMC4C"),
        changed("MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC", "====")}) {
    EXPECT_FALSE(private_key_of(text)) << text;
  }
}

}  // namespace
}  // namespace relay::base
