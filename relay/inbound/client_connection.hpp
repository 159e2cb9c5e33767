// The connection to one client, as its session sees it: what has come and is not yet looked at,
// what is said and not yet written, and until when either may take. Knows nothing of SMTP but that
// replies are collected and lines are read.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "relay/base/task.hpp"
#include "relay/inbound/gate.hpp"
#include "relay/inbound/read_buffer.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/stream.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

/// What clients hear while the house is drained.
smtp::Reply shutting_down();

/// Lives on one shard. Once over() it is not read from any more; what was said before is written by
/// finish().
class ClientConnection {
 public:
  /// `gate` tells of overload and drain. It, the clock and the limits outlive the connection.
  ClientConnection(std::unique_ptr<ports::Stream> stream, base::Executor executor,
                   ports::Clock& clock, const Gate& gate, const Limits& limits);
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  /// Collects a reply. It leaves before the next read, together with all others: a pipelined group
  /// is answered in one write.
  void say(const smtp::Reply& reply) { reply.append_to(replies_); }

  /// Writes what was said. False: the connection is over.
  base::Task<bool> flush(base::Deadline deadline);

  /// Writes what was said, then reads what is there into the buffer. False: the connection is over;
  /// when the client was too slow, objection_to_slowness() has been said.
  base::Task<bool> read_more(base::Deadline deadline);

  /// The reply to a client that let a deadline pass, or was put off; nullopt for any other end.
  const std::optional<smtp::Reply>& objection_to_slowness() const { return slowness_; }

  /// The client goes on with TLS handshake messages after the handshake.
  bool is_flooded() const { return flooded_; }

  /// What has come in. Emptied by its consume().
  ReadBuffer& buffer() { return buffer_; }

  /// How many reads brought something: whether the client has said anything since.
  std::uint64_t reads() const { return reads_; }

  /// The client has sent octets beyond what is in the buffer.
  bool has_unread() const { return (*stream_)->has_unread(); }

  bool over() const { return over_; }

  void end() { over_ = true; }  ///< nothing is read any more

  /// Writes what was said, then reads and forgets for a while what the client is still sending: a
  /// connection closed under its hands is reset, and what we said last is lost.
  base::Task<> linger();

  /// Octets of ours that the client's TCP has not acknowledged.
  std::size_t unacknowledged() const { return (*stream_)->unacknowledged(); }

  /// Whether what was written last cannot have reached the client: the connection was reset, or its
  /// TCP has not acknowledged everything and does not do so soon. Before finish().
  base::Task<bool> has_lost_a_reply();

  /// Writes what is still to be said, unless dismiss() does, and closes.
  base::Task<> finish();

  /// Waiting in read_more(). What was said before has been written.
  bool waiting() const { return waiting_; }

  /// The connection is over now: writes the reply and closes, which ends the read under way.
  /// Precondition: waiting().
  void dismiss(const smtp::Reply& reply);

  /// As dismiss(), for the client's slowness. Nothing, when it is not waited for any more.
  void put_off(smtp::Reply reply);

  /// Without memory: says at once what can be said at once. `wire` is a whole reply.
  void last_words(std::string_view wire) noexcept;

  /// Waits for the first octet of the handshake of STARTTLS. False: the connection is over.
  base::Task<bool> await_hello(ports::TlsAcceptor& tls, base::Deadline deadline);

  /// The handshake of STARTTLS. When it fails there is no stream any more, and the connection is
  /// over. Precondition: the buffer is empty, for what was said in the clear is not heard in TLS.
  base::Task<std::expected<void, ports::IoError>> secure(ports::TlsAcceptor& tls,
                                                         base::Deadline deadline);

  /// Who is there, and by what TLS.
  mail::Client client() const;

  /// Of the peer, as base::plain_address(). Who the client is, SessionClient knows.
  const boost::asio::ip::address& address() const { return address_; }

  bool is_tls() const { return (*stream_)->tls().has_value(); }

  const base::Executor& executor() const { return executor_; }

  /// Everything ends here, whatever is under way.
  base::Deadline session_end() const { return session_end_; }

  /// The session has no longer than this.
  void hasten(std::chrono::seconds span) { session_end_ = after(span).within(session_end_); }

  base::Deadline after(std::chrono::seconds span) const;

  /// For a wait that may take `normal`, or less while everybody must hurry: the house is
  /// overloaded, or drained.
  base::Deadline read_deadline(std::chrono::seconds normal) const;

 private:
  /// Shared with a goodbye that may still be on its way when the session has ended.
  using SharedStream = std::shared_ptr<std::unique_ptr<ports::Stream>>;

  static base::Task<> say_goodbye(SharedStream stream, std::string wire, base::Deadline deadline);

  base::Task<std::expected<std::size_t, ports::IoError>> read_in_pieces(base::Deadline deadline);

  bool must_hurry() const { return gate_.draining() || gate_.overloaded(limits_); }

  SharedStream stream_;  ///< holds null after a failed handshake
  boost::asio::ip::address address_;
  const base::Executor executor_;
  ports::Clock& clock_;
  const Gate& gate_;
  const Limits& limits_;
  base::Deadline session_end_;
  ReadBuffer buffer_;
  std::string replies_;  ///< said and not yet written
  std::optional<smtp::Reply> slowness_;
  std::uint64_t reads_ = 0;
  bool waiting_ = false;
  bool reset_ = false;  ///< by the client, or a write failed
  bool flooded_ = false;
  bool dismissed_ = false;  ///< a goodbye is under way; it owns the writing side
  bool over_ = false;
};

}  // namespace relay::inbound
