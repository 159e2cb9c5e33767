#include "relay/net/tls_context.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <system_error>
#include <utility>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "relay/base/pem.hpp"

namespace relay::net {

namespace {

// Mozilla "intermediate", server side TLS 5.7. OpenSSL's default TLS 1.3 suites are the same.
constexpr const char* kIntermediateCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";
constexpr const char* kIntermediateGroups = "X25519:P-256:P-384";

// Without this OpenSSL would ask for a pass phrase on the terminal.
int no_pass_phrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*context*/) { return 0; }

/// Like SSL_CTX_use_PrivateKey_file, but leaves no copy of the key's text in memory.
bool use_key_file(SSL_CTX* context, const std::filesystem::path& path) {
  std::array<char, 65'536> text{};  // the file may contain certificates as well
  std::FILE* const file = std::fopen(path.c_str(), "re");
  if (file == nullptr) {
    ERR_raise(ERR_LIB_SYS, errno);
    return false;
  }
  std::setvbuf(file, nullptr, _IONBF, 0);
  const std::size_t size = std::fread(text.data(), 1, text.size(), file);
  std::fclose(file);
  const auto key = base::private_key_of({text.data(), size});
  OPENSSL_cleanse(text.data(), text.size());
  return key && SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

/// Like SSL_CTX_use_certificate_chain_file, from a text.
bool use_chain(SSL_CTX* context, std::string_view pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  if (!text) return false;
  const std::unique_ptr<X509, decltype(&X509_free)> own(
      PEM_read_bio_X509_AUX(text.get(), nullptr, no_pass_phrase, nullptr), &X509_free);
  if (!own || SSL_CTX_use_certificate(context, own.get()) != 1) return false;
  while (X509* const issuer = PEM_read_bio_X509(text.get(), nullptr, no_pass_phrase, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, issuer) == 1) continue;
    X509_free(issuer);
    return false;
  }
  const bool was_all = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (was_all) ERR_clear_error();
  return was_all;
}

std::optional<base::WallTime> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return base::WallTime(std::chrono::seconds(::timegm(&parts)));
}

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

/// The alternative names or, if there are none, the common name (RFC 6125 §6.4.4).
std::vector<std::string> host_names(const X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> all(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) names.push_back(text_of(name->d.dNSName));
  }
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = names.empty() ? X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
  if (at >= 0) names.push_back(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  return names;
}

/// For TlsLevel::May. If TLS fails, mail goes in the clear (RFC 7435 §3), so old keys, versions,
/// and servers without RFC 5746 are better than no TLS. The latter do no harm: we never
/// renegotiate.
bool allow_old_servers(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT);
  return SSL_CTX_set_cipher_list(context, "DEFAULT@SECLEVEL=0") == 1 &&
         SSL_CTX_set_min_proto_version(context, TLS1_VERSION) == 1;
}

std::string problem(const std::filesystem::path& file, const std::string& what) {
  const std::string reason = take_openssl_reason();
  return file.string() + ": " + what + (reason.empty() ? "" : " (" + reason + ")");
}

}  // namespace

std::string take_openssl_reason() {
  // The oldest entry is the cause; later ones come from the layers above.
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  if (first == 0) return {};
  if (ERR_SYSTEM_ERROR(first)) return std::generic_category().message(ERR_GET_REASON(first));
  const char* reason = ERR_reason_error_string(first);
  return reason != nullptr ? reason : "error " + std::to_string(ERR_GET_REASON(first));
}

void TlsContext::Free::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

TlsContext::Handle TlsContext::make(bool as_server) {
  Handle handle(SSL_CTX_new(as_server ? TLS_server_method() : TLS_client_method()));
  if (!handle) return handle;
  SSL_CTX* context = handle.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // Buffers are kept only while a record is in progress, which saves kilobytes per idle session. A
  // partial write may continue from another address, for a coroutine writes from its caller's
  // buffer.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);  // header and body of a record in one receive
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(context, no_pass_phrase);
  return handle;
}

