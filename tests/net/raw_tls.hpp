// A TLS peer on a socket of the test's own, to do what ours never would.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "relay/net/tls_context.hpp"

namespace relay::net {

/// Blocking: belongs on a thread of its own while our end is served by the test's.
class RawTls {
 public:
  /// Takes the descriptor over. Speaks no newer version than that (TLS1_2_VERSION, ...).
  static RawTls client(int descriptor, int newest_version);
  static RawTls server(int descriptor, int newest_version, const TlsFiles& files);

  RawTls(RawTls&& other) noexcept;
  ~RawTls();
  RawTls& operator=(RawTls&&) = delete;

  bool shake_hands();

  SSL* native() const { return ssl_.get(); }

  /// Ends TLS and goes on in the clear (CVE-2026-45185).
  void end_tls_and_say(const std::string& octets);

  /// Records with so many KeyUpdates, not sent. From then on this end writes into memory only.
  std::string key_updates(std::size_t count);

  /// The records of a wish to renegotiate (TLS 1.2) that is `size` octets long: each begins like
  /// one of its own. Precondition: as for key_updates().
  std::string wish_to_renegotiate(std::size_t size);

  /// One record of application data, not sent.
  std::string record_of(const std::string& octets);

  /// Sends what the calls above have made. False when the other side has ended the connection.
  bool send_raw(const std::string& records) const;

 private:
  RawTls(int descriptor, const SSL_METHOD* method, int newest_version);

  std::string written();

  int descriptor_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  std::unique_ptr<std::string> filling_ = std::make_unique<std::string>();  ///< of ClientHellos
};

}  // namespace relay::net
