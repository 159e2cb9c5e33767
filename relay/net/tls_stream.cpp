#include "relay/net/tls_stream.hpp"

#include <algorithm>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "relay/net/peer_certificate.hpp"

namespace relay::net {

using ports::IoError;

void TlsStream::Free::operator()(SSL* ssl) const { SSL_free(ssl); }

TlsStream::TlsStream(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

TlsStream::~TlsStream() { close(); }

struct TlsStream::SocketBio {
  static BIO_METHOD* method() {
    // Created once and never freed: a table of functions without state.
    static BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
      BIO_meth_set_read(fresh, &SocketBio::read);
      BIO_meth_set_write(fresh, &SocketBio::write);
      BIO_meth_set_ctrl(fresh, &SocketBio::control);
      return fresh;
    }();
    return made;
  }

  static TlsStream& stream_of(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* into, int size) {
    TlsStream& stream = stream_of(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0) return 0;
    if (!stream.may_receive()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const auto got = stream.connection_->try_receive({into, static_cast<std::size_t>(size)});
    if (got && *got > 0) return static_cast<int>(*got);
    if (got) {
      BIO_set_retry_read(bio);
      return -1;
    }
    stream.transport_failure_ = got.error();
    return got.error() == IoError::Closed ? 0 : -1;
  }

  static int write(BIO* bio, const char* octets, int size) {
    TlsStream& stream = stream_of(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0) return 0;
    if (!stream.may_send()) {
      BIO_set_retry_write(bio);
      return -1;
    }
    const auto sent = stream.connection_->try_send({octets, static_cast<std::size_t>(size)});
    if (sent && *sent > 0) return static_cast<int>(*sent);
    if (sent) {
      BIO_set_retry_write(bio);
    } else {
      stream.transport_failure_ = sent.error();
    }
    return -1;
  }

  static long control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    if (command == BIO_CTRL_FLUSH) return 1;
    const bool ended = stream_of(bio).transport_failure_ == IoError::Closed;
    return command == BIO_CTRL_EOF && ended ? 1 : 0;
  }
};

/// Counts handshake messages and records after the handshake, which OpenSSL answers by itself.
/// Records count too, because a refused request to renegotiate never becomes a message.
struct TlsStream::LateMessages {
  static void see(int sent, int /*version*/, int kind, const void* octets, std::size_t size,
                  SSL* ssl, void* stream) {
    auto& self = *static_cast<TlsStream*>(stream);
    if (sent != 0 || !self.is_established_ || size == 0) return;
    const auto first = *static_cast<const unsigned char*>(octets);
    // TLS 1.3 gives the kind of a record inside it, TLS 1.2 in its header.
    const bool is_record = kind == SSL3_RT_HEADER || kind == SSL3_RT_INNER_CONTENT_TYPE;
    if (is_record && first == SSL3_RT_HANDSHAKE) ++self.late_records_;
    if (kind == SSL3_RT_HANDSHAKE) ++self.late_messages_;
    if (std::max(self.late_records_, self.late_messages_) <= self.most_late_) return;
    self.transport_failure_ = IoError::TlsFlood;
    SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);  // makes OpenSSL stop reading
  }
};

/// While one exists, OpenSSL may send, and receive once, even if a turn is owed.
class TlsStream::AtOnce {
 public:
  explicit AtOnce(TlsStream& stream) : stream_(stream) {
    stream_.at_once_ = true;
    stream_.has_received_ = false;
  }

  ~AtOnce() { stream_.at_once_ = false; }

  AtOnce(const AtOnce&) = delete;
  AtOnce& operator=(const AtOnce&) = delete;

 private:
  TlsStream& stream_;
};

bool TlsStream::may_receive() {
  if (at_once_) return !std::exchange(has_received_, true);
  return !connection_->owes_turn();
}

// --- handshake

bool TlsStream::set_up(const TlsContext& context) {
  most_late_ = context.late_messages();
  ERR_clear_error();
  ssl_.reset(SSL_new(context.native()));
  BIO* bio = ssl_ ? BIO_new(SocketBio::method()) : nullptr;
  if (bio == nullptr) return false;
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_msg_callback(ssl_.get(), &LateMessages::see);
  SSL_set_msg_callback_arg(ssl_.get(), this);
  return true;
}

bool TlsStream::expect_peer(const std::string& host, const mail::TlsDemand& demand) {
  // RFC 6066 §3: no address literals in SNI.
  if (!is_address(host) && SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) != 1) return false;
  verify_ = demand.level == mail::TlsLevel::Verify;
  return !verify_ || demand_certificate(ssl_.get(), host, demand);
}

ports::TlsError TlsStream::failure(IoError error) const {
  ports::TlsError failure{.error = error};
  // Without Verify, OpenSSL still notes the certificate's result, but it is not why TLS failed.
  if (verify_) failure.result = refusal_of_certificate(ssl_.get());
  return failure;
}

base::Task<std::expected<std::unique_ptr<ports::Stream>, IoError>> TlsStream::accept(
    std::unique_ptr<Connection> connection, std::shared_ptr<const TlsContext> context,
    base::Deadline deadline) {
  std::unique_ptr<TlsStream> stream(new TlsStream(std::move(connection)));
  if (!stream->set_up(*context)) co_return std::unexpected(IoError::Exhausted);
  SSL_set_accept_state(stream->ssl_.get());
  const auto done = co_await stream->shake_hands(deadline);
  if (!done) co_return std::unexpected(done.error());
  co_return std::move(stream);
}