std::expected<TlsContext::Handle, std::string> TlsContext::make_server(
    std::shared_ptr<TicketKeys> tickets) {
  ERR_clear_error();
  Handle handle = make(true);
  if (!handle) return std::unexpected("TLS cannot be set up: " + take_openssl_reason());
  SSL_CTX* context = handle.get();
  static constexpr unsigned char kSessionContext[] = "srs-relay";
  if (SSL_CTX_set_cipher_list(context, kIntermediateCiphers) != 1 ||
      SSL_CTX_set1_groups_list(context, kIntermediateGroups) != 1 ||
      SSL_CTX_set_dh_auto(context, 1) != 1 ||
      SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1) != 1 ||
      SSL_CTX_set_num_tickets(context, 1) != 1 || !TicketKeys::serve(std::move(tickets), context)) {
    return std::unexpected("TLS cannot be set up: " + take_openssl_reason());
  }
  return handle;
}

std::expected<TlsContext, std::string> TlsContext::server(const TlsFiles& files,
                                                          std::shared_ptr<TicketKeys> tickets) {
  auto handle = make_server(std::move(tickets));
  if (!handle) return std::unexpected(handle.error());
  SSL_CTX* context = handle->get();
  if (SSL_CTX_use_certificate_chain_file(context, files.chain.c_str()) != 1) {
    return std::unexpected(problem(files.chain, "no usable certificate chain"));
  }
  if (!use_key_file(context, files.key)) {
    // OpenSSL already refuses a key here that does not match the certificate.
    return std::unexpected(problem(files.key, "no usable private key for " + files.chain.string()));
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return std::unexpected(problem(files.key, "does not belong to " + files.chain.string()));
  }
  return TlsContext(std::move(*handle));
}

std::expected<TlsContext, std::string> TlsContext::server(const TlsTexts& texts,
                                                          std::shared_ptr<TicketKeys> tickets) {
  auto handle = make_server(std::move(tickets));
  if (!handle) return std::unexpected(handle.error());
  SSL_CTX* context = handle->get();
  if (!use_chain(context, texts.chain)) {
    return std::unexpected(problem(texts.chain_name, "no usable certificate chain"));
  }
  const auto key = base::private_key_of(texts.key);
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return std::unexpected(
        problem(texts.key_name, "no usable private key for " + texts.chain_name));
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return std::unexpected(problem(texts.key_name, "does not belong to " + texts.chain_name));
  }
  return TlsContext(std::move(*handle));
}

std::expected<TlsContext, std::string> TlsContext::client(
    mail::TlsLevel level, const std::optional<std::filesystem::path>& authorities) {
  ERR_clear_error();
  Handle handle = make(false);
  if (!handle) return std::unexpected("TLS cannot be set up: " + take_openssl_reason());
  SSL_CTX* context = handle.get();
  if (level != mail::TlsLevel::Verify) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    if (level == mail::TlsLevel::May && !allow_old_servers(context)) {
      return std::unexpected("TLS cannot be set up: " + take_openssl_reason());
    }
    return TlsContext(std::move(handle));
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (authorities && SSL_CTX_load_verify_file(context, authorities->c_str()) != 1) {
    return std::unexpected(problem(*authorities, "no usable certificate authorities"));
  }
  if (!authorities && SSL_CTX_set_default_verify_paths(context) != 1) {
    return std::unexpected("system certificate authorities: " + take_openssl_reason());
  }
  return TlsContext(std::move(handle));
}

TlsContext TlsContext::allowing_late_messages(std::uint32_t most) && {
  late_messages_ = most;
  return std::move(*this);
}

std::optional<CertificateFacts> TlsContext::certificate() const {
  const X509* certificate = SSL_CTX_get0_certificate(context_.get());
  if (certificate == nullptr) return std::nullopt;
  const auto begins = time_of(X509_get0_notBefore(certificate));
  const auto ends = time_of(X509_get0_notAfter(certificate));
  if (!begins || !ends) return std::nullopt;
  return CertificateFacts{.begins = *begins, .ends = *ends, .names = host_names(certificate)};
}

bool TlsContext::has_certificate_of(const TlsContext& other) const {
  const X509* ours = SSL_CTX_get0_certificate(context_.get());
  const X509* theirs = SSL_CTX_get0_certificate(other.context_.get());
  return ours != nullptr && theirs != nullptr && X509_cmp(ours, theirs) == 0;
}

bool TlsContext::is_for(const std::string& host) const {
  X509* certificate = SSL_CTX_get0_certificate(context_.get());
  return certificate != nullptr &&
         X509_check_host(certificate, host.data(), host.size(), 0, nullptr) == 1;
}

}  // namespace relay::net
