#include "relay/net/peer_certificate.hpp"

#include <boost/asio/ip/address.hpp>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace relay::net {

namespace {

/// As OpenSSL expects it: a leading dot stands for any one label.
std::string reference_name(const std::string& identity) {
  return identity.starts_with("*.") ? identity.substr(1) : identity;
}

}  // namespace

bool is_address(const std::string& host) {
  boost::system::error_code not_literal;
  boost::asio::ip::make_address(host, not_literal);
  return !not_literal;
}

bool demand_certificate(SSL* ssl, const std::string& host, const mail::TlsDemand& demand) {
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  X509_VERIFY_PARAM* const wanted = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(
      wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_SINGLE_LABEL_SUBDOMAINS);
  if (demand.identities.empty()) {
    if (is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1;
    return !host.empty() && X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size()) == 1;
  }
  for (const std::string& identity : demand.identities) {
    const std::string name = reference_name(identity);
    // An empty name would make OpenSSL drop the others.
    if (name.empty() || X509_VERIFY_PARAM_add1_host(wanted, name.c_str(), name.size()) != 1) {
      return false;
    }
  }
  return true;
}

mail::TlsResult refusal_of_certificate(const SSL* ssl) {
  switch (SSL_get_verify_result(ssl)) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return mail::TlsResult::CertificateExpired;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return mail::TlsResult::CertificateHostMismatch;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
      return mail::TlsResult::CertificateNotTrusted;
    default:
      return mail::TlsResult::ValidationFailure;
  }
}

}  // namespace relay::net