base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::TlsError>> TlsStream::connect(
    std::unique_ptr<Connection> connection, std::shared_ptr<const TlsContext> context,
    std::string host, mail::TlsDemand demand, base::Deadline deadline) {
  std::unique_ptr<TlsStream> stream(new TlsStream(std::move(connection)));
  if (!stream->set_up(*context)) {
    co_return std::unexpected(ports::TlsError{.error = IoError::Exhausted});
  }
  if (!stream->expect_peer(host, demand)) co_return std::unexpected(ports::TlsError{});
  SSL_set_connect_state(stream->ssl_.get());
  const auto done = co_await stream->shake_hands(deadline);
  if (!done) co_return std::unexpected(stream->failure(done.error()));
  co_return std::move(stream);
}

base::Task<std::expected<void, IoError>> TlsStream::shake_hands(base::Deadline deadline) {
  std::expected<void, IoError> again;
  while (again) {
    ERR_clear_error();
    const int code = SSL_do_handshake(ssl_.get());
    if (code == 1) break;
    again = co_await go_on_after(code, deadline);
  }
  is_established_ = again.has_value();
  co_return again;
}

// --- transfers

base::Task<std::expected<void, IoError>> TlsStream::go_on_after(int code, base::Deadline deadline) {
  const int ssl_error = SSL_get_error(ssl_.get(), code);
  if (ssl_error == SSL_ERROR_WANT_READ || ssl_error == SSL_ERROR_WANT_WRITE) {
    const auto what =
        ssl_error == SSL_ERROR_WANT_READ ? Connection::Ready::ToRead : Connection::Ready::ToWrite;
    if (!connection_->owes_turn()) co_return co_await connection_->wait(what, deadline);
    co_await connection_->take_turn();
    std::expected<void, IoError> again;
    if (deadline.passed()) again = std::unexpected(IoError::Timeout);
    co_return again;
  }
  dead_ = reason_of_failure(ssl_error);
  ERR_clear_error();
  co_return std::unexpected(*dead_);
}

// Peers often leave without close_notify. That is harmless here: SMTP marks its own ends.
IoError TlsStream::reason_of_failure(int ssl_error) {
  const bool has_ended = ssl_error == SSL_ERROR_ZERO_RETURN;
  return transport_failure_.value_or(has_ended ? IoError::Closed : IoError::TlsFailed);
}

base::Task<std::expected<std::size_t, IoError>> TlsStream::read_some(std::span<char> into,
                                                                     base::Deadline deadline) {
  for (;;) {
    if (connection_->owes_turn()) co_await connection_->take_turn();
    if (dead_) co_return std::unexpected(*dead_);
    if (deadline.passed()) co_return std::unexpected(IoError::Timeout);
    ERR_clear_error();
    std::size_t got = 0;
    const int code = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
    if (code == 1) {
      connection_->count_transfer();  // one receive may bring hundreds of small records
      co_return got;
    }
    const auto again = co_await go_on_after(code, deadline);
    if (!again) co_return std::unexpected(again.error());
  }
}

base::Task<std::expected<void, IoError>> TlsStream::write(std::string_view octets,
                                                          base::Deadline deadline) {
  std::expected<void, IoError> result;
  while (!octets.empty() && result) {
    if (connection_->owes_turn()) co_await connection_->take_turn();
    if (dead_) co_return std::unexpected(*dead_);
    if (write_broken_) co_return std::unexpected(IoError::Closed);
    if (deadline.passed()) {
      result = std::unexpected(IoError::Timeout);
      break;
    }
    ERR_clear_error();
    std::size_t sent = 0;
    const int code = SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &sent);
    octets.remove_prefix(sent);
    if (code != 1) result = co_await go_on_after(code, deadline);
  }
  // A record may have been sent in part: OpenSSL must finish it before anything else.
  if (!result) write_broken_ = true;
  co_return result;
}

// Counts whole records only; a partial record is not readable yet.
bool TlsStream::has_unread() {
  if (dead_) return false;
  const AtOnce at_once(*this);
  ERR_clear_error();
  char first = 0;
  const int code = SSL_peek(ssl_.get(), &first, 1);
  if (code > 0) return true;
  const int ssl_error = SSL_get_error(ssl_.get(), code);
  if (ssl_error != SSL_ERROR_WANT_READ && ssl_error != SSL_ERROR_WANT_WRITE) {
    dead_ = reason_of_failure(ssl_error);  // the next read reports it
    ERR_clear_error();
  }
  return false;
}

void TlsStream::close() noexcept {
  if (ssl_ && !dead_ && !write_broken_ && SSL_is_init_finished(ssl_.get()) != 0) {
    const AtOnce at_once(*this);
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // sends close_notify if the socket takes it; does not wait
    ERR_clear_error();
  }
  dead_ = IoError::Closed;
  connection_->close();
}

std::optional<ports::TlsInfo> TlsStream::tls() const {
  return ports::TlsInfo{
      .version = SSL_get_version(ssl_.get()),
      .cipher = SSL_get_cipher_name(ssl_.get()),
      .verified = verify_ && SSL_get_verify_result(ssl_.get()) == X509_V_OK,
  };
}

}  // namespace relay::net
