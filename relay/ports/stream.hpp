#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "relay/base/task.hpp"
#include "relay/base/time.hpp"
#include "relay/mail/tls_demand.hpp"

namespace relay::ports {

enum class IoError {
  Closed,   ///< the peer closed the connection or the TLS session
  Reset,    ///< connection reset, broken pipe, other socket failure
  Timeout,  ///< the deadline passed; the stream is unusable from then on
  Refused,
  Unreachable,
  TlsFailed,  ///< handshake or record failure
  TlsFlood,   ///< the peer keeps sending handshake messages after the handshake
  Exhausted,  ///< this host has no descriptor or memory left
  NoSource,   ///< the source address cannot be used on this host, or has no port left
};

/// True when the failure is this host's own, and says nothing about the peer.
constexpr bool is_ours(IoError error) {
  return error == IoError::Exhausted || error == IoError::NoSource;
}

std::string_view describe(IoError error);

struct Endpoint {
  boost::asio::ip::address address;
  std::uint16_t port = 0;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct TlsInfo {
  std::string version;  ///< "TLSv1.3"
  std::string cipher;
  bool verified = false;  ///< the peer's certificate chain and name were checked and are valid
};

/// The user of a local process, as the system reports it.
struct LocalUser {
  std::uint32_t uid = 0;
  std::int32_t pid = 0;   ///< 0: not known
  std::string name = {};  ///< "": not known
};

/// A connection, either plain or TLS. To start TLS the plain stream is handed over (TlsAcceptor,
/// Dialer::start_tls), so that nothing read before TLS can survive into it. One reader and one
/// writer at a time. Destruction closes it.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Reads what has arrived: at least one octet, at most into.size().
  virtual base::Task<std::expected<std::size_t, IoError>> read_some(std::span<char> into,
                                                                    base::Deadline deadline) = 0;

  /// Writes all of `octets`, which must live until the call returns (the caller owns them and
  /// awaits).
  virtual base::Task<std::expected<void, IoError>> write(std::string_view octets,
                                                         base::Deadline deadline) = 0;

  /// Writes what the peer takes without waiting, and returns how many octets that were; write() has
  /// to be called for the rest, and tells of errors. 0 where nothing can be said without waiting.
  virtual std::size_t write_now(std::string_view octets) noexcept {
    static_cast<void>(octets);
    return 0;
  }

  /// Ends the connection in order (TLS close_notify, FIN), without waiting for the peer.
  virtual void close() noexcept = 0;

  /// By its own word the peer sends nothing more: close() need not care for octets that come later.
  virtual void expect_silence() noexcept {}

  /// Writes as much of `octets` as is possible at once and without allocating memory, perhaps
  /// nothing. The connection must be closed next.
  virtual void last_words(std::string_view octets) noexcept { static_cast<void>(octets); }

  /// True when octets have arrived that no read has taken yet, as far as can be told without
  /// waiting: a peer that speaks before its turn is detected so.
  virtual bool has_unread() { return false; }

  /// Octets written that the peer's TCP has not acknowledged, as far as can be told without
  /// waiting; 0 when unknown, as after close().
  virtual std::size_t unacknowledged() const { return 0; }

  /// The user of the process on the other side, where the system knows it (a Unix socket).
  virtual std::optional<LocalUser> peer_user() const { return std::nullopt; }

  virtual const Endpoint& peer() const = 0;
  virtual const Endpoint& local() const = 0;
  virtual std::optional<TlsInfo> tls() const = 0;
};

/// The server side of STARTTLS.
class TlsAcceptor {
 public:
  virtual ~TlsAcceptor() = default;

  /// Waits until the client has sent the first octet of its handshake, or is gone; it may return
  /// too early. Until then a handshake costs nothing. `plain` stays the caller's, and goes to
  /// accept() later.
  virtual base::Task<std::expected<void, IoError>> await_hello(Stream& plain,
                                                               base::Deadline deadline) = 0;

  virtual base::Task<std::expected<std::unique_ptr<Stream>, IoError>> accept(
      std::unique_ptr<Stream> plain, base::Deadline deadline) = 0;
};

/// Why a handshake as client failed: `error` says whether the stream broke (Closed, Reset, Timeout)
/// or TLS itself failed.
struct TlsError {
  IoError error = IoError::TlsFailed;
  mail::TlsResult result = mail::TlsResult::ValidationFailure;
};

/// Opens connections to other hosts.
class Dialer {
 public:
  virtual ~Dialer() = default;

  virtual base::Task<std::expected<std::unique_ptr<Stream>, IoError>> connect(
      Endpoint remote, std::optional<boost::asio::ip::address> source, base::Deadline deadline) = 0;

  /// Handshake as client with SNI `host`. Fails (TlsFailed) when `plain` still holds unread octets.
  /// Precondition: `demand.level` is not Never.
  virtual base::Task<std::expected<std::unique_ptr<Stream>, TlsError>> start_tls(
      std::unique_ptr<Stream> plain, std::string host, mail::TlsDemand demand,
      base::Deadline deadline) = 0;
};

}  // namespace relay::ports
