// Private keys out of PEM text, without leaving the text behind in memory.
#pragma once

#include <memory>
#include <string_view>

struct evp_pkey_st;

namespace relay::base {

/// The first private key in `pem` (PKCS #8, or the older forms of RSA and EC; RFC 7468 §10); null
/// when there is none, or only an encrypted one. OpenSSL's own reader leaves the last line
/// it decoded in memory that it frees; here all is wiped.
std::shared_ptr<evp_pkey_st> private_key_of(std::string_view pem);

}  // namespace relay::base
