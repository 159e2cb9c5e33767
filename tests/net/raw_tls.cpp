#include "tests/net/raw_tls.hpp"

#include <stdexcept>
#include <utility>

#include <openssl/bio.h>
#include <sys/socket.h>
#include <unistd.h>

namespace relay::net {

namespace {

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("raw TLS: ") + what);
}

// A private extension that carries what the test wants, if anything.
int add_filling(SSL* /*ssl*/, unsigned /*type*/, unsigned /*where*/, const unsigned char** octets,
                std::size_t* size, X509* /*certificate*/, std::size_t /*index*/, int* /*alert*/,
                void* filling) {
  const auto& text = *static_cast<const std::string*>(filling);
  *octets = reinterpret_cast<const unsigned char*>(text.data());
  *size = text.size();
  return text.empty() ? 0 : 1;
}

}  // namespace

RawTls::RawTls(int descriptor, const SSL_METHOD* method, int newest_version)
    : descriptor_(descriptor),
      context_(SSL_CTX_new(method), &SSL_CTX_free),
      ssl_(nullptr, &SSL_free) {
  SSL_CTX_set_security_level(context_.get(), 0);  // else OpenSSL itself refuses old versions
  SSL_CTX_set_max_proto_version(context_.get(), newest_version);
}

RawTls RawTls::client(int descriptor, int newest_version) {
  RawTls made(descriptor, TLS_client_method(), newest_version);
  constexpr unsigned kPrivateExtension = 65'280;
  require(SSL_CTX_add_custom_ext(made.context_.get(), kPrivateExtension, SSL_EXT_CLIENT_HELLO,
                                 &add_filling, nullptr, made.filling_.get(), nullptr, nullptr) == 1,
          "extension");
  made.ssl_.reset(SSL_new(made.context_.get()));
  SSL_set_fd(made.ssl_.get(), descriptor);
  SSL_set_connect_state(made.ssl_.get());
  return made;
}

RawTls RawTls::server(int descriptor, int newest_version, const TlsFiles& files) {
  RawTls made(descriptor, TLS_server_method(), newest_version);
  SSL_CTX* const context = made.context_.get();
  require(SSL_CTX_use_certificate_chain_file(context, files.chain.c_str()) == 1 &&
              SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) == 1,
          "certificate");
  made.ssl_.reset(SSL_new(context));
  SSL_set_fd(made.ssl_.get(), descriptor);
  SSL_set_accept_state(made.ssl_.get());
  return made;
}

RawTls::RawTls(RawTls&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      context_(std::move(other.context_)),
      ssl_(std::move(other.ssl_)),
      filling_(std::move(other.filling_)) {}

RawTls::~RawTls() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool RawTls::shake_hands() { return SSL_do_handshake(ssl_.get()) == 1; }

void RawTls::end_tls_and_say(const std::string& octets) {
  SSL_shutdown(ssl_.get());
  ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
}

std::string RawTls::written() {
  char* octets = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &octets);
  std::string records(octets, static_cast<std::size_t>(size));
  require(BIO_reset(SSL_get_wbio(ssl_.get())) == 1, "memory");
  return records;
}

std::string RawTls::key_updates(std::size_t count) {
  SSL_set0_wbio(ssl_.get(), BIO_new(BIO_s_mem()));
  for (std::size_t i = 0; i < count; ++i) {
    require(SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1 && shake_hands(),
            "KeyUpdate");
  }
  return written();
}

std::string RawTls::wish_to_renegotiate(std::size_t size) {
  BIO* const nothing = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(nothing, -1);
  SSL_set0_rbio(ssl_.get(), nothing);
  SSL_set0_wbio(ssl_.get(), BIO_new(BIO_s_mem()));
  SSL_set_max_send_fragment(ssl_.get(), 512);
  filling_->assign(size, SSL3_MT_CLIENT_HELLO);
  require(SSL_renegotiate(ssl_.get()) == 1, "renegotiation");
  require(!shake_hands(), "the server has not answered");
  return written();
}

std::string RawTls::record_of(const std::string& octets) {
  if (BIO_method_type(SSL_get_wbio(ssl_.get())) != BIO_TYPE_MEM) {
    SSL_set0_wbio(ssl_.get(), BIO_new(BIO_s_mem()));
  }
  require(SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size())) > 0, "record");
  return written();
}

bool RawTls::send_raw(const std::string& records) const {
  std::string_view left = records;
  while (!left.empty()) {
    const ssize_t sent = ::send(descriptor_, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace relay::net
