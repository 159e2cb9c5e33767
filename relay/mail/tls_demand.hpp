// What a connection to a next hop must fulfil before mail is sent over it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relay::mail {

enum class TlsLevel : std::uint8_t {
  Never,    ///< unencrypted
  May,      ///< encrypted where it is offered and works; the peer is not checked
  Encrypt,  ///< never unencrypted; the peer is not checked
  Verify,   ///< never unencrypted; the peer must prove to be one of `identities`
};

/// Set by the routes of the configuration.
struct TlsDemand {
  TlsLevel level = TlsLevel::May;
  /// The certificate must carry one of these names. A leading "*." stands for one label. Empty with
  /// Verify: the name of the host.
  std::vector<std::string> identities;

  friend bool operator==(const TlsDemand&, const TlsDemand&) = default;
};

/// Handshake messages that a peer may send after the handshake ([limits] late_tls_messages): enough
/// for peers that update their keys now and then.
inline constexpr std::uint32_t kLateTlsMessages = 32;

/// "never", "may", "encrypt", "verify": for logs, and as the beginning of a group's key.
std::string_view name(TlsLevel level);

/// Why a connection was not encrypted as demanded: the result types of RFC 8460 §4.3.
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
