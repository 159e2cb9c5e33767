// What a connection to a next hop must be like before mail goes over it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relay::mail {

enum class TlsLevel : std::uint8_t {
  Never,    ///< in the clear
  May,      ///< encrypted where that is offered and works; nobody is checked
  Encrypt,  ///< never in the clear; nobody is checked
  Verify,   ///< never in the clear, to a peer that proves to be one of `identities`
};

/// Filled by the routes of the configuration; DANE and MTA-STS are to fill it, too.
struct TlsDemand {
  TlsLevel level = TlsLevel::May;
  /// Names of which the certificate must carry one. "*." at the beginning stands for one label.
  /// Empty with Verify: the name of the host.
  std::vector<std::string> identities;

  friend bool operator==(const TlsDemand&, const TlsDemand&) = default;
};

/// "never", "may", "encrypt", "verify": for logs, and the beginning of a group's key.
std::string_view name(TlsLevel level);

/// Why a connection was not encrypted as it was to be: the result types of RFC 8460 §4.3.
enum class TlsResult : std::uint8_t {
  None = 0,  ///< nothing failed
  StartTlsNotSupported = 1,
  CertificateHostMismatch = 2,
  CertificateExpired = 3,
  CertificateNotTrusted = 4,
  ValidationFailure = 5,  ///< any other failure of the handshake
};

/// "starttls-not-supported", …; "" for None.
std::string_view name(TlsResult result);

}  // namespace relay::mail
