// Requirements for a peer's certificate, and why one was refused.
#pragma once

#include <string>

#include <openssl/types.h>

#include "relay/mail/tls_demand.hpp"

namespace relay::net {

/// To be called before a client handshake with `host`: makes OpenSSL require a certificate from a
/// trusted authority for one of demand.identities or, if there are none, for `host`. False: no
/// certificate could ever satisfy that. Precondition: demand.level is Verify.
bool demand_certificate(SSL* ssl, const std::string& host, const mail::TlsDemand& demand);

/// Why the certificate was refused, after a failed handshake that required one.
mail::TlsResult refusal_of_certificate(const SSL* ssl);

/// Whether `host` is an address literal rather than a name.
bool is_address(const std::string& host);

}  // namespace relay::net
