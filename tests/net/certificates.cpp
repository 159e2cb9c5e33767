#include "tests/net/certificates.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace relay::net {

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("making a certificate: ") + what);
}

File create(const std::filesystem::path& path) {
  File file(std::fopen(path.c_str(), "w"), &std::fclose);
  require(file != nullptr, "file");
  return file;
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()), &X509_EXTENSION_free);
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "net_test.XXXXXX").string();
  require(::mkdtemp(pattern.data()) != nullptr, "temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TlsFiles make_certificate(const TemporaryFolder& folder, const std::string& name,
                          const std::string& host) {
  return make_certificate(folder, name, CertificateText{.hosts = {host}});
}

TlsFiles make_certificate(const TemporaryFolder& folder, const std::string& name,
                          const CertificateText& text) {
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const Certificate certificate(X509_new(), &X509_free);
  require(key && certificate, "key");
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), text.begins.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), text.ends.count());
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(text.hosts.front().c_str()), -1,
                             -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  X509_set_pubkey(certificate.get(), key.get());
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  std::string names;
  for (const std::string& host : text.hosts) names += (names.empty() ? "DNS:" : ",DNS:") + host;
  add_extension(certificate.get(), NID_subject_alt_name, names);
  require(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "signature");

  TlsFiles files{folder.path() / (name + ".crt"), folder.path() / (name + ".key")};
  require(PEM_write_X509(create(files.chain).get(), certificate.get()) == 1, "certificate file");
  require(PEM_write_PrivateKey(create(files.key).get(), key.get(), nullptr, nullptr, 0, nullptr,
                               nullptr) == 1,
          "key file");
  return files;
}

std::filesystem::path make_encrypted_key(const TemporaryFolder& folder) {
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  auto path = folder.path() / "encrypted.key";
  std::array<unsigned char, 4> phrase{'o', 'p', 'e', 'n'};
  require(PEM_write_PrivateKey(create(path).get(), key.get(), EVP_aes_256_cbc(), phrase.data(),
                               static_cast<int>(phrase.size()), nullptr, nullptr) == 1,
          "encrypted key file");
  return path;
}

}  // namespace relay::net
