// Watches the certificate of [tls] while the daemon runs (guarantee "A new certificate is taken
// whole"): reads it again when its files change, and tells when it expires and when only a restart
// can renew it.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "relay/app/file_bounds.hpp"
#include "relay/base/log.hpp"
#include "relay/base/published.hpp"
#include "relay/base/time.hpp"
#include "relay/net/tls_context.hpp"
#include "relay/settings/file_stamp.hpp"

namespace relay::settings {
struct Tls;
}

namespace relay::app {

/// Number of days before its expiry at which the log warns of a certificate, each once; the
/// smallest that has been reached. For short-lived certificates only those count that lie in the
/// last third of their life. 0: it has expired.
std::optional<int> expiry_mark(const net::CertificateFacts& certificate, base::WallTime now);

/// A part of the certificate that is a credential: systemd copies it when the service starts.
struct CredentialCopy {
  std::string key;               ///< of the configuration: "tls.key"
  std::filesystem::path copy;    ///< what we read
  std::filesystem::path source;  ///< "": unknown
};

struct WatchedCertificate {
  net::TlsFiles files;  ///< "" for what is in no file; then nothing is read again
  std::string name;     ///< of the chain, for the log
  std::vector<CredentialCopy> copies = {};
};

/// nullopt: there is no [tls]. `root`: see source_of_credential().
std::optional<WatchedCertificate> to_be_watched(const std::optional<settings::Tls>& tls,
                                                const std::filesystem::path& root = "/");

/// If the files cannot be used, for example because only one of them has been written, the old
/// certificate stays in use: that is logged once, and they are tried again after each change and
/// every minute. Thread-safe.
class CertificateWatch {
 public:
  /// All must outlive the watch. If there is something to watch, `published` has a certificate.
  CertificateWatch(base::Published<net::TlsContext>& published, base::Log& log,
                   const FileBounds& bounds)
      : published_(published), log_(log), bounds_(bounds) {}

  /// Watches this one from now on, or none. `publish` is called to publish what was read from its
  /// files, perhaps a moment ago; no certificate of the old files is published after that.
  void watch(std::optional<WatchedCertificate> certificate,
             const std::function<void()>& publish = {});

  /// To be called about once a second. Reads files that have changed, but not since the last call;
  /// after a failure also unchanged ones, every minute.
  void look(base::WallTime now);

  /// Why the current files cannot be used; "" if they can, or have not been tried yet.
  std::string trouble() const;

  /// Keys of [tls] whose newest text only a restart takes: the source of a credential has changed,
  /// or a file is where this process may not read.
  std::vector<std::string> needs_restart() const;

 private:
  struct Failure {
    std::string text;
    bool was_read = false;  ///< the files were read, and do not fit together
  };

  /// As first seen: systemd made the copy of this source.
  struct Baseline {
    settings::FileStamp copy;
    settings::FileStamp source;
  };

  struct Stamps {
    settings::FileStamp chain;
    settings::FileStamp key;

    friend bool operator==(const Stamps&, const Stamps&) = default;
  };

  static std::expected<std::shared_ptr<const net::TlsContext>, Failure> read(
      const net::TlsFiles& files, std::uint32_t late_messages);
  void look_at_files(base::WallTime now);
  void look_at_sources(base::WallTime now);
  bool is_outdated(const CredentialCopy& copy);
  void take(base::WallTime now);
  void note(const Failure& failure, base::WallTime now);
  void tell_expiry(base::WallTime now);

  base::Published<net::TlsContext>& published_;
  base::Log& log_;
  const FileBounds& bounds_;
  mutable std::mutex mutex_;
  std::optional<WatchedCertificate> watched_;
  std::optional<Stamps> tried_;  ///< stamps of the files in use, or of those that failed
  std::optional<Stamps> last_;   ///< stamps at the last call of look()
  std::string trouble_;
  std::vector<std::string> blocked_;           ///< keys of files that trouble_ says need a restart
  base::WallTime again_at_;                    ///< when to try again while there is trouble
  std::map<std::string, Baseline> baselines_;  ///< by CredentialCopy::key
  std::vector<std::string> outdated_;          ///< keys of copies with a newer source
  base::WallTime sources_at_;                  ///< when to look at the sources again
  std::optional<base::WallTime> ending_;  ///< expiry of the certificate that the log has warned of
  int told_mark_ = 0;
};

}  // namespace relay::app
