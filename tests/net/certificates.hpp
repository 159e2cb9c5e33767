// Keys and self-signed certificates for one test run.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "relay/net/tls_context.hpp"

namespace relay::net {

/// A directory that is removed at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// What stands in a certificate.
struct CertificateText {
  std::vector<std::string> hosts;
  std::chrono::seconds begins{-60};  ///< from now
  std::chrono::seconds ends{24 * 3600};
};

/// Writes <name>.crt and <name>.key: P-256, self-signed.
TlsFiles make_certificate(const TemporaryFolder& folder, const std::string& name,
                          const CertificateText& text);

/// For one host and one day.
TlsFiles make_certificate(const TemporaryFolder& folder, const std::string& name,
                          const std::string& host);

/// Writes a key protected by a pass phrase.
std::filesystem::path make_encrypted_key(const TemporaryFolder& folder);

}  // namespace relay::net
