// TLS settings, keys and certificates as one checked value. Protocol TLS 1.2 and 1.3, as server
// with the cipher suites of Mozilla's intermediate profile; no compression, no renegotiation, no
// early data. Who would go on in the clear otherwise speaks to old servers, too.
#pragma once

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

/// The same as text, and how messages are to name both.
struct TlsTexts {
  std::string_view chain;
  std::string_view key;
  std::string chain_name;
  std::string key_name;
};

struct CertificateFacts {
  base::WallTime begins;
  base::WallTime ends;
  std::vector<std::string> names;  ///< the hosts it is for, as they stand in it
};

/// Immutable and safe to share between shards. Connections keep what they need of it alive.
class TlsContext {
 public:
  /// For accepting. Reads both files and checks that key and certificate belong together. Sessions
  /// are resumed by tickets only: nothing is kept here per client.
  /// Error: one line naming the file and what is wrong with it.
  static std::expected<TlsContext, std::string> server(
      const TlsFiles& files, std::shared_ptr<TicketKeys> tickets = TicketKeys::of_process());

  /// The same for what does not come from files.
  static std::expected<TlsContext, std::string> server(
      const TlsTexts& texts, std::shared_ptr<TicketKeys> tickets = TicketKeys::of_process());

  /// For dialling. Verify trusts the system's certificate authorities, or only those in
  /// `authorities` (PEM) when given; at other levels nothing is checked. May
  /// takes TLS 1.0 and short keys as well, where the next hop has nothing better.
  static std::expected<TlsContext, std::string> client(
      mail::TlsLevel level, const std::optional<std::filesystem::path>& authorities = {});

  SSL_CTX* native() const { return context_.get(); }

  /// What our own certificate says of itself; nothing for a client.
  std::optional<CertificateFacts> certificate() const;

  /// Whether both have the same certificate of our own.
  bool has_certificate_of(const TlsContext& other) const;

  /// Whether our own certificate is for the host; false for a client.
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
};

/// The reason OpenSSL gave last, without its numbers; empties its queue of errors.
std::string take_openssl_reason();

}  // namespace relay::net
