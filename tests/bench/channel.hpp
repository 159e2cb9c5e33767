// A connection of the load generator or of the sink: plain, and with TLS from STARTTLS on. The
// owner calls read() and flush() at every event; a handshake that is under way goes on in both.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/bench/sockets.hpp"

namespace relay::bench {

enum class Side { Client, Server };

/// State shared by the connections of one side. No certificate is verified: this is loopback, and a
/// relay that delivers opportunistically does not verify either.
class TlsContext {
 public:
  explicit TlsContext(Side side)
      : side_(side),
        context_(
            ::SSL_CTX_new(side == Side::Client ? ::TLS_client_method() : ::TLS_server_method())) {
    if (context_ == nullptr) give_up("SSL_CTX_new");
    ::SSL_CTX_set_mode(context_,
                       SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }

  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ~TlsContext() { ::SSL_CTX_free(context_); }

  void use(const std::string& certificate, const std::string& key) {
    if (::SSL_CTX_use_certificate_chain_file(context_, certificate.c_str()) != 1 ||
        ::SSL_CTX_use_PrivateKey_file(context_, key.c_str(), SSL_FILETYPE_PEM) != 1) {
      ::ERR_print_errors_fp(stderr);
      std::exit(1);
    }
  }

  SSL* open(int fd) const {
    SSL* ssl = ::SSL_new(context_);
    if (ssl == nullptr || ::SSL_set_fd(ssl, fd) != 1) give_up("SSL_new");
    if (side_ == Side::Client) {
      ::SSL_set_connect_state(ssl);
    } else {
      ::SSL_set_accept_state(ssl);
    }
    return ssl;
  }

 private:
  Side side_;
  SSL_CTX* context_;
};

class Channel {
 public:
  Channel() = default;

  explicit Channel(int fd) : fd_(fd) {}

  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  ~Channel() { close(); }

  bool is_open() const { return fd_ >= 0; }

  bool is_encrypted() const { return ssl_ != nullptr; }

  /// Takes the place of a connection that was there before.
  void open(int fd) {
    close();
    fd_ = fd;
  }

  void close() {
    if (ssl_ != nullptr) ::SSL_free(ssl_);
    if (fd_ >= 0) ::close(fd_);
    ssl_ = nullptr;
    fd_ = -1;
    out_ = {};
  }

  /// Octets added from here on go out encrypted; no plain ones may be waiting.
  void encrypt(const TlsContext& context) { ssl_ = context.open(fd_); }

  void add(std::string_view octets) { out_.add(octets); }

  /// Sends what the connection takes now. False: it is gone.
  bool flush() {
    if (ssl_ == nullptr) return out_.flush(fd_);
    return out_.flush_by(
        [this](const char* octets, std::size_t size) {
          ::ERR_clear_error();
          return ::SSL_write(ssl_, octets, static_cast<int>(size));
        },
        [this](int result) { return is_waiting(result); });
  }

  /// Appends all that is there. False: the other side has closed.
  bool read(std::string& into) {
    if (ssl_ == nullptr) return read_all(fd_, into);
    char buffer[16 * 1024];
    while (true) {
      ::ERR_clear_error();
      const int n = ::SSL_read(ssl_, buffer, sizeof buffer);
      if (n <= 0) return is_waiting(n);
      into.append(buffer, static_cast<std::size_t>(n));
    }
  }

 private:
  bool is_waiting(int result) const {
    const int error = ::SSL_get_error(ssl_, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  }

  int fd_ = -1;
  SSL* ssl_ = nullptr;
  Outgoing out_;
};

}  // namespace relay::bench
