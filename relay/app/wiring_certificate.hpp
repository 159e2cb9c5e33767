// The certificate of [tls] while the daemon runs: taken anew when its files change, and its end
// told in time.
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

/// Days before its end on which the log warns of a certificate, each once. Of a short-lived one
/// those count that lie in the last third of its life. 0: it has ended.
std::optional<int> expiry_mark(const net::CertificateFacts& certificate, base::WallTime now);

/// A pair that is half written, or cannot be used for another reason, leaves the old one in use:
/// the log says so once, and what changes next is tried again. Thread-safe.
class CertificateWatch {
 public:
  /// Both outlive the watch. `published` has a certificate when there are files to watch.
  CertificateWatch(base::Published<net::TlsContext>& published, base::Log& log)
      : published_(published), log_(log) {}

  /// These files from now on, or none. `publish` publishes what was read from them, perhaps a
  /// moment ago; nothing of the files before is published after that.
  void watch(net::TlsFiles files, const std::function<void()>& publish = {});

  /// To be called about once a second: files that have changed, and not again since the last call,
  /// are read.
  void look(base::WallTime now);

  /// Why the files as they are cannot be used; "" when they can, or have not been tried yet.
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
  std::optional<Stamps> tried_;  ///< what is in use, or could not be
  std::optional<Stamps> last_;   ///< as of the last look
  std::string trouble_;
  base::WallTime again_at_;               ///< while there is trouble
  std::optional<base::WallTime> ending_;  ///< the certificate whose end was told, by that
  int told_mark_ = 0;
};

}  // namespace relay::app
