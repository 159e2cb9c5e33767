// Reads private keys from PEM text without leaving key material behind in memory.
#pragma once

#include <memory>
#include <string_view>

struct evp_pkey_st;

namespace relay::base {

/// The first private key in `pem` (PKCS #8, or the older forms of RSA and EC; RFC 7468 §10); null
/// when there is none or it is encrypted. Not OpenSSL's own PEM reader: that leaves the last line
/// it decoded in memory that it frees; here all of it is wiped.
std::shared_ptr<evp_pkey_st> private_key_of(std::string_view pem);

}  // namespace relay::base
