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
  Closed,   ///< the peer closed, or the TLS session ended
  Reset,    ///< connection reset, broken pipe, other socket failure
  Timeout,  ///< the deadline passed; the stream is unusable from then on
  Refused,
  Unreachable,
  TlsFailed,  ///< handshake or record failure
  TlsFlood,   ///< the peer goes on with handshake messages after the handshake
  Exhausted,  ///< no descriptor or no memory left here
  NoSource,   ///< the source address cannot be used on this host, or has no port left
};

/// The trouble is this host's own and says nothing of the peer.
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
  bool verified = false;  ///< the peer's certificate chain and name were checked and good
};

/// As the system says of a process on this host.
struct LocalUser {
  std::uint32_t uid = 0;
  std::int32_t pid = 0;   ///< 0: not known
  std::string name = {};  ///< "": not known
};

/// A connection: plain or TLS, never both. TLS is begun by handing the plain stream over
/// (TlsAcceptor, Dialer::start_tls), so nothing read in the clear can survive into it. One reader
/// and one writer at a time. Destroying closes.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Reads what is there, at least one octet, at most into.size().
  virtual base::Task<std::expected<std::size_t, IoError>> read_some(std::span<char> into,
                                                                    base::Deadline deadline) = 0;

  /// Writes all of it. `octets` must live until the call returns (the caller owns them and awaits).
  virtual base::Task<std::expected<void, IoError>> write(std::string_view octets,
                                                         base::Deadline deadline) = 0;

  /// Says goodbye (TLS close_notify, FIN) without waiting for the peer.
  virtual void close() noexcept = 0;

  /// Says what can be said at once and without memory, or nothing. The connection is to be closed
  /// next.
  virtual void last_words(std::string_view octets) noexcept { static_cast<void>(octets); }

  /// True when the peer has sent octets that no read has taken yet, as far as can be told without
  /// waiting. Who speaks before being asked shows it here.
  virtual bool has_unread() { return false; }

  /// Octets written that the peer's TCP has not acknowledged, as far as can be told without
  /// waiting; 0 where nobody can tell, as after close().
  virtual std::size_t unacknowledged() const { return 0; }

  /// Who runs the process on the other side, where the system says so (a Unix socket).
  virtual std::optional<LocalUser> peer_user() const { return std::nullopt; }

  virtual const Endpoint& peer() const = 0;
  virtual const Endpoint& local() const = 0;
  virtual std::optional<TlsInfo> tls() const = 0;
};

/// The server side of STARTTLS.
class TlsAcceptor {
 public:
  virtual ~TlsAcceptor() = default;

  /// Waits until the client has sent the first octet of its handshake, or has gone; may return too
  /// early. Until then a handshake costs nothing. `plain` is as for accept(), and still the
  /// caller's.
  virtual base::Task<std::expected<void, IoError>> await_hello(Stream& plain,
                                                               base::Deadline deadline) = 0;

  virtual base::Task<std::expected<std::unique_ptr<Stream>, IoError>> accept(
      std::unique_ptr<Stream> plain, base::Deadline deadline) = 0;
};

/// Why a handshake as client failed. `error` says whether the stream broke (Closed, Reset, Timeout)
/// or TLS itself did.
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

  /// Handshake as client with SNI `host`. Refuses (TlsFailed) when `plain` still holds unread
  /// octets. `demand.level` is not Never.
  virtual base::Task<std::expected<std::unique_ptr<Stream>, TlsError>> start_tls(
      std::unique_ptr<Stream> plain, std::string host, mail::TlsDemand demand,
      base::Deadline deadline) = 0;
};

}  // namespace relay::ports
