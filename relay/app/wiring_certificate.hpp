// Watches the certificate of [tls] while the daemon runs: reads it again when its files change, and
// warns before it expires.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "relay/base/log.hpp"
#include "relay/base/published.hpp"
#include "relay/base/time.hpp"
#include "relay/net/tls_context.hpp"
#include "relay/settings/file_stamp.hpp"

namespace relay::app {

/// Number of days before its expiry at which the log warns of a certificate, each once; the
/// smallest that has been reached. For short-lived certificates only those count that lie in the
/// last third of their life. 0: it has expired.
std::optional<int> expiry_mark(const net::CertificateFacts& certificate, base::WallTime now);

/// If the files cannot be used, for example because only one of them has been written, the old
/// certificate stays in use: that is logged once, and they are tried again after each change and
/// every minute. Thread-safe.
class CertificateWatch {
 public:
  /// Both must outlive the watch. If there are files to watch, `published` has a certificate.
  CertificateWatch(base::Published<net::TlsContext>& published, base::Log& log)
      : published_(published), log_(log) {}

  /// Watches these files from now on, or none. `publish` is called to publish what was read from
  /// them, perhaps a moment ago; no certificate of the old files is published after that.
  void watch(net::TlsFiles files, const std::function<void()>& publish = {});

  /// To be called about once a second. Reads files that have changed, but not since the last call;
  /// after a failure also unchanged ones, every minute.
  void look(base::WallTime now);

  /// Why the current files cannot be used; "" if they can, or have not been tried yet.
  std::string trouble() const;

 private:
  struct Stamps {
    settings::FileStamp chain;
    settings::FileStamp key;

    friend bool operator==(const Stamps&, const Stamps&) = default;
  };

  void take(base::WallTime now);
  void tell_expiry(base::WallTime now);

  base::Published<net::TlsContext>& published_;
  base::Log& log_;
  mutable std::mutex mutex_;
  net::TlsFiles files_;
  std::optional<Stamps> tried_;  ///< stamps of the files in use, or of those that failed
  std::optional<Stamps> last_;   ///< stamps at the last call of look()
  std::string trouble_;
  base::WallTime again_at_;               ///< when to try again while there is trouble
  std::optional<base::WallTime> ending_;  ///< expiry of the certificate that the log has warned of
  int told_mark_ = 0;
};

}  // namespace relay::app
