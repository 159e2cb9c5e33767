// TLS settings, key and certificate as one checked value: TLS 1.2 and 1.3, as server with the
// cipher suites of Mozilla's intermediate profile; no compression, no renegotiation, no early data.
// Only a client of TlsLevel::May, which would otherwise send in the clear, accepts older servers.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/types.h>

#include "relay/base/time.hpp"
#include "relay/mail/tls_demand.hpp"
#include "relay/net/ticket_keys.hpp"

namespace relay::net {

struct TlsFiles {
  std::filesystem::path chain;  ///< PEM, our certificate first, then its issuers
  std::filesystem::path key;    ///< PEM, not encrypted
};

/// The same as texts, with their names for error messages.
struct TlsTexts {
  std::string_view chain;
  std::string_view key;
  std::string chain_name;
  std::string key_name;
};

struct CertificateFacts {
  base::WallTime begins;
  base::WallTime ends;
  std::vector<std::string> names;  ///< the host names in the certificate
};

/// Immutable; shards may share it. Connections keep alive what they need of it.
class TlsContext {
 public:
  /// For accepting. Reads both files and checks that they belong together. Sessions are resumed by
  /// tickets only: no state is kept per client. Error: one line naming the file and its problem.
  static std::expected<TlsContext, std::string> server(
      const TlsFiles& files, std::shared_ptr<TicketKeys> tickets = TicketKeys::of_process());

  /// The same from texts.
  static std::expected<TlsContext, std::string> server(
      const TlsTexts& texts, std::shared_ptr<TicketKeys> tickets = TicketKeys::of_process());

  /// For dialling. Verify trusts the system's certificate authorities, or only those in
  /// `authorities` (PEM) if given; other levels check nothing. May also accepts TLS 1.0 and short
  /// keys.
  static std::expected<TlsContext, std::string> client(
      mail::TlsLevel level, const std::optional<std::filesystem::path>& authorities = {});

  /// The same context, for peers that may send `most` handshake messages or records after the
  /// handshake (KeyUpdate, RFC 8446 §4.6.3; NewSessionTicket; wishes to renegotiate, RFC 5246
  /// §7.4.1). One more ends the connection.
  TlsContext allowing_late_messages(std::uint32_t most) &&;

  std::uint32_t late_messages() const { return late_messages_; }

  SSL_CTX* native() const { return context_.get(); }

  /// Facts about our own certificate; nullopt for a client.
  std::optional<CertificateFacts> certificate() const;

  /// Whether both contexts have the same certificate of ours.
  bool has_certificate_of(const TlsContext& other) const;

  /// Whether our own certificate is valid for `host`; false for a client.
  bool is_for(const std::string& host) const;

 private:
  struct Free {
    void operator()(SSL_CTX* context) const;
  };

  using Handle = std::unique_ptr<SSL_CTX, Free>;

  explicit TlsContext(Handle context) : context_(std::move(context)) {}

  static Handle make(bool as_server);
  static std::expected<Handle, std::string> make_server(std::shared_ptr<TicketKeys> tickets);

  Handle context_;
  std::uint32_t late_messages_ = mail::kLateTlsMessages;
};

/// The cause of the last OpenSSL error, without its numbers; clears OpenSSL's error queue.
std::string take_openssl_reason();

}  // namespace relay::net
