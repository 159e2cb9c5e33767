// The connection to one client, as its session sees it: octets received but not yet used, replies
// said but not yet written, and the deadlines of both. All it knows of SMTP is that replies are
// collected and lines are read.
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

/// The reply to clients during a drain.
smtp::Reply shutting_down();

/// Lives on one shard. Once over() it is not read from any more; finish() still writes what was
/// said.
class ClientConnection {
 public:
  /// `gate` tells of overload and drain; `place` is told when we wait for the client. Gate, place,
  /// clock and limits outlive the connection.
  ClientConnection(std::unique_ptr<ports::Stream> stream, base::Executor executor,
                   ports::Clock& clock, const Gate& gate, Gate::Ticket& place,
                   const Limits& limits);
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  /// Collects a reply. All collected replies are written before the next read: a pipelined group is
  /// answered in one write.
  void say(const smtp::Reply& reply) { reply.append_to(replies_); }

  /// Writes what was said. False: the connection is over.
  base::Task<bool> flush(base::Deadline deadline);

  /// The client sends nothing more, and has said so.
  void expect_silence() { (*stream_)->expect_silence(); }

  /// Writes what was said, then reads what is there into the buffer. False: the connection is over;
  /// if the client was too slow, objection_to_slowness() has been said.
  base::Task<bool> read_more(base::Deadline deadline);

  /// The reply to a client that missed a deadline or was put off; nullopt for any other end.
  const std::optional<smtp::Reply>& objection_to_slowness() const { return slowness_; }

  /// The client kept sending TLS handshake messages after the handshake (IoError::TlsFlood).
  bool is_flooded() const { return flooded_; }

  /// Octets received and not yet consumed.
  ReadBuffer& buffer() { return buffer_; }

  /// Number of reads that brought something: tells whether the client has sent anything since.
  std::uint64_t reads() const { return reads_; }

  /// The client has sent octets that are not in the buffer yet.
  bool has_unread() const { return (*stream_)->has_unread(); }

  bool over() const { return over_; }

  void end() { over_ = true; }  ///< nothing is read any more

  /// Writes what was said, then discards for a while what the client still sends: closing at once
  /// would reset the connection, and the client would lose our last reply.
  base::Task<> linger();

  /// Octets of ours that the client's TCP has not acknowledged.
  std::size_t unacknowledged() const { return (*stream_)->unacknowledged(); }

  /// Whether our last reply may not have reached the client: the connection was reset, or its TCP
  /// does not acknowledge everything soon. To be called before finish().
  base::Task<bool> has_lost_a_reply();

  /// Writes what is still to be said, unless dismiss() was called, and closes.
  base::Task<> finish();

  /// In read_more(), waiting for the client. Everything said before has been written.
  bool waiting() const { return waiting_; }

  /// Ends the connection: writes the reply and closes, which also ends the read under way.
  /// Precondition: waiting().
  void dismiss(const smtp::Reply& reply);

  /// Like dismiss(), because the client is too slow. Does nothing unless waiting().
  void put_off(smtp::Reply reply);

  /// Like put_off(), whatever the connection is doing: a write or a handshake under way is ended,
  /// and while the client waits for us it hears the reply behind ours.
  void give_up(smtp::Reply reply);

  /// Ends a write, a handshake, or the wait for one, that has lasted for `span` or longer.
  void end_transfer_of(std::chrono::seconds span);

  /// For the place: octets of content have come.
  void takes_content(std::uint64_t octets) { place_.takes_content(octets); }

  /// Writes at once what the socket takes, allocating nothing. `wire` is a whole reply.
  void last_words(std::string_view wire) noexcept;

  /// Waits for the first octet of the TLS handshake after STARTTLS. False: the connection is over.
  base::Task<bool> await_hello(ports::TlsAcceptor& tls, base::Deadline deadline);

  /// The TLS handshake after STARTTLS. If it fails, there is no stream any more and the connection
  /// is over. Precondition: the buffer is empty, so that no plaintext is taken as sent in TLS.
  base::Task<std::expected<void, ports::IoError>> secure(ports::TlsAcceptor& tls,
                                                         base::Deadline deadline);

  /// The peer and its TLS.
  mail::Client client() const;

  /// The peer's address, as base::plain_address(). SessionClient knows who the client is.
  const boost::asio::ip::address& address() const { return address_; }

  bool is_tls() const { return (*stream_)->tls().has_value(); }

  const base::Executor& executor() const { return executor_; }

  /// The deadline of the whole session.
  base::Deadline session_end() const { return session_end_; }

  /// Shortens the session to at most `span` from here.
  void hasten(std::chrono::seconds span) { session_end_ = after(span).within(session_end_); }

  base::Deadline after(std::chrono::seconds span) const;

  /// The deadline for a wait of `normal`; shorter in overload and during a drain.
  base::Deadline read_deadline(std::chrono::seconds normal) const;

 private:
  /// Shared with say_goodbye(), which may outlive the session.
  using SharedStream = std::shared_ptr<std::unique_ptr<ports::Stream>>;

  static base::Task<> say_goodbye(SharedStream stream, std::string wire, base::Deadline deadline);

  /// Writes what was said, as far as that needs no waiting. True: all of it.
  bool flush_now();

  // A wait is made of pieces of Limits::command_overloaded. After each it checks for overload and
  // drain, so that sessions already waiting also get the short timeout.

  base::Deadline piece_of(base::Deadline whole) const;
  /// Only a piece of the wait is over, and there is no hurry.
  bool goes_on(ports::IoError error, base::Deadline piece, base::Deadline whole,
               base::SteadyTime now) const;

  bool must_hurry() const { return gate_.draining() || gate_.hurries(place_, limits_); }

  /// Exists while we wait for the client, in whatever way.
  class Waiting;
  /// Exists while a write, a handshake, or the wait for one, may be cut off.
  class Transfer;

  SharedStream stream_;  ///< holds null after a failed handshake
  boost::asio::ip::address address_;
  const base::Executor executor_;
  ports::Clock& clock_;
  const Gate& gate_;
  Gate::Ticket& place_;
  const Limits& limits_;
  base::Deadline session_end_;
  ReadBuffer buffer_;
  std::string replies_;  ///< said and not yet written
  std::optional<smtp::Reply> slowness_;
  base::Cut cut_;                                   ///< of transfers
  std::optional<base::SteadyTime> transfer_began_;  ///< nullopt: there is none
  std::uint64_t reads_ = 0;
  bool waiting_ = false;
  bool reset_ = false;  ///< by the client, or because a write failed
  bool flooded_ = false;
  bool given_up_ = false;   ///< give_up() found nothing to end
  bool dismissed_ = false;  ///< say_goodbye() runs and owns the writing side
  bool over_ = false;
};

}  // namespace relay::inbound
