// What a peer's certificate must be like, and what was wrong with it.
#pragma once

#include <string>

#include <openssl/types.h>

#include "relay/mail/tls_demand.hpp"

namespace relay::net {

/// Before the handshake as client with `host`: makes OpenSSL demand a certificate that our
/// authorities vouch for and that carries one of demand.identities, or `host` where there are none.
/// False when no certificate could ever do that. Precondition: demand.level is Verify.
bool demand_certificate(SSL* ssl, const std::string& host, const mail::TlsDemand& demand);

/// Why the certificate was refused, after a handshake for which one was demanded.
mail::TlsResult refusal_of_certificate(const SSL* ssl);

/// Whether `host` is an address literal and no name.
bool is_address(const std::string& host);

}  // namespace relay::net
